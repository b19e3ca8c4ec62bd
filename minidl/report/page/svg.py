"""Matplotlib's SVG files as parts of a page: ids of their own, and nothing that a page has no use for."""

from __future__ import annotations

import re

from minidl.report.page.html import Html, joined, tag

_NOT_NEEDED = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL
)
_ROOT = re.compile(r"<svg\b([^>]*)>")
_VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_ID = re.compile(r'(\bid="|\burl\(#|\bhref="#)')

READABLE = 0.6      # of its natural width: a narrow screen scrolls a figure before it becomes smaller


def inline_svg(svg: str, prefix: str, title: str, description: str) -> Html:
    """The file's drawing as an element.

    Args:
        svg: the file's content, as `plots.save` writes it.
        prefix: of all ids, which must differ within a page.
        title: what it shows.
        description: the same for those who can't see it, at length.

    Raises:
        ValueError: text that is no such file.

    """
    bare = _NOT_NEEDED.sub("", svg)
    root, view = _ROOT.search(bare), _VIEW.search(bare)
    if root is None or view is None or "</svg>" not in bare:
        raise ValueError("expected an SVG file of Matplotlib's, got another text")
    points = float(view[1])
    inside = _ID.sub(rf"\g<1>{prefix}", bare[root.end():bare.rindex("</svg>")])
    inside = re.sub(r"\s*\n\s*", "\n", inside).strip()
    ids = f"{prefix}title", f"{prefix}description"
    words = joined((tag("title", title, id=ids[0]), tag("desc", description, id=ids[1])))
    pixels = points * 96 / 72
    return tag(
        "svg", words, Html(inside), viewBox=view[0][9:-1], role="img", aria_labelledby=" ".join(ids),
        style=f"max-width: {pixels:.0f}px; min-width: {READABLE * pixels:.0f}px",
    )
