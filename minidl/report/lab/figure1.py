"""Figure 1 of the paper: test accuracy, and the input of one sigmoid without and with BN."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.figure1 import SAME_RATE, UNIT
from minidl.experiments.lab.jobs import PLAIN_PAPER, of_arm
from minidl.report.lab.titles import ARM_NAMES, arms_of, title


def figures(result: LabResult) -> dict[str, Figure]:
    """The panels of the paper at the same learning rate, and accuracy with each arm at its best."""
    return {"figure1": _panels(result), "own-best": _own_best(result)}


def _accuracy(result: LabResult, kind: str, ax: Axes) -> None:
    arms = {}
    for arm in arms_of(result):
        records = of_arm(result.records, arm, kind=kind)
        longest = max((r.series["steps"] for r in records), key=len)
        values = np.full((len(records), len(longest)), -np.inf)     # a lost run ranks last
        for row, r in zip(values, records, strict=True):
            row[: len(r.series["accuracy"])] = r.series["accuracy"]
        init = "" if arm == PLAIN_PAPER else f", {records[0].job.settings['init']}"
        name = f"{ARM_NAMES[arm]}: lr {records[0].job.settings['lr']:g}{init}"
        arms[name] = (np.array(longest), values)
    plots.bands(arms, ax, ylabel="test accuracy (%)", xscale="log")
    ax.set_ylim(0, 100)


def _panels(result: LabResult) -> Figure:
    arms = arms_of(result)
    figure = Figure(figsize=(3.6 * (len(arms) + 1) + 2.4, 4.2), layout="constrained")
    axes = figure.subplots(1, len(arms) + 1)
    _accuracy(result, "same rate", axes[0])
    axes[0].set_title("(a) test accuracy", fontsize="medium")
    reach = 0.0
    for letter, arm, ax in zip("bcd", arms, axes[1:], strict=False):
        record = of_arm(result.records, arm, kind="same rate")[0]
        unit, medians = np.array(record.series["unit"]), np.array(record.series["medians"])
        others = np.repeat(np.delete(medians, UNIT, axis=1).T[:, :, None], 3, axis=2)
        plots.percentiles(record.series["steps"], unit, others, ax, activation="sigmoid", xscale="log")
        ax.set_title(f"({letter}) one sigmoid: {ARM_NAMES[arm]}", fontsize="medium")
        reach = max(reach, float(np.nanmax(np.abs(unit))), float(np.nanpercentile(np.abs(medians), 99)))
    for ax in axes[1:]:
        ax.set_ylim(-1.05 * reach, 1.05 * reach)
    for ax in axes[2:]:
        ax.set_ylabel("")
    plots.share_legend(figure)
    return title(
        figure, result,
        f"The paper's Figure 1: lr {SAME_RATE:g} in all arms; unit {UNIT} of the last hidden layer, seed 0",
    )


def _own_best(result: LabResult) -> Figure:
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    _accuracy(result, "own best", figure.subplots())
    return title(figure, result, "Each arm at its own best learning rate and initial weights")
