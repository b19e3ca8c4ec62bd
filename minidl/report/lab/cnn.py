"""Convolutional networks: accuracy of the three arms, and on shifted images."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.cnn import ARMS, SHIFTS
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Two panels."""
    figure, axes = panels.grid(1, 2)
    panels.by_arm(result, axes[0, 0], lambda r: r.values["test"], "test accuracy (%), each point a seed")
    axes[0, 0].set_xticks(range(len(ARMS)), [arm.replace("BN ", "BN\n", 1) for arm in ARMS])
    names = ("test", *(f"shifted by {shift}" for shift in SHIFTS))
    lines = {
        arm: ((0, *SHIFTS), [[r.values[name] for name in names] for r in of_arm(result.records, arm)])
        for arm in ARMS
    }
    label = "shift of the test images (pixels)"
    plots.bands(lines, axes[0, 1], ylabel="test accuracy (%)", xlabel=label, xscale="linear")
    axes[0, 1].set_xticks((0, *SHIFTS))
    text = "One gamma and beta for each map, for each activation, or no BN at all"
    return {"cnn": title(figure, result, text)}
