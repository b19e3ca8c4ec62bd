"""Values of several seeds: their median and range, with diverged runs counted as such and never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation, blended_transform_factory
from numpy.typing import ArrayLike, NDArray

from minidl.plots.style import GREY, ArmStyle

Values = NDArray[np.float64]

# Such a number is a diverged run in all but name, and matplotlib's limits overflow when they hold it.
TOO_LARGE = 1e100

_CROSS: dict[str, Any] = {"linestyle": "none", "marker": "x", "markersize": 6, "markeredgewidth": 1.8}


def seed_values(values: ArrayLike, points: int, where: str) -> Values:
    """As an array (seeds, points), one row a seed; a single seed may be given as (points,)."""
    try:
        array = np.array(values, dtype=np.float64, ndmin=2)
        shape = str(np.shape(values))
    except (TypeError, ValueError):
        array, shape = np.empty((0, 0, 0)), "rows of different lengths, or no numbers"
    if array.ndim != 2 or array.shape[1] != points or not array.shape[0]:
        raise ValueError(
            f"{where} expects values of shape ({points},), or (seeds, {points}), got {shape}: "
            f"give one row for each seed, with a value for each point"
        )
    large = np.abs(array) > TOO_LARGE
    array[large] = np.copysign(np.inf, array[large])
    return array


def median(values: Values) -> Values:
    """Median over the seeds (axis 0); nan is a missing value, infinity the rank of a diverged run.

    Where half of the seeds have diverged the median is infinite: no curve then, rather than the survivors'
    one.

    Example:
        >>> median(np.array([[0.9, 0.9, np.nan], [0.8, -np.inf, np.nan], [0.7, -np.inf, 0.5]]))
        array([ 0.8, -inf,  0.5])

    """
    ordered = np.sort(values, axis=0)  # nan comes last
    count = np.count_nonzero(~np.isnan(values), axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(values) - 1)[None], axis=0)[0]
    with np.errstate(invalid="ignore"):  # one run at each infinity: there is no middle, and nan says so
        middle: Values = np.where(low == high, low, (low + high) / 2)
    return middle


def finite_range(values: Values) -> tuple[Values, Values]:
    """Smallest and largest finite value over the seeds (axis 0); nan where there is none."""
    finite = np.where(np.isfinite(values), values, np.nan)
    return np.fmin.reduce(finite, axis=0), np.fmax.reduce(finite, axis=0)


def mark_diverged(ax: Axes, x: Values, arms: Sequence[tuple[ArmStyle, Values]]) -> list[Artist]:
    """A cross on the edge of the Axes where a seed becomes infinite; what the legend needs for them.

    x (points,); arms: style and values (seeds, points). Positive infinity lies beyond the upper edge,
    negative infinity beyond the lower one. Each arm has a row of its own, so that none covers another's.
    """
    most, row = 0, 0
    for style, values in arms:
        for upper, beyond in ((True, np.inf), (False, -np.inf)):
            reached = values == beyond
            first = np.argmax(reached, axis=1)[reached.any(axis=1)]
            if first.size:
                counts = np.bincount(first, minlength=x.size)
                crosses(ax, x, counts, style, row=row, upper=upper)
                most, row = max(most, int(counts.max())), row + 1
    return [diverged_key(most)] if row else []


def crosses(
    ax: Axes, x: Values, counts: NDArray[np.int_], style: ArmStyle, *, row: int = 0, upper: bool = False
) -> None:
    """Crosses on the lower (or upper) edge at each x (points,) where counts (points,) isn't 0.

    A count above 1 stands beside its cross. row: how many rows of crosses lie nearer to the edge.
    """
    at, y, inwards = np.flatnonzero(counts), (1.0 if upper else 0.0), (-1 if upper else 1)
    inches = ax.figure.dpi_scale_trans
    edge = blended_transform_factory(ax.transData, ax.transAxes)
    place = edge + ScaledTranslation(0, inwards * (8 + 11 * row) / 72, inches)
    # `Axes.plot` would stretch the y axis to the height of the crosses; an artist leaves the limits alone.
    ax.add_artist(Line2D(x[at], np.full(at.size, y), color=style.color, transform=place, zorder=4, **_CROSS))
    ax.margins(y=0.06 + 0.04 * (row + 1))
    beside = place + ScaledTranslation(5 / 72, 0, inches)
    for i in at[counts[at] > 1]:
        ax.text(x[i], y, str(counts[i]), color=style.color, fontsize="x-small", va="center", transform=beside)


def diverged_key(most: int) -> Line2D:
    """The legend's entry for the crosses; most: the largest of their counts."""
    label = "diverged (number of seeds)" if most > 1 else "diverged"
    return Line2D([], [], color=GREY, label=label, **_CROSS)
