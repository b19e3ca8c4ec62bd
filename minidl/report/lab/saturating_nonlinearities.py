"""Saturating nonlinearities: accuracy against depth for each activation."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.saturating_nonlinearities import ACTIVATIONS
from minidl.report.lab import panels
from minidl.report.lab.titles import title

NAMES = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU"}


def figures(result: LabResult) -> dict[str, Figure]:
    """One panel an activation."""
    figure, axes = panels.grid(1, len(ACTIVATIONS), sharey=True)
    for ax, activation in zip(axes[0], ACTIVATIONS, strict=True):
        labels = ("hidden layers", "test accuracy (%)" if ax is axes[0, 0] else "")
        panels.against(result, ax, "test", "depth", labels, activation=activation)
        ax.set_title(NAMES[activation], fontsize="medium")
        ax.set_ylim(0, 100)
    plots.share_legend(figure)
    return {"depth": title(figure, result, "Test accuracy against depth, each arm tuned at each point")}
