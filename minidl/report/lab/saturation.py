"""Saturation: inputs, saturated shares, slopes and gradients over the training; histograms; depth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import Record, of_arm
from minidl.experiments.lab.saturation import BINS, MAIN_DEPTH
from minidl.plots.axes import dress, legend_beside
from minidl.plots.style import arm_style
from minidl.report.lab import panels
from minidl.report.lab.axes import by_layer, plain_log, ticks_at
from minidl.report.lab.titles import ARM_NAMES, arms_of, name_of, title


def figures(result: LabResult) -> dict[str, Figure]:
    """Over the training; against the loss; histograms of x; layer by layer; against depth."""
    return {
        "over-the-training": _over_steps(result), "against-loss": _against_loss(result),
        "histograms": _histograms(result), "layers": _layers(result), "depth": _depth(result),
    }


def _means(name: str, factor: float = 1.0) -> Callable[[Record], list[float]]:
    """The mean over the layers, at each measurement."""
    return lambda record: [factor * float(np.mean(layers)) for layers in record.series[name]]


def _saturated(record: Record) -> list[float]:
    both = zip(_means("dead", 100)(record), _means("deciding", 100)(record), strict=True)
    return [dead + deciding for dead, deciding in both]


def _over_steps(result: LabResult) -> Figure:
    figure, axes = panels.grid(2, 3)
    for ax, (name, label, factor) in zip(axes.flat, (
        ("median", "median of |x|", 1), ("p95", "95th percentile of |x|", 1),
        ("slope", "mean derivative of the sigmoids", 1), ("dead", "dead sigmoids (%)", 100),
        ("deciding", "saturated, deciding (%)", 100), ("gradient", "norm of the weights' gradient", 1),
    ), strict=True):
        panels.over_steps(result, ax, _means(name, factor), label, depth=MAIN_DEPTH)
    plain_log(axes[1, 2])
    plots.share_legend(figure)
    text = f"Inputs of the sigmoids, {MAIN_DEPTH} hidden layers, mean over the layers; each arm tuned"
    return title(figure, result, text)


def _against_loss(result: LabResult) -> Figure:
    figure, axes = panels.grid(1, 3)
    for ax, (of, label) in zip(axes[0, :2], (
        (_saturated, "saturated sigmoids (%)"), (_means("slope"), "mean derivative of the sigmoids"),
    ), strict=True):
        for i, record, name in _runs(result):
            style = arm_style(i)
            ax.plot(
                record.series["loss"], of(record), color=style.color, linestyle=style.linestyle,
                marker=style.marker, markersize=2.5, alpha=0.5, linewidth=0.9, label=name,
            )
        plain_log(ax, "x").invert_xaxis()
        ax.set_xlabel("training loss on the probe (nats), falling")
        ax.set_ylabel(label)
        dress(ax)
    _speed(result, axes[0, 2])
    legend_beside(axes[0, 0], "each line a seed")
    plots.share_legend(figure)
    text = f"At equal training loss, {MAIN_DEPTH} hidden layers, each arm tuned; and how fast the loss falls"
    return title(figure, result, text)


def _speed(result: LabResult, ax: Axes) -> None:
    """How fast the loss falls between two measurements, against the mean derivative at the first of them."""
    for i, record, _ in _runs(result):
        rates = -np.diff(record.series["loss"]) / np.diff(record.series["steps"])
        slopes = np.array(_means("slope")(record)[:-1])
        style, falls = arm_style(i), rates > 0
        look: dict[str, Any] = {"color": style.color, "markersize": 4, "alpha": 0.6, "linestyle": "none"}
        ax.plot(slopes[falls], rates[falls], style.marker, **look)
    plain_log(ax)
    ax.set_xlabel("mean derivative of the sigmoids")
    ax.set_ylabel("fall of the training loss per step (nats)\nwhere it falls")
    dress(ax)


def _runs(result: LabResult) -> list[tuple[int, Record, str | None]]:
    """Number of the arm, record, and label for the legend, at the first seed of each arm."""
    return [
        (i, record, None if j else ARM_NAMES[arm])
        for i, arm in enumerate(arms_of(result))
        for j, record in enumerate(of_arm(result.records, arm, depth=MAIN_DEPTH))
    ]


def _histograms(result: LabResult) -> Figure:
    arms = arms_of(result)
    figure, axes = panels.grid(1, len(arms))
    for ax, arm in zip(axes[0], arms, strict=True):
        shares = of_arm(result.records, arm, depth=MAIN_DEPTH)[0].series["histogram"]
        layers = range(1, len(shares) + 1)
        plots.ridgeline(
            BINS, shares, layers, ax, xlabel="input x of the sigmoids", ylabel="hidden layer", sigmoid=True
        )
        ax.set_title(ARM_NAMES[arm], fontsize="medium")
    return title(figure, result, (
        f"Inputs of the sigmoids at the end, {MAIN_DEPTH} hidden layers, seed 0; "
        "the outermost bins hold what lies beyond them, too"
    ))


def _layers(result: LabResult) -> Figure:
    figure, axes = panels.grid(2, 2)
    for row, depth in zip(axes, (MAIN_DEPTH, max(panels.settings_of(result, "depth"))), strict=True):
        by_layer(result, row[0], _last("slope"), "mean derivative of the sigmoids", depth=depth)
        norms = {
            name_of(result, arm): [_last("gradient")(r) for r in of_arm(result.records, arm, depth=depth)]
            for arm in arms_of(result)
        }
        layers = len(next(iter(norms.values()))[0])
        plots.gradient_flow([str(layer) for layer in range(1, layers + 1)], norms, row[1])
        for ax in row:
            ax.set_title(f"{depth} hidden layers", fontsize="medium")
    plots.share_legend(figure)
    text = "Layer by layer at the end, each arm tuned: slopes, and how much gradient arrives"
    return title(figure, result, text)


def _last(name: str) -> Callable[[Record], Any]:
    return lambda record: record.series[name][-1]


def _depth(result: LabResult) -> Figure:
    figure, axes = panels.grid(1, 3)
    panels.against(result, axes[0, 0], "test", "depth", ("hidden layers", "test accuracy (%)"))
    depths = panels.settings_of(result, "depth")
    for ax, (of, label) in zip(axes[0, 1:], (
        (_means("dead", 100), "dead sigmoids (%)"), (_means("slope"), "mean derivative of the sigmoids"),
    ), strict=True):
        lines = {}
        for arm in arms_of(result):
            columns = [[of(r)[-1] for r in of_arm(result.records, arm, depth=depth)] for depth in depths]
            values = np.full((max(map(len, columns)), len(depths)), np.nan)
            for i, column in enumerate(columns):
                values[: len(column), i] = column
            lines[name_of(result, arm)] = (depths, values)
        plots.bands(lines, ax, ylabel=label, xlabel="hidden layers", xscale="linear")
        ticks_at(ax.xaxis, depths)
    plots.share_legend(figure)
    return title(figure, result, "The same against depth, at the end, each arm tuned at each depth")
