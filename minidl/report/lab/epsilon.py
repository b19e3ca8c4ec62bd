"""Epsilon: accuracy, and how large a normalised pixel becomes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minidl.experiments.lab.epsilon import VALUES, arm_of
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.plots.style import arm_style
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Both against epsilon, each seed a point."""
    figure, axes = panels.grid(1, 2)
    for number, (ax, (name, label)) in enumerate(zip(axes[0], (
        ("test", "test accuracy (%)"), ("largest normalised pixel", "largest |normalised pixel| of the test images"),
    ), strict=True)):
        style = arm_style(number)
        medians = []
        for eps in VALUES:
            values = [r.values[name] for r in of_arm(result.records, arm_of(eps))]
            ax.plot([eps] * len(values), values, style.marker, color=style.color, alpha=0.5, markersize=4)
            medians.append(np.median(values))
        ax.plot(VALUES, medians, color=style.color)
        ax.set_xscale("log")
        ax.set_xlabel("epsilon")
        ax.set_ylabel(label)
        ax.grid(True, color="#DDDDDD", linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 1].set_yscale("log")
    return {"epsilon": title(figure, result, "BN on raw pixels, of which many are constant; each point a seed")}
