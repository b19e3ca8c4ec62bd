"""Dropout: test accuracy and gap against the number of training images."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Both for the four arms."""
    figure, axes = panels.grid(1, 2)
    for ax, (name, label) in zip(axes[0], (
        ("test", "test accuracy (%)"), ("gap", "training minus test accuracy (points)"),
    ), strict=True):
        panels.against(result, ax, name, "examples", ("training images", label), xscale="log")
    plots.share_legend(figure)
    return {"dropout": title(figure, result, "Dropout, batch normalization, both, neither; each tuned")}
