"""Accuracy against the learning rate: which arm survives which rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray

from minidl.plots.axes import axes_or_new, dress, legend_beside, percent_axis
from minidl.plots.seeds import Values, crosses, diverged_key, median, seed_values
from minidl.plots.style import GREY, arm_style


def sweep(
    rates: ArrayLike, accuracies: Mapping[str, ArrayLike], ax: Axes | None = None, *, chance: float = 0.1
) -> Axes:
    """Final accuracy (in per cent) against the learning rate: medians as a line, every seed as a faint point.

    A value that isn't finite is a diverged run: it ranks last in the median, and a cross on the lower edge
    counts it. At each rate the arms stand side by side, so that none covers another.

    Args:
        rates: learning rates (L,), above 0.
        accuracies: arm -> shares from 0 to 1, (L, S) for S seeds.
        ax: where to draw; None makes a figure.
        chance: accuracy of guessing, 1 / number of classes.

    Raises:
        ValueError: no arm, a rate that isn't above 0, or shapes that don't fit.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure(layout="constrained").subplots()
        >>> ax = sweep([0.1, 0.5], {"plain": [[0.91, 0.92, 0.9], [0.94, 0.1, 0.95]]}, ax)
        >>> ax.get_lines()[0].get_ydata().tolist(), ax.get_xlabel()
        ([0.91, 0.94], 'learning rate')

    """
    given = np.asarray(rates, dtype=np.float64)
    if given.ndim != 1 or not given.size or not (np.isfinite(given) & (given > 0)).all():
        raise ValueError(f"sweep expects learning rates (L,), above 0 and at least one, got {rates!r}")
    if not accuracies:
        raise ValueError("sweep expects at least one arm, got none: give {arm: accuracies (L, S)}")
    order = np.argsort(given)
    at = given[order]
    arms = {arm: _by_seed(arm, values, at.size)[:, order] for arm, values in accuracies.items()}
    ax = axes_or_new(ax)
    dress(ax)
    _rate_axis(ax, at)
    percent_axis(ax, "final accuracy")
    most = _draw_arms(ax, at, arms)
    ax.axhline(chance, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), label="chance")
    legend_beside(ax, _note([len(seeds) for seeds in arms.values()]), [diverged_key(most)] if most else [])
    return ax


def _by_seed(arm: str, values: ArrayLike, rates: int) -> Values:
    """Accuracies (S, L), minus infinity for a diverged run."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[0] != rates or not array.shape[1]:
        raise ValueError(
            f"sweep: arm {arm!r} expects accuracies ({rates}, seeds), got shape {array.shape}: "
            f"give one row for each rate"
        )
    seeds = seed_values(array.T, rates, f"sweep: arm {arm!r}")
    return np.where(np.isfinite(seeds), seeds, -np.inf)


def _draw_arms(ax: Axes, at: Values, arms: Mapping[str, Values]) -> int:
    """Draw all arms; the largest number of runs that diverged together."""
    # Side by side, yet far nearer to their own rate than to the next.
    ratio = np.exp(0.07 * np.diff(np.log(np.unique(at))).min(initial=1.0))
    most, row = 0, 0
    for number, (arm, seeds) in enumerate(arms.items()):
        style, x = arm_style(number), at * ratio ** (number - (len(arms) - 1) / 2)
        middle = median(seeds)
        line = {**style.line(1), "markersize": 5.5}
        ax.plot(x, np.where(np.isfinite(middle), middle, np.nan), **line, label=arm)
        for i, seed in enumerate(seeds):
            finite = np.where(np.isfinite(seed), seed, np.nan)
            faint: dict[str, Any] = {"s": 16, "color": style.color, "alpha": 0.35, "linewidths": 0}
            ax.scatter(x, finite, **faint, label=f"_{arm}, seed {i}")
        counts: NDArray[np.int_] = np.count_nonzero(np.isinf(seeds), axis=0)
        if counts.any():
            crosses(ax, x, counts, style, row=row)
            most, row = max(most, int(counts.max())), row + 1
    return most


def _note(seeds: list[int]) -> str | None:
    if max(seeds) == 1:
        return None
    number = f"{max(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
    return f"median of {number} seeds,\neach a faint point"


def _rate_axis(ax: Axes, rates: Values) -> None:
    ax.set_xscale("log")
    ax.set_xlabel("learning rate")
    if rates.size < 9:
        ax.xaxis.set_major_locator(FixedLocator(list(np.unique(rates))))
        ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.update_datalim([(rates[0], 0), (rates[-1], 0)], updatey=False)
