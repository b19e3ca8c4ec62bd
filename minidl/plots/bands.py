"""Curves over the training, one an arm: the median of its seeds as a line, their range as a band."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from minidl.plots.axes import Scale, axes_or_new, dress, legend_beside, step_axis
from minidl.plots.seeds import Values, finite_range, mark_diverged, median, seed_values
from minidl.plots.style import ArmStyle, arm_style


def bands(
    arms: Mapping[str, tuple[ArrayLike, ArrayLike]],
    ax: Axes | None = None,
    *,
    ylabel: str,
    xlabel: str = "training step",
    xscale: Scale | None = None,
) -> Axes:
    """Any quantity over the training: an arm's median as a line, its smallest to largest seed as a band.

    A nan is a missing value: it leaves a gap. An infinite value is a diverged run: it keeps its rank in the
    median, and a cross on the edge of the Axes shows where it left.

    Args:
        arms: label -> (steps (T,), values (S, T) of S seeds, or (T,) of one).
        ax: where to draw; None makes a figure.
        ylabel: what the values are, with their unit.
        xlabel: what the steps are.
        xscale: "log", "linear", or None to choose by the spacing of the steps.

    Raises:
        ValueError: no arm, or steps and values that don't fit.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure(layout="constrained").subplots()
        >>> ax = bands({"BN": ([1, 10, 100], [[2.3, 0.9, 0.3], [2.3, 0.8, 0.2]])}, ax, ylabel="loss (nats)")
        >>> ax.get_xscale(), ax.get_lines()[0].get_ydata().round(2).tolist()
        ('log', [2.3, 0.85, 0.25])

    """
    if not arms:
        raise ValueError("bands expects at least one arm, got none: give {label: (steps, values)}")
    checked = {label: _checked(label, *arm) for label, arm in arms.items()}
    steps = np.unique(np.concatenate([steps for steps, _ in checked.values()]))
    ax = axes_or_new(ax)
    dress(ax)
    step_axis(ax, steps, xscale, xlabel)
    ax.set_ylabel(ylabel)
    styled = []
    for number, (label, (at, values)) in enumerate(checked.items()):
        draw_band(ax, at, values, arm_style(number), label)
        styled.append((arm_style(number), spread(at, values, steps)))
    crosses = mark_diverged(ax, steps, styled)
    legend_beside(ax, seeds_note(len(values) for _, values in checked.values()), crosses)
    return ax


def draw_band(ax: Axes, steps: Values, values: Values, style: ArmStyle, label: str) -> None:
    """Line of the medians and band of the range of values (seeds, T); gaps where nothing is finite."""
    middle = median(values)
    ax.plot(steps, np.where(np.isfinite(middle), middle, np.nan), **style.line(len(steps)), label=label)
    if len(values) > 1:
        low, high = finite_range(values)
        name = f"_{label}, range"       # underscore: not in the legend
        ax.fill_between(steps, low, high, color=style.color, alpha=0.15, linewidth=0, label=name)


def spread(at: ArrayLike, values: Values, steps: Values) -> Values:
    """Values (seeds, points) at some of the steps, spread over all of them (seeds, steps), nan elsewhere."""
    wide = np.full((len(values), steps.size), np.nan)
    wide[:, np.searchsorted(steps, at)] = values
    return wide


def seeds_note(counts: Iterable[int]) -> str | None:
    """What line and band are, and of how many seeds; None for single runs."""
    fewest, most = min(counts := list(counts)), max(counts)
    if most == 1:
        return None
    return f"median and range\nof {most if fewest == most else f'{fewest} to {most}'} seeds"


def _checked(label: str, steps: ArrayLike, values: ArrayLike) -> tuple[Values, Values]:
    at = np.asarray(steps, dtype=np.float64)
    if at.ndim != 1 or not at.size or not np.isfinite(at).all():
        raise ValueError(f"bands: arm {label!r} expects finite steps (T,), at least one, got {at.shape}")
    return at, seed_values(values, at.size, f"bands: arm {label!r}")
