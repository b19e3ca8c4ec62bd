"""Saturation: inputs, saturated shares, slopes and gradients over the training; histograms; depth."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import Record, of_arm
from minidl.experiments.lab.saturation import BINS, MAIN_DEPTH
from minidl.plots.style import arm_style
from minidl.report.lab import panels
from minidl.report.lab.titles import ARM_NAMES, arms_of, title


def figures(result: LabResult) -> dict[str, Figure]:
    """Over the training; saturated shares against the loss; histograms of x; against depth."""
    return {
        "over-the-training": _over_steps(result), "against-loss": _against_loss(result),
        "histograms": _histograms(result), "depth": _depth(result),
    }


def _mean(name: str, factor: float = 1.0):  # type: ignore[no-untyped-def]
    return lambda record: [factor * float(np.mean(layers)) for layers in record.series[name]]


def _over_steps(result: LabResult) -> Figure:
    figure, axes = panels.grid(2, 3)
    for ax, (name, label, factor) in zip(axes.flat, (
        ("median", "median of |x|", 1), ("p95", "95th percentile of |x|", 1), ("slope", "mean derivative", 1),
        ("dead", "dead sigmoids (%)", 100), ("deciding", "saturated, deciding (%)", 100),
        ("gradient", "norm of the weights' gradient", 1),
    ), strict=True):
        panels.over_steps(result, ax, _mean(name, factor), label, depth=MAIN_DEPTH)
    axes[1, 2].set_yscale("log")
    plots.share_legend(figure)
    return title(figure, result, f"Inputs of the sigmoids, {MAIN_DEPTH} hidden layers, mean over the layers")


def _against_loss(result: LabResult) -> Figure:
    figure, axes = panels.grid(1, 2)
    for ax, (names, label, factor) in zip(axes.flat, (
        (("dead", "deciding"), "saturated sigmoids (%)", 100), (("slope",), "mean derivative", 1),
    ), strict=True):
        for i, arm in enumerate(arms_of(result)):
            for j, record in enumerate(of_arm(result.records, arm, depth=MAIN_DEPTH)):
                values = [factor * sum(np.mean(record.series[n][k]) for n in names) for k in range(len(record.series["loss"]))]
                style = arm_style(i)
                ax.plot(
                    record.series["loss"], values, color=style.color, linestyle=style.linestyle, alpha=0.6,
                    linewidth=1, label=None if j else ARM_NAMES[arm],
                )
        ax.set_xscale("log")
        ax.invert_xaxis()
        ax.set_xlabel("training loss on the probe (falling to the right)")
        ax.set_ylabel(label)
        ax.grid(True, color="#DDDDDD", linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].legend(fontsize="small")
    return title(figure, result, "At equal training loss: each line is a seed")


def _histograms(result: LabResult) -> Figure:
    arms = arms_of(result)
    figure, axes = panels.grid(len(arms), MAIN_DEPTH, sharex=True, sharey=True)
    centres = (BINS[:-1] + BINS[1:]) / 2
    for i, arm in enumerate(arms):
        record: Record = of_arm(result.records, arm, depth=MAIN_DEPTH)[0]
        for j, shares in enumerate(record.series["histogram"]):
            ax = axes[i, j]
            ax.axvspan(-12, -2.94, color="#EEEEEE")
            ax.axvspan(2.94, 12, color="#EEEEEE")
            ax.bar(centres, np.multiply(100, shares), width=BINS[1] - BINS[0], color=arm_style(i).color)
            ax.set_title(f"{ARM_NAMES[arm]}; hidden layer {j + 1}", fontsize="small")
            if i == len(arms) - 1:
                ax.set_xlabel("input x of the sigmoids")
            if j == 0:
                ax.set_ylabel("share (%)")
    return title(figure, result, "Inputs of the sigmoids at the end, seed 0; grey: saturated")


def _depth(result: LabResult) -> Figure:
    figure, axes = panels.grid(1, 3)
    panels.against(result, axes[0, 0], "test", "depth", ("hidden layers", "test accuracy (%)"))
    for ax, (name, label) in zip(axes[0, 1:], (("dead", "dead sigmoids (%)"), ("slope", "mean derivative")), strict=True):
        lines = {}
        for arm in arms_of(result):
            depths = panels.settings_of(result, "depth")
            columns = [
                [np.mean(r.series[name][-1]) * (100 if name == "dead" else 1) for r in of_arm(result.records, arm, depth=d)]
                for d in depths
            ]
            values = np.full((max(map(len, columns)), len(depths)), np.nan)
            for k, column in enumerate(columns):
                values[: len(column), k] = column
            lines[ARM_NAMES[arm]] = (depths, values)
        plots.bands(lines, ax, ylabel=label, xlabel="hidden layers", xscale="linear")
    plots.share_legend(figure)
    return title(figure, result, "The same against depth, at the end, each arm tuned at each depth")
