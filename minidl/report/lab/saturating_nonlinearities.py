"""Saturating nonlinearities: accuracy against depth for each activation."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.saturating_nonlinearities import ACTIVATIONS
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """One panel an activation."""
    figure, axes = panels.grid(1, len(ACTIVATIONS), sharey=True)
    for ax, activation in zip(axes[0], ACTIVATIONS, strict=True):
        panels.against(result, ax, "test", "depth", ("hidden layers", "test accuracy (%)"), activation=activation)
        ax.set_title(activation)
        ax.set_ylim(0, 100)
    plots.share_legend(figure)
    return {"depth": title(figure, result, "Test accuracy against depth, each arm tuned at each point")}
