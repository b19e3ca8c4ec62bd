"""Placement: accuracy before and after the activation, and what the next layer receives."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.placement import ACTIVATIONS, MODELS
from minidl.report.lab import panels
from minidl.report.lab.axes import value
from minidl.report.lab.titles import title

NAMES = {"relu": "ReLU"}
POINTS = "each point a seed, the line their median"


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
        "accuracy": title(
            accuracy, result, f"Test accuracy, BN before and after the activation, each tuned; {POINTS}"
        ),
        "drift": title(drift, result, f"Drift of what the next layer receives, all training long; {POINTS}"),
        "received": title(received, result, f"What the next layer of the MLP receives in the end; {POINTS}"),
    }


def _panels(result: LabResult, rows: dict[str, tuple[str, str, str]], logarithmic: bool) -> Figure:
    """A row of panels for each (model, value, label), a column for each activation; a row shares its axis."""
    figure, axes = panels.grid(len(rows), len(ACTIVATIONS), sharey="row")
    for i, (model, name, label) in enumerate(rows.values()):
        for j, activation in enumerate(ACTIVATIONS):
            ax = axes[i, j]
            settings = {"model": model, "activation": activation}
            panels.by_arm(result, ax, value(name), label if j == 0 else "", **settings)
            ax.set_title(f"{model.upper()}, {NAMES.get(activation, activation)}", fontsize="medium")
            if logarithmic:
                ax.set_yscale("log")
                ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                ax.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
                ax.yaxis.set_minor_locator(NullLocator())
    return figure
