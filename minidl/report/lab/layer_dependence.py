"""Dependence between layers: changes above a disturbed first layer, with batch and with frozen statistics."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.experiments.lab.layer_dependence import SCALES, SIZES
from minidl.report.lab import panels
from minidl.report.lab.axes import plain_log, ticks_at, value
from minidl.report.lab.titles import arms_of, name_of, title

MODES = {"batch": "statistics of the batch", "frozen": "frozen statistics"}


def figures(result: LabResult) -> dict[str, Figure]:
    """What noise does, and what scaling does, to the layers above the first."""
    return {"noise": _noise(result), "scaling": _scaling(result)}


def _noise(result: LabResult) -> Figure:
    figure, axes = panels.grid(2, 3, sharey="col")
    for row, (mode, text) in zip(axes, MODES.items(), strict=True):
        for ax, (name, label) in zip(row, (
            ("activations", "change of the later layers / their spread"),
            ("gradients", "relative change of the later gradients"),
            ("loss change", "change of the loss (nats)"),
        ), strict=True):
            lines = {
                name_of(result, arm): (SIZES, [
                    [r.values[f"{name}, noise {size:g}, {mode}"] for size in SIZES]
                    for r in of_arm(result.records, arm)
                ])
                for arm in arms_of(result)
            }
            plots.bands(lines, ax, ylabel=label, xlabel="noise / weights, of the first layer", xscale="log")
            ticks_at(ax.xaxis, SIZES)
            ax.set_title(text, fontsize="medium")
            if name == "loss change":
                ax.axhline(0, color=plots.style.GREY, linewidth=0.8)
            else:
                plain_log(ax)
    plots.share_legend(figure)
    text = "Noise on the first layer's weights, at equal training loss: what it does above"
    return title(figure, result, text)


def _scaling(result: LabResult) -> Figure:
    figure, axes = panels.grid(len(SCALES), len(MODES), sharey="row")
    for row, factor in zip(axes, SCALES, strict=True):
        for ax, (mode, text) in zip(row, MODES.items(), strict=True):
            name = f"loss change, times {factor:g}, {mode}"
            label = "change of the loss (nats)" if mode == "batch" else ""      # a row shares its axis
            panels.by_arm(result, ax, value(name), label)
            ax.axhline(0, color=plots.style.GREY, linewidth=0.8)
            ax.set_title(f"first weights times {factor:g}, {text}", fontsize="medium")
    return title(figure, result, "Scaling the first weights, at equal training loss; each point a seed")
