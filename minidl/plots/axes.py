"""What figures share: a new Axes where none is given, axes of steps and per cent, legends beside data."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

from minidl.plots.seeds import Values

Scale = Literal["log", "linear"]

# A sigmoid is below 0.05 or above 0.95 where its input exceeds this size: about 2.94.
SATURATES = math.log(0.95 / 0.05)


def axes_or_new(ax: Axes | None, size: tuple[float, float] = (7.0, 4.2)) -> Axes:
    """The Axes given, or that of a new figure of `size` inches, which a notebook shows by itself."""
    if ax is not None:
        return ax
    # Only here: pyplot may settle the backend, which is the user's business as long as there is an Axes.
    from matplotlib import pyplot as plt

    new: Axes = plt.subplots(figsize=size, layout="constrained")[1]
    return new


def size_in_points(ax: Axes) -> tuple[float, float]:
    """Width and height of the Axes in points, for texts that have to fit into it."""
    engine = ax.figure.get_layout_engine()
    if engine is not None:
        # A layout usually waits until the figure is drawn; until then the Axes has a size that it won't keep.
        engine.execute(ax.figure.canvas.figure)
    extent = ax.get_window_extent()
    return extent.width / ax.figure.dpi * 72, extent.height / ax.figure.dpi * 72


def dress(ax: Axes) -> None:
    """The common look of charts: a light grid behind the data, no frame at the top and on the right."""
    ax.grid(True, color="#DDDDDD", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def step_axis(ax: Axes, steps: ArrayLike, scale: Scale | None, label: str = "training step") -> None:
    """Label the x axis, make it cover all steps, and scale it: as told, or (None) as the steps are spaced.

    None becomes "log" where the steps span more than a decade and thin out: evenly spaced ones stay
    linear. A step 0 isn't lost on a logarithmic axis: it is linear up to the first step after 0.
    """
    if scale not in (None, "log", "linear"):
        raise ValueError(f"xscale is 'log', 'linear' or None (as the steps are spaced), got {scale!r}")
    at = np.unique(np.asarray(steps, dtype=np.float64))
    positive = at[at > 0]
    ax.set_xlabel(label)
    if positive.size and (scale or _spacing(positive)) == "log":
        if positive.size < at.size:
            ax.set_xscale("symlog", linthresh=float(positive[0]), linscale=0.4)
        else:
            ax.set_xscale("log")
            few_decades = positive[-1] / positive[0] < 100
            ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few_decades else (1.0,)))
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda step, _: _with_commas(step)))
    # Steps at which nothing finite is left to draw belong to the picture too.
    ax.update_datalim([(at[0], 0), (at[-1], 0)], updatey=False)


def _spacing(positive: Values) -> Scale:
    first, last, middle = positive[0], positive[-1], np.median(positive)
    if last / first <= 10:
        return "linear"
    # Evenly spaced steps have their median near the arithmetic mean of both ends, others near the geometric.
    arithmetic, geometric = (first + last) / 2, np.sqrt(first * last)
    return "log" if middle < np.sqrt(arithmetic * geometric) else "linear"


def _with_commas(step: float) -> str:
    return f"{step:,.0f}" if float(step).is_integer() else f"{step:,g}"


def as_percent(share: float, _: float | None = None) -> str:
    """A share (0 to 1) in per cent: what the ticks of a `percent_axis` say."""
    return f"{100 * share:.6g}"


def percent_axis(ax: Axes, label: str) -> None:
    """Show a y axis of shares (0 to 1) as per cent; the data and its limits stay shares."""
    ax.yaxis.set_major_formatter(FuncFormatter(as_percent))
    ax.set_ylabel(f"{label} (%)")


_LEGEND: dict[str, Any] = {
    "fontsize": "small",
    "title_fontsize": "small",
    "alignment": "left",
    "handlelength": 3.2,
}


def legend_beside(ax: Axes, title: str | None = None, extra: Iterable[Artist] = ()) -> None:
    """A legend of all that is labelled, and of `extra`, to the right of the data, where it hides none.

    Only a layout engine ("constrained", "tight") makes room there; without one the edge of the figure would
    cut the legend off, so it goes inside, where it hides least.
    """
    handles = [*ax.get_legend_handles_labels()[0], *extra]
    if ax.figure.get_layout_engine() is None:
        ax.legend(handles=handles, title=title, loc="best", framealpha=0.9, **_LEGEND)
    else:
        beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
        ax.legend(handles=handles, title=title, frameon=False, **beside, **_LEGEND)


def share_legend(figure: Figure | SubFigure) -> None:
    """Replace the legends of all panels of a figure by one to the right of them, each entry once.

    Args:
        figure: made with `layout="constrained"`, its panels drawn by functions of `minidl.plots`.

    Raises:
        ValueError: if the figure has no layout engine to make the room, or no panel has a legend.

    Example:
        >>> from minidl import plots
        >>> figure = Figure(layout="constrained")
        >>> for ax in figure.subplots(1, 2):
        ...     ax = plots.sweep([0.1, 1.0], {"BN": [[0.90], [0.95]]}, ax)
        >>> plots.share_legend(figure)
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['BN', 'chance']

    """
    if figure.get_layout_engine() is None:
        raise ValueError("share_legend needs room at the side: make the figure with layout='constrained'")
    entries: dict[str, Artist] = {}
    titles: dict[str, None] = {}
    for ax in figure.axes:
        legend = ax.get_legend()
        if legend is None:
            continue
        # None stands for what Matplotlib can't show in a legend; such an entry has no text either.
        handles = [handle for handle in legend.legend_handles if handle is not None]
        for handle, text in zip(handles, legend.get_texts(), strict=True):
            entries.setdefault(text.get_text(), handle)
        titles[legend.get_title().get_text()] = None
        legend.remove()
    if not entries:
        raise ValueError("share_legend found no legend in the figure: draw the panels first")
    title = "\n".join(filter(None, titles)) or None
    place: dict[str, Any] = {"loc": "outside right center", "frameon": False}
    figure.legend(list(entries.values()), list(entries), title=title, **place, **_LEGEND)
