"""The landscape: loss, gradient and smoothness along the gradient, over the training."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Four panels."""
    figure, axes = panels.grid(2, 2)
    for ax, (name, label) in zip(axes.flat, (
        ("loss", "loss (nats)"), ("range", "range of the loss along the gradient / loss"),
        ("gradient change", "change of the gradient / gradient"), ("smoothness", "change of the gradient / distance"),
    ), strict=True):
        panels.over_steps(result, ax, lambda r, name=name: r.series[name], label)
        ax.set_yscale("log")
    plots.share_legend(figure)
    return {"landscape": title(figure, result, "Along the gradient, at the same step lengths in all arms")}
