"""The landscape: loss, gradient and smoothness along the gradient; noise, and a large rate."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.experiments.lab.landscape import LARGE_RATE, LARGE_STEPS
from minidl.report.lab import panels
from minidl.report.lab.axes import plain_log, series, value
from minidl.report.lab.titles import arms_of, title


def figures(result: LabResult) -> dict[str, Figure]:
    """Along the gradient over the training, and run by run what noise and a large rate do."""
    return {"landscape": _along(result), "noise-and-growth": _noise_and_growth(result)}


def _along(result: LabResult) -> Figure:
    figure, axes = panels.grid(2, 2)
    for ax, (name, label) in zip(axes.flat, (
        ("loss", "training loss, one batch (nats)"),
        ("range", "range of the loss along the gradient / loss"),
        ("gradient change", "change of the gradient / gradient"),
        ("smoothness", "change of the gradient / distance"),
    ), strict=True):
        plain_log(panels.over_steps(result, ax, series(name), label))
    plots.share_legend(figure)
    return title(
        figure, result,
        "Along the gradient, at the same step lengths in all arms; each trained at its own learning rate",
    )


def _noise_and_growth(result: LabResult) -> Figure:
    figure, axes = panels.grid(1, 2)
    panels.by_arm(result, axes[0, 0], value("test"), "test accuracy (%)")
    panels.by_arm(result, axes[0, 1], value("growth"), "rms of the last hidden layer's x,\nafter / before")
    plain_log(axes[0, 1]).set_title(f"{LARGE_STEPS} steps at lr {LARGE_RATE:g}", fontsize="medium")
    rates = ", ".join(f"{of_arm(result.records, arm)[0].job.settings['lr']:g}" for arm in arms_of(result))
    axes[0, 0].set_title(f"each arm at its own rate: lr {rates}", fontsize="medium")
    return title(
        figure, result,
        "Accuracy, also with distributions shifted at random (noisy BN); growth at a large learning rate; "
        "each point a seed",
    )
