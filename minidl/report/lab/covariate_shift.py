"""Covariate shift: drift by layer, and Santurkar's measure by layer and over the training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import Record
from minidl.report.lab import panels
from minidl.report.lab.axes import by_layer, plain_log, series, value
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Drift of the distributions and accuracy; and the gradients' shift."""
    return {"drift": _drift(result), "gradients": _gradients(result)}


def _drift(result: LabResult) -> Figure:
    figure, axes = panels.grid(2, 3)
    for ax, (name, label, layer) in zip(axes.flat, (
        ("drift received by layer", "drift of its output\n(in units of its spread)", "hidden layer"),
        ("drift of x by layer", "drift of x = Wu + b\n(in units of its spread)", "hidden layer"),
        ("drift into sigmoid by layer", "drift after BN, if any\n(in units of its spread)", "hidden layer"),
        ("moved weights by layer", "change of the weights / weights\n(mean)", "layer"),
    ), strict=False):
        plain_log(by_layer(result, ax, series(name), label, xlabel=layer))
    panels.by_arm(result, axes[1, 1], value("test"), "test accuracy (%)")
    axes[1, 2].remove()
    plots.share_legend(figure)
    text = "Drift between log-spaced steps, added up, and how far weights move between them; each arm tuned"
    return title(figure, result, text)


def _gradients(result: LabResult) -> Figure:
    figure, axes = panels.grid(1, 3)
    panels.over_steps(
        result, axes[0, 0], lambda r: [np.mean(layers[1:]) for layers in r.series["1 - cosine"]],
        "1 - cosine, mean over the layers",
    )
    for ax, (name, label) in zip(axes[0, 1:], (
        ("1 - cosine", "1 - cosine, mean over the training"),
        ("distance", "distance / gradient, mean over the training"),
    ), strict=True):
        plain_log(by_layer(result, ax, _above_the_first(name), label, xlabel="layer", first=2))
    plots.share_legend(figure)
    return title(figure, result, "How a layer's gradient changes because the layers below it took their step")


def _above_the_first(name: str) -> Callable[[Record], Any]:
    return lambda r: np.mean(r.series[name], axis=0)[1:]    # of the first layer nothing lies below
