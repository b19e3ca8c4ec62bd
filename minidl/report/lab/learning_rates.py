"""Learning rates: accuracy against the rate, and the map of rates and initial weights."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_TUNED, of_arm
from minidl.experiments.lab.learning_rates import TRAINED, best_init
from minidl.report.lab import panels
from minidl.report.lab.titles import ARM_NAMES, arms_of, title


def figures(result: LabResult) -> dict[str, Figure]:
    """The sweep of the reported seeds, and the map of the seeds that chose."""
    return {"sweep": _sweep(result), "map": _map(result)}


def _sweep(result: LabResult) -> Figure:
    figure = Figure(figsize=(8.5, 4.8), layout="constrained")
    ax = figure.subplots()
    rates = panels.settings_of(result, "lr")
    arms = {}
    for arm in arms_of(result):
        name = f"{ARM_NAMES[arm]} ({best_init(result.records, arm)})"
        arms[name] = [
            [r.values["test"] / 100 if r.values["finite"] else np.nan for r in of_arm(result.records, arm, lr=lr)]
            for lr in rates
        ]
    plots.sweep(rates, arms, ax)
    ax.axhline(TRAINED / 100, color=plots.style.GREY, linewidth=0.8, linestyle=":")
    return title(figure, result, "Test accuracy against the learning rate")


def _map(result: LabResult) -> Figure:
    arms = (PLAIN_TUNED, BN)
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    tried = [r for r in result.records if r.job.purpose == CHOICE]
    rates = sorted({r.job.settings["lr"] for r in tried})
    inits = list(dict.fromkeys(r.job.settings["init"] for r in tried))
    for ax, arm in zip(axes, arms, strict=True):
        values = np.array([
            [
                np.mean([r.values["validation"] for r in tried if r.job.arm == arm and (r.job.settings["lr"], r.job.settings["init"]) == (lr, init)])
                for lr in rates
            ]
            for init in inits
        ])
        image = ax.imshow(values, aspect="auto", cmap="viridis", vmin=10, vmax=100)
        ax.set_title(ARM_NAMES[arm], fontsize="medium")
        every = max(1, len(rates) // 8)
        ax.set_xticks(range(0, len(rates), every), [f"{lr:g}" for lr in rates[::every]])
        ax.set_yticks(range(len(inits)), inits)
        ax.set_xlabel("learning rate")
        dark = values < 60
        for (i, j), is_dark in np.ndenumerate(dark):
            if len(rates) <= 17:
                ax.text(j, i, f"{values[i, j]:.0f}", ha="center", va="center", fontsize=6, color="w" if is_dark else "k")
    axes[0].set_ylabel("initial weights")
    figure.colorbar(image, ax=list(axes), label="validation accuracy (%)")
    return title(figure, result, "Validation accuracy over learning rates and initial weights, on the seeds that choose")
