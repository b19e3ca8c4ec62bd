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
from minidl.report.lab.titles import title

Line = tuple[Any, Any]


def figures(result: LabResult) -> dict[str, Figure]:
    """Against the batch size at the end; and over the training."""
    sizes = panels.settings_of(result, "batch_size")
    figure, axes = panels.grid(1, 2, sharey=True)
    found = {size: of_arm(result.records, USUAL, batch_size=size) for size in sizes}
    kinds = {
        "exact": "exact averages (Algorithm 2)", "large batches": "exact, batches of 1,000",
        "own batch": f"own of {OWN} test images", "moving": "moving averages",
        "biased": "moving, biased variance",
    }
    lines = {text: _line(sizes, [found[size] for size in sizes], name) for name, text in kinds.items()}
    _by_size(axes[0, 0], lines, sizes)
    axes[0, 0].set_title(f"{USUAL}, all statistics", fontsize="medium")
    lines = {"exact averages": lines["exact averages (Algorithm 2)"]}
    for arm in map(arm_of, MOMENTA):
        records = [of_arm(result.records, arm, batch_size=size) for size in sizes]
        lines[arm] = _line(sizes, records, "moving")
    _by_size(axes[0, 1], lines, sizes)
    axes[0, 1].set_title("moving averages, all momenta", fontsize="medium")
    end = title(figure, result, "The same networks with several kinds of statistics; median and range")

    figure, axes = panels.grid(1, 2, sharey=True)
    for ax, size in zip(axes[0], (sizes[0], sizes[-1]), strict=True):
        usual = of_arm(result.records, USUAL, batch_size=size)
        lines = {"exact averages": (usual[0].series["steps"], np.array([r.series["exact"] for r in usual]))}
        for arm in map(arm_of, MOMENTA):
            runs = of_arm(result.records, arm, batch_size=size)
            lines[arm] = (runs[0].series["steps"], np.array([r.series["moving"] for r in runs]))
        plots.bands(lines, ax, ylabel="validation accuracy (%)", xscale="log")
        ax.set_title(f"training batches of {size}", fontsize="medium")
    plots.share_legend(figure)
    return {"end": end, "over-the-training": title(figure, result, "Moving averages over the training")}


def _line(sizes: Sequence[int], records: Sequence[Sequence[Record]], name: str) -> Line:
    return sizes, np.array([[r.values[name] for r in of_size] for of_size in records]).T


def _by_size(ax: Axes, lines: dict[str, Line], sizes: Sequence[int]) -> None:
    plots.bands(lines, ax, ylabel="test accuracy (%)", xlabel="batch size in training", xscale="log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set_xticks([], minor=True)
    ax.legend(fontsize="small", loc="best")
