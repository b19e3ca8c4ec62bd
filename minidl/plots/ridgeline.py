"""Histograms one above the other, a row each: how a distribution changes over the training, or by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from matplotlib.transforms import Affine2D
from numpy.typing import ArrayLike

from minidl.plots.axes import SATURATES, axes_or_new
from minidl.plots.style import BLUE

_OVERLAP = 1.5      # height of the highest point of a row, in distances between rows


def ridgeline(
    edges: ArrayLike,
    histograms: ArrayLike,
    labels: Sequence[float | str],
    ax: Axes | None = None,
    *,
    xlabel: str,
    ylabel: str = "training step",
    sigmoid: bool = False,
) -> Axes:
    r"""Histograms as rows from top to bottom, each scaled to its own height.

    At the right stands what share of its values a row's highest bin holds: a narrow distribution and a wide
    one are equally high. A row without values is a flat line with a dash.

    Rows are the steps of a training for one layer, a panel each, or the layers at one step.

    Args:
        edges: (B + 1,), the edges of the bins, rising and evenly spaced.
        histograms: (R, B), counts or shares, from 0 up.
        labels: R steps, or names.
        ax: where to draw; None makes a figure.
        xlabel: what the values are, with their unit.
        ylabel: what the rows are.
        sigmoid: whether the values are inputs of sigmoids; then grey zones show where those are below 0.05 or
            above 0.95, |x| > 2.94.

    Raises:
        ValueError: shapes that don't fit, uneven edges, or values that are negative or not finite.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure(layout="constrained").subplots()
        >>> shares = [[0, 1, 0], [0.2, 0.6, 0.2]]
        >>> ax = ridgeline([-3, -1, 1, 3], shares, [1, 1000], ax, xlabel="input x of the sigmoids")
        >>> [label.get_text() for label in ax.get_yticklabels()], [text.get_text() for text in ax.texts]
        (['1', '1,000'], ['100 %', '60 %', 'highest\nbin'])

    """
    at, rows = np.asarray(edges, dtype=np.float64), np.asarray(histograms, dtype=np.float64)
    if at.ndim != 1 or at.size < 2 or rows.shape != (len(labels), at.size - 1) or not len(labels):
        raise ValueError(
            f"ridgeline expects edges (B + 1,), histograms (R, B) and R labels, at least one of each, "
            f"got {at.shape}, {rows.shape} and {len(labels)}"
        )
    widths = np.diff(at)
    if not (widths[0] > 0 and np.allclose(widths, widths[0], rtol=1e-3)):
        raise ValueError("ridgeline expects edges that rise evenly: others distort the heights of the bins")
    if not (np.isfinite(rows).all() and (rows >= 0).all()):
        raise ValueError("ridgeline expects counts or shares from 0 up, got others: leave out broken values")
    ax = axes_or_new(ax, (7.0, 1.2 + 0.5 * len(labels)))
    if sigmoid:
        _shade_saturation(ax, at[0], at[-1])
    for i, (label, row) in enumerate(zip(labels, rows, strict=True)):
        shares = 100 * row / (row.sum() or 1)
        top, front = shares.max(), 2 + i        # later rows stand in front of earlier ones
        # The artists hold per cents; where those are drawn is the business of their transform.
        place = Affine2D().scale(1, _OVERLAP / (top or 1)).translate(0, -i) + ax.transData
        outline, name = np.append(shares, shares[-1]), f"_{_text(label)}, share of a bin (%)"
        stairs = np.column_stack([np.repeat(at, 2), [0, *np.repeat(shares, 2), 0]])
        area: dict[str, Any] = {"color": "#A6CEE3", "alpha": 0.75, "linewidth": 0}
        ax.add_artist(Polygon(stairs, transform=place, zorder=front, **area))
        line: dict[str, Any] = {"color": BLUE, "linewidth": 0.9, "label": name}
        ax.step(at, outline, where="post", transform=place, zorder=front, **line)
        beside = f"{top:.0f} %" if top else "-"
        ax.text(1.01, -i, beside, transform=ax.get_yaxis_transform(), va="bottom", fontsize="small")
    ax.text(1.01, _OVERLAP, "highest\nbin", transform=ax.get_yaxis_transform(), va="top", fontsize="small")
    ax.set_yticks(-np.arange(len(labels)), [_text(label) for label in labels])
    ax.set_xlim(at[0], at[-1])
    ax.set_ylim(-len(labels) + 0.85, _OVERLAP + 0.1)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.grid(True, axis="x", color="#DDDDDD", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return ax


def _shade_saturation(ax: Axes, left: float, right: float) -> None:
    for begin, end in ((left, -SATURATES), (SATURATES, right)):
        if begin < end:
            ax.axvspan(begin, end, color="#EEEEEE", zorder=0)
            middle, place = (begin + end) / 2, ax.get_xaxis_transform()
            ax.text(middle, 0.99, "saturated", transform=place, ha="center", va="top", fontsize="x-small")


def _text(label: float | str) -> str:
    return label if isinstance(label, str) else f"{label:,g}"
