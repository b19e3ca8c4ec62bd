"""Covariate shift: drift by layer, and Santurkar's measure over the training."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.report.lab import panels
from minidl.report.lab.titles import ARM_NAMES, arms_of, title


def figures(result: LabResult) -> dict[str, Figure]:
    """Drift of the distributions, the gradients' shift, and accuracy."""
    figure, axes = panels.grid(2, 2)
    for ax, (name, label) in zip(axes[0], (
        ("drift received by layer", "drift of what the layer above receives"),
        ("drift of x by layer", "drift of x = Wu + b"),
    ), strict=True):
        lines = {}
        for arm in arms_of(result):
            values = np.array([r.series[name] for r in of_arm(result.records, arm)])
            lines[ARM_NAMES.get(arm, arm)] = (np.arange(1, values.shape[1] + 1), values)
        plots.bands(lines, ax, ylabel=label, xlabel="hidden layer", xscale="linear")
        ax.set_xticks(range(1, values.shape[1] + 1))
    panels.over_steps(
        result, axes[1, 0], lambda r: [np.mean(layers[1:]) for layers in r.series["1 - cosine"]],
        "1 - cosine of a layer's gradients",
    )
    panels.by_arm(result, axes[1, 1], lambda r: r.values["test"], "test accuracy (%)")
    plots.share_legend(figure)
    return {"shift": title(figure, result, "How much distributions and gradients move, and whether it matters")}
