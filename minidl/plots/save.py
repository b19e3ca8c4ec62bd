"""Saving a figure: PNG and SVG side by side, each whole or not at all, the same bytes for the same figure."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Literal

from matplotlib import rc_context
from matplotlib.figure import Figure, SubFigure

from minidl.files import replacing


def save(figure: Figure | SubFigure, path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Write a figure as path.png (150 dots per inch) and path.svg, and return both paths.

    Both are drawn before a file is touched, and each file gets its name only when it is complete. The SVG
    holds neither a date nor random ids, and its text is drawn as outlines, so that it looks the same
    everywhere.

    Args:
        figure: `ax.figure` of any Axes.
        path: without the suffix; missing folders are made, and a dot in the name ("lr0.5") is kept.

    Raises:
        ValueError: if path ends in .png or .svg.
        OSError: if the folder can't be written to.

    Example:
        >>> import tempfile
        >>> figure = Figure()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [path.name for path in save(figure, f"{folder}/curves")]
        ['curves.png', 'curves.svg']

    """
    base = Path(path)
    if base.suffix.lower() in (".png", ".svg"):
        raise ValueError(f"plots.save writes .png and .svg, got {base.name!r}: give the name {base.stem!r}")
    png, svg = (base.with_name(base.name + suffix) for suffix in (".png", ".svg"))
    contents = {png: rendered(figure, "png"), svg: rendered(figure, "svg")}
    for target, content in contents.items():
        with replacing(target) as file:
            file.write(content)
    return png, svg


def rendered(figure: Figure | SubFigure, kind: Literal["png", "svg"]) -> bytes:
    """The content of the file that `save` writes."""
    buffer = BytesIO()
    # A fixed salt and no date: otherwise the SVGs of two runs of one experiment would differ.
    with rc_context({"svg.hashsalt": "minidl", "svg.fonttype": "path"}):
        whole = figure.canvas.figure  # also where the Axes belongs to a part of a figure
        whole.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()
