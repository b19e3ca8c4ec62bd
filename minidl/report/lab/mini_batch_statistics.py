"""Mini-batch statistics: their noise, accuracy against the batch, companions, and detached statistics."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.experiments.lab.mini_batch_statistics import BATCH, DETACHED, LAYERS, PAPER_BATCH
from minidl.report.lab import panels
from minidl.report.lab.axes import plain_log, series, ticks_at, value
from minidl.report.lab.titles import title

KINDS = (BATCH, DETACHED)
NOTHING = 1e-4      # noise up to which it is rounding


def figures(result: LabResult) -> dict[str, Figure]:
    """Against the batch size; and the two arms at the paper's."""
    return {"batch-size": _against_size(result), "detached": _detached(result)}


def _against_size(result: LabResult) -> Figure:
    figure, axes = panels.grid(2, 2)
    for ax, statistic in zip(axes[0], ("mean", "std"), strict=True):
        names = {f"noise of {statistic}, layer {i}": f"layer {i}" for i in range(1, LAYERS + 1)}
        _by_size(result, ax, names, f"noise of a batch's {statistic}\n(units of the spread)", NOTHING)
    if any(r.values["noise of mean, layer 2"] < NOTHING for r in of_arm(result.records, BATCH)):
        note = "layers 2 and 3, m = 2: 0, as after BN\nall pairs have the same mean"
        axes[0, 0].text(0.02, 0.03, note, transform=axes[0, 0].transAxes, fontsize="small")
    sizes = sorted({r.job.settings["batch_size"] for r in of_arm(result.records, BATCH)})
    for ax, factor, text in zip(axes[0], (1, 2), ("1/\u221am", "1/\u221a(2m)"), strict=True):
        line = 1 / np.sqrt(factor * np.array(sizes))
        ax.plot(sizes, line, ":", color=plots.style.BLACK, label=text, linewidth=2, zorder=4)
        ax.set_ylim(2e-3, 1.2)
        plain_log(ax)
        ax.legend(fontsize="small", loc="best")
    names = {"test": "population statistics", "own batch": "the test batch's own"}
    _by_size(result, axes[1, 0], names, "test accuracy (%)")
    axes[1, 0].legend(fontsize="small", loc="best")
    names = {"companions": "statistics of the batch"}
    _by_size(result, axes[1, 1], names, "predictions that depend\non the companions (%)")
    axes[1, 1].legend(fontsize="small", loc="upper right")
    return title(figure, result, "Batch statistics against the batch size, at equal numbers of examples; "
                 "median and range")


def _by_size(
    result: LabResult, ax: Axes, names: dict[str, str], label: str, least: float = -np.inf
) -> Axes:
    """Numbers of the arm with batch statistics against the batch size, one line each; gaps up to `least`."""
    sizes = sorted({r.job.settings["batch_size"] for r in of_arm(result.records, BATCH)})
    lines = {}
    for name, text in names.items():
        columns = [[r.values[name] for r in of_arm(result.records, BATCH, batch_size=size)] for size in sizes]
        values = np.array(columns).T
        lines[text] = (sizes, np.where(values > least, values, np.nan))
    ax = plots.bands(lines, ax, ylabel=label, xlabel="batch size m", xscale="log")
    ticks_at(ax.xaxis, sizes)
    return ax


def _detached(result: LabResult) -> Figure:
    figure, axes = panels.grid(2, 2)
    for ax, name, label in zip(
        axes[:, 0], ("test", "milliseconds a step"), ("test accuracy (%)", "a training step (ms)"),
        strict=True,
    ):
        panels.by_arm(result, ax, value(name), label, arms=KINDS, batch_size=PAPER_BATCH)
    axes[1, 0].set_ylim(bottom=0)
    for ax, name, label in zip(
        axes[:, 1], ("loss", "bias"), ("training loss (nats)", "largest |bias| in front of BN"), strict=True
    ):
        panels.over_steps(result, ax, series(name), label, arms=KINDS, batch_size=PAPER_BATCH)
    for ax in axes[:, 1]:
        plain_log(ax)
    plots.share_legend(figure)
    text = f"Statistics of the batch of {PAPER_BATCH}, in the gradient, and of the training set, detached"
    return title(figure, result, text)
