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
    figure, axes = panels.grid(1, len(ACTIVATIONS))
    for ax, activation in zip(axes[0], ACTIVATIONS, strict=True):
        labels = ("hidden layers", "test accuracy (%)" if ax is axes[0, 0] else "")
        panels.against(result, ax, "test", "depth", labels, activation=activation)
        ax.set_title(NAMES[activation], fontsize="medium")
    plots.share_legend(figure)
    # On one scale that reaches down to guessing, arms that all train would lie on top of each other.
    text = "Test accuracy against depth, each arm tuned at each point; each panel has its own scale"
    return {"depth": title(figure, result, text)}
