"""Test time: moving averages against exact ones, over the training and at its end."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Against the batch size at the end; and over the training."""
    figure, axes = panels.grid(1, 3, sharey=True)
    for ax, (name, text) in zip(axes[0], (
        ("moving", "moving averages"), ("exact", "exact averages (Algorithm 2)"), ("own batch", "the test batch's own"),
    ), strict=True):
        panels.against(result, ax, name, "batch_size", ("batch size in training", "test accuracy (%)"), xscale="log")
        ax.set_title(text, fontsize="medium")
    plots.share_legend(figure)
    end = title(figure, result, "Test accuracy with three kinds of statistics")

    figure, axes = panels.grid(1, 2, sharey=True)
    for ax, name in zip(axes[0], ("moving", "exact"), strict=True):
        panels.over_steps(result, ax, lambda r, name=name: r.series[name], "validation accuracy (%)", batch_size=60)
        ax.set_title(f"{name} averages", fontsize="medium")
    plots.share_legend(figure)
    return {"end": end, "over-the-training": title(figure, result, "Over the training, batches of 60")}
