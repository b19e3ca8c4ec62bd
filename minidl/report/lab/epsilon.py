"""Epsilon: accuracy, how large a normalised pixel becomes, and how BN enlarges the gradient."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.epsilon import SPREADS, VALUES, WITHOUT, arm_of
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.report.lab import panels
from minidl.report.lab.axes import plain_log
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """All three against epsilon."""
    figure, axes = panels.grid(1, 3)
    _against_epsilon(result, axes[0, 0], {"test": ""}, "test accuracy (%)")
    lost = np.median([r.values["test"] for r in of_arm(result.records, arm_of(WITHOUT))])
    note = f"without any epsilon: {lost:.3g} % (0/0)"
    axes[0, 0].text(0.98, 0.03, note, transform=axes[0, 0].transAxes, fontsize="small", ha="right")
    names = {"largest normalised pixel": ""}
    _against_epsilon(result, axes[0, 1], names, "largest |normalised pixel| of the test images")
    names = {f"gradient gain, spread {spread:g}": f"{spread:g}" for spread in SPREADS}
    _against_epsilon(result, axes[0, 2], names, "|gradient below BN| / |gradient above it|")
    axes[0, 2].legend(title="standard deviation\nof the feature", fontsize="small", title_fontsize="small")
    for ax in axes[0, 1:]:
        plain_log(ax)
    for ax, text in zip(axes[0], ("BN on raw pixels", "BN on raw pixels", "made-up features"), strict=True):
        ax.set_title(text, fontsize="medium")
    text = "Epsilon on constant and nearly constant features; median and range"
    return {"epsilon": title(figure, result, text)}


def _against_epsilon(result: LabResult, ax: Axes, names: dict[str, str], label: str) -> None:
    lines = {}
    for name, text in names.items():
        columns = [[r.values[name] for r in of_arm(result.records, arm_of(eps))] for eps in VALUES]
        lines[text] = (VALUES, np.array(columns).T)
    plots.bands(lines, ax, ylabel=label, xlabel="epsilon", xscale="log")
    ax.set_xticks(VALUES, [f"{eps:g}" for eps in VALUES], fontsize="small")
    ax.set_xticks([], minor=True)
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()
