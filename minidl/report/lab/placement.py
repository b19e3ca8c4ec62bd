"""Placement: accuracy before and after the activation, and what the next layer receives."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import Record
from minidl.experiments.lab.placement import ACTIVATIONS, MODELS
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Accuracy, and what is received: a panel for each network and activation, each seed a point."""
    accuracy = _panels(result, {model: (model, "test", "test accuracy (%)") for model in MODELS}, False)
    label = "drift of the next layer's\ninput (units of its spread)"
    drift = _panels(result, {model: (model, "drift", label) for model in MODELS}, True)
    received = _panels(result, {
        "mean": ("mlp", "|mean| received", "|mean| of the next\nlayer's input"),
        "std": ("mlp", "std received", "standard deviation of\nthe next layer's input"),
    }, False)
    for ax in received.axes:
        ax.set_ylim(bottom=0)
    return {
        "accuracy": title(accuracy, result, "Test accuracy with BN before and after the activation"),
        "drift": title(drift, result, "Drift of what the next layer receives, over the whole training"),
        "received": title(received, result, "What the next layer of the MLP receives in the end"),
    }


def _panels(result: LabResult, rows: dict[str, tuple[str, str, str]], logarithmic: bool) -> Figure:
    """A row of panels for each (model, value, label), a column for each activation; a row shares its axis."""
    figure, axes = panels.grid(len(rows), len(ACTIVATIONS), sharey="row")
    for i, (model, value, label) in enumerate(rows.values()):
        for j, activation in enumerate(ACTIVATIONS):
            ax = axes[i, j]

            def of(record: Record, value: str = value) -> float:
                return record.values[value]

            panels.by_arm(result, ax, of, label if j == 0 else "", model=model, activation=activation)
            ax.set_title(f"{model.upper()}, {activation}", fontsize="medium")
            if logarithmic:
                ax.set_yscale("log")
    return figure
