"""Placement: accuracy before and after the activation, and what the next layer receives."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.placement import ACTIVATIONS, MODELS
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Accuracy, and the distributions received: a panel for each network and activation."""
    found = {}
    for name, value, label, text in (
        ("accuracy", "test", "test accuracy (%)", "Test accuracy with BN before and after the activation"),
        ("drift", "drift", "drift of the next layer's input", "Drift of what the next layer receives, in units of its spread"),
    ):
        figure, axes = panels.grid(len(MODELS), len(ACTIVATIONS))
        for i, model in enumerate(MODELS):
            for j, activation in enumerate(ACTIVATIONS):
                panels.by_arm(
                    result, axes[i, j], lambda r, value=value: r.values[value], label if j == 0 else "",
                    model=model, activation=activation,
                )
                axes[i, j].set_title(f"{model.upper()}, {activation}", fontsize="medium")
        found[name] = title(figure, result, text)
    return found
