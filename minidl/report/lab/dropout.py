"""Dropout: test accuracy and gap against the number of training images."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.report.lab import panels
from minidl.report.lab.axes import value
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Both for the four arms: against the number of images, or by arm where there is one number."""
    sizes = panels.settings_of(result, "examples")
    figure, axes = panels.grid(1, 2)
    for ax, (name, label) in zip(axes[0], (
        ("test", "test accuracy (%)"), ("gap", "training minus test accuracy (points)"),
    ), strict=True):
        if len(sizes) > 1:
            panels.against(result, ax, name, "examples", ("training images", label), xscale="log")
            continue
        panels.by_arm(result, ax, value(name), label)
    if len(sizes) > 1:
        plots.share_legend(figure)
    where = "" if len(sizes) > 1 else f", on {sizes[0]:,} training images; each point a seed"
    text = f"Dropout, batch normalization, both, neither; each tuned{where}"
    return {"dropout": title(figure, result, text)}
