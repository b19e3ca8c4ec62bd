"""Percentiles of the input to a sigmoid over the training: Figure 1 b and c of Ioffe & Szegedy (2015)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import ArrayLike

from minidl.plots.axes import SATURATES, Scale, axes_or_new, dress, legend_beside, step_axis
from minidl.plots.seeds import TOO_LARGE, Values, crosses, diverged_key
from minidl.plots.style import BLACK, BLUE, GREY, VERMILLION, ArmStyle

# Even quiet inputs are shown against where saturation begins, or nobody could tell how quiet they are.
_ALWAYS_SHOWN = 3.4


def percentiles(
    steps: ArrayLike,
    values: ArrayLike,
    others: ArrayLike | None = None,
    ax: Axes | None = None,
    *,
    xscale: Scale | None = None,
    activation: str = "sigmoid",
) -> Axes:
    """15th, 50th and 85th percentile of the input to one sigmoid over the training, as lines and a band.

    Grey zones: the sigmoid is below 0.05 or above 0.95, |x| > 2.94. What isn't finite leaves a gap, with a
    cross where it begins. Two panels can be compared where they share one y axis: `plt.subplots(1, 2,
    sharey=True)`.

    Source: Ioffe & Szegedy (2015), arXiv:1502.03167, section 4.1, Figure 1 b and c.

    Args:
        steps: (T,).
        values: (T, 3), the percentiles in rising order.
        others: (units, T, 3), the same for more units: their medians are drawn faintly behind.
        ax: where to draw; None makes a figure.
        xscale: "log", "linear", or None to choose by the spacing of the steps.
        activation: whose input it is; only a sigmoid has zones of saturation.

    Raises:
        ValueError: shapes that don't fit.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure(layout="constrained").subplots()
        >>> ax = percentiles([1, 10, 100], [[-1, 0, 1], [-1.5, 0.2, 2], [-2, 0.1, 2.5]], ax=ax)
        >>> [line.get_label() for line in ax.get_lines()]
        ['85th percentile', 'median', '15th percentile']

    """
    at = np.asarray(steps, dtype=np.float64)
    three = np.array(values, dtype=np.float64)
    if at.ndim != 1 or not at.size or three.shape != (at.size, 3):
        raise ValueError(f"percentiles expects steps (T,), values (T, 3), got {at.shape} and {three.shape}")
    broken = ~(np.abs(three) < TOO_LARGE).all(axis=1)  # nan, too
    three[broken] = np.nan
    ax = axes_or_new(ax)
    dress(ax)
    step_axis(ax, at, xscale)
    ax.set_ylabel(f"input x of the {activation}")
    extra: list[Artist] = [_shade_saturation(ax)] if activation == "sigmoid" else []
    if others is not None:
        extra.append(_draw_others(ax, at, np.asarray(others, dtype=np.float64)))
    outer: dict[str, Any] = {"color": BLUE, "linewidth": 1.3, "linestyle": (0, (4, 2)), "markersize": 4}
    outer["markevery"] = max(1, -(-at.size // 12))
    ax.plot(at, three[:, 2], marker="^", label="85th percentile", **outer)
    ax.plot(at, three[:, 1], color=BLACK, linewidth=2.0, label="median")
    ax.plot(at, three[:, 0], marker="v", label="15th percentile", **outer)
    ax.fill_between(at, three[:, 0], three[:, 2], color=BLUE, alpha=0.15, linewidth=0, label="_15th to 85th")
    if broken.any():
        first = np.bincount([int(np.argmax(broken))], minlength=at.size)
        crosses(ax, at, first, ArmStyle(VERMILLION, "-", "x"))
        extra.append(diverged_key(1))
    legend_beside(ax, extra=extra)
    return ax


def _shade_saturation(ax: Axes) -> Artist:
    look: dict[str, Any] = {"facecolor": BLACK, "alpha": 0.07, "linewidth": 0}
    for sign in (1, -1):
        # Far-reaching, so that it goes on when limits change; an artist, so that it sets no limits itself.
        zone = Rectangle((0, sign * SATURATES), 1, sign * 1e6, zorder=0, **look)
        zone.set_transform(ax.get_yaxis_transform())
        ax.add_artist(zone)
    ax.update_datalim([(0, -_ALWAYS_SHOWN), (0, _ALWAYS_SHOWN)], updatex=False)
    return Patch(**look, label="sigmoid < 0.05 or > 0.95")


def _draw_others(ax: Axes, at: Values, others: Values) -> Artist:
    if others.ndim != 3 or others.shape[1:] != (at.size, 3):
        raise ValueError(f"percentiles expects others (units, {at.size}, 3), got shape {others.shape}")
    medians = np.where(np.abs(others[:, :, 1]) < TOO_LARGE, others[:, :, 1], np.nan)
    lines = LineCollection([np.column_stack([at, unit]) for unit in medians])
    lines.set(color=GREY, linewidth=0.5, alpha=0.3, zorder=1, label="_median of unit")
    ax.add_collection(lines)
    return Line2D([], [], color=GREY, linewidth=0.8, alpha=0.6, label=f"medians of {len(others)} other units")
