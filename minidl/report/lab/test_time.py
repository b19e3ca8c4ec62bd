"""Test time: moving averages against exact ones, over the training and at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import Record, of_arm
from minidl.experiments.lab.test_time import MOMENTA, OWN, USUAL, arm_of
from minidl.report.lab import panels
from minidl.report.lab.axes import ticks_at
from minidl.report.lab.titles import title

Line = tuple[Any, Any]
EXACT = "exact averages (Algorithm 2)"


def figures(result: LabResult) -> dict[str, Figure]:
    """Against the batch size at the end; and over the training."""
    sizes = panels.settings_of(result, "batch_size")
    return {"end": _end(result, sizes), "over-the-training": _over_the_training(result, sizes)}


def _end(result: LabResult, sizes: Sequence[int]) -> Figure:
    figure, axes = panels.grid(2, 2, sharex=True, sharey="row")
    found = {size: of_arm(result.records, USUAL, batch_size=size) for size in sizes}
    kinds = {
        "exact": EXACT, "large batches": "exact, batches of 1,000", "own batch": f"own of {OWN} test images",
        "moving": "moving averages", "biased": "moving, biased variance",
    }
    statistics = {text: _line(sizes, [found[size] for size in sizes], name) for name, text in kinds.items()}
    momenta = {EXACT: statistics[EXACT]}
    for arm in map(arm_of, MOMENTA):
        records = [of_arm(result.records, arm, batch_size=size) for size in sizes]
        momenta[arm] = _line(sizes, records, "moving")
    texts = f"{USUAL}, all statistics", "moving averages, all momenta"
    for (above, below), lines, text in zip(axes.T, (statistics, momenta), texts, strict=True):
        _by_size(above, lines, sizes, "test accuracy (%)")
        above.set_title(text, fontsize="medium")
        above.set_xlabel("")
        # All arms train the same networks: with BN's statistics alone different, seeds can be subtracted.
        exact = lines[EXACT][1]
        differences = {name: (sizes, values - exact) for name, (_, values) in lines.items()}
        _by_size(below, differences, sizes, "minus that with exact\naverages (points)")
        below.set_yscale("symlog", linthresh=1.0, linscale=0.6)
        ticks_at(below.yaxis, (-10, -5, -2, -1, 0, 1, 2, 5, 10))
    for ax in axes[:, 1]:
        ax.set_ylabel("")
    for ax in axes[1]:
        ax.get_legend().remove()
    return title(figure, result, "The same networks with several kinds of statistics; median and range")


def _over_the_training(result: LabResult, sizes: Sequence[int]) -> Figure:
    figure, axes = panels.grid(1, 2, sharey=True)
    for ax, size in zip(axes[0], (sizes[0], sizes[-1]), strict=True):
        usual = of_arm(result.records, USUAL, batch_size=size)
        lines = {EXACT: (usual[0].series["steps"], np.array([r.series["exact"] for r in usual]))}
        for arm in map(arm_of, MOMENTA):
            runs = of_arm(result.records, arm, batch_size=size)
            lines[arm] = (runs[0].series["steps"], np.array([r.series["moving"] for r in runs]))
        plots.bands(lines, ax, ylabel="validation accuracy (%)", xscale="log")
        ax.set_title(f"training batches of {size}", fontsize="medium")
    axes[0, 1].set_ylabel("")
    plots.share_legend(figure)
    return title(figure, result, "Moving averages over the training")


def _line(sizes: Sequence[int], records: Sequence[Sequence[Record]], name: str) -> Line:
    return sizes, np.array([[r.values[name] for r in of_size] for of_size in records]).T


def _by_size(ax: Axes, lines: dict[str, Line], sizes: Sequence[int], label: str) -> None:
    plots.bands(lines, ax, ylabel=label, xlabel="batch size in training", xscale="log")
    ticks_at(ax.xaxis, sizes)
    ax.legend(fontsize="small", loc="best")
