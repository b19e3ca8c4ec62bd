"""The figures of a comparison: learning curves, accuracy against learning rate, saturation, percentiles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.engine.array import Array
from minidl.experiments import Comparison, RunResult
from minidl.instruments import Saturation

DIVERGING = 1e4     # an input to an activation beyond this is on its way to infinity


def comparison_figures(comparison: Comparison) -> dict[str, Figure]:
    """All figures of a comparison, by the names of their files.

    Those of saturation and percentiles are left out where nothing was measured.
    """
    figures = {"curves": _curves(comparison), "learning-rates": _learning_rates(comparison)}
    if any(m.saturation for r in comparison.results for m in r.measurements):
        figures["saturation"] = _grid_of_runs(
            comparison, "Saturated sigmoids by layer", _draw_saturation, share_y="all"
        )
    if any(r.measurements for r in comparison.results):
        seed = comparison.results[0].config.seed
        one_seed = replace(
            comparison, results=tuple(r for r in comparison.results if r.config.seed == seed)
        )
        title = f"Input to unit 0 of the last hidden layer, seed {seed}"
        figures["percentiles"] = _grid_of_runs(one_seed, title, _draw_percentiles, share_y="row")
    return figures


def headline(comparison: Comparison) -> str:
    """Network and data of a comparison, for titles: "MLP, sigmoid, on MNIST"; and if it isn't all there."""
    result = comparison.results[0]
    return f"{result.config.network}, on {result.data}{', interrupted' * comparison.interrupted}"


def _curves(comparison: Comparison) -> Figure:
    rates = comparison.rates
    columns = min(2, len(rates))
    rows = math.ceil(len(rates) / columns)
    figure = Figure(figsize=(max(8.5, 5.2 * columns + 1.6), 3.4 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    steps = sorted({m.step for r in comparison.results for m in r.measurements})
    for ax, lr in zip(axes.flat, rates, strict=False):
        # Every arm is drawn, also one that diverged at once: an arm keeps its colour, and gets its cross.
        arms = {arm: _accuracies(comparison.runs(arm, lr), steps or [1]) for arm in comparison.arms}
        plots.bands(arms, ax, ylabel="validation accuracy (%)", xscale="log")
        ax.set_title(f"learning rate {lr:g}")
        ax.set_ylim(0, 100)
    for ax in list(axes.flat)[len(rates) :]:
        ax.remove()
    plots.share_legend(figure)
    figure.suptitle(f"With and without batch normalization\n{headline(comparison)}")
    return figure


def _accuracies(runs: list[RunResult], steps: list[int]) -> tuple[Array, Array]:
    """Steps (T,) and accuracies in per cent (S, T); what a diverged run never reached is -infinity."""
    values = np.full((max(1, len(runs)), len(steps)), -np.inf)
    for row, r in zip(values, runs, strict=False):
        for m in r.measurements:
            row[steps.index(m.step)] = 100 * m.accuracy
    return np.array(steps), values


def _learning_rates(comparison: Comparison) -> Figure:
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    ax = figure.subplots()
    rates = comparison.rates
    seeds = max(len(comparison.runs(arm, lr)) for arm in comparison.arms for lr in rates)
    accuracies = {arm: np.full((len(rates), seeds), np.nan) for arm in comparison.arms}
    for arm, values in accuracies.items():
        for row, lr in zip(values, rates, strict=True):
            for i, r in enumerate(comparison.runs(arm, lr)):
                row[i] = r.test_accuracy if r.outcome != "non-finite" else np.nan
    plots.sweep(rates, accuracies, ax)
    steps = comparison.results[0].config.steps
    figure.suptitle(f"Test accuracy after {steps:,} steps: {headline(comparison)}")
    return figure


def _grid_of_runs(
    comparison: Comparison,
    title: str,
    draw: Callable[[list[RunResult], Axes], None],
    share_y: Literal["all", "row"],
) -> Figure:
    """One panel for each learning rate (rows) and arm (columns), drawn from the arm's runs there."""
    arms, rates = comparison.arms, comparison.rates
    figure = Figure(figsize=(3.9 * len(arms) + 1.4, 2.5 * len(rates) + 0.8), layout="constrained")
    axes = figure.subplots(len(rates), len(arms), squeeze=False, sharex=True, sharey=share_y)
    for i, lr in enumerate(rates):
        for j, arm in enumerate(arms):
            ax = axes[i, j]
            runs = [r for r in comparison.runs(arm, lr) if r.measurements]
            if runs:
                draw(runs, ax)
            else:
                ax.text(
                    0.5, 0.5, "diverged before the first measurement", ha="center", transform=ax.transAxes
                )
            ax.set_title(f"{arm}; lr {lr:g}", fontsize="medium")
    # One label a column and a row is enough; a panel of runs that diverged at once has none to give.
    for column in axes.T:
        for ax in [ax for ax in column if ax.get_xlabel()][:-1]:
            ax.set_xlabel("")
    for row in axes:
        for ax in [ax for ax in row if ax.get_ylabel()][1:]:
            ax.set_ylabel("")
    plots.share_legend(figure)
    figure.suptitle(f"{title}\n{headline(comparison)}")
    return figure


def _draw_saturation(runs: list[RunResult], ax: Axes) -> None:
    longest = max((r.measurements for r in runs), key=len)

    def shares(layer: int, of: Callable[[Saturation], float]) -> Array:
        """(S, T); NaN where a run has ended."""
        values = np.full((len(runs), len(longest)), np.nan)
        for row, r in zip(values, runs, strict=True):
            row[: len(r.measurements)] = [of(m.saturation[layer]) for m in r.measurements]
        return values

    names = {f"hidden layer {i + 1}": i for i in range(len(longest[0].saturation))}
    plots.saturation(
        [m.step for m in longest],
        {name: shares(i, lambda s: s.saturated) for name, i in names.items()},
        {name: shares(i, lambda s: s.dead) for name, i in names.items()},
        ax,
        xscale="log",
    )


def _draw_percentiles(runs: list[RunResult], ax: Axes) -> None:
    (run,) = runs
    values = np.array([m.percentiles for m in run.measurements])
    values[np.abs(values) > DIVERGING] = np.nan     # one such panel would flatten all others of its row
    plots.percentiles(
        [m.step for m in run.measurements],
        values,
        ax=ax,
        activation=run.config.activation,
        xscale="log",
    )
