"""Learning rates: accuracy against the rate, and the map of rates and initial weights."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minidl import plots
from minidl.engine.array import Array
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, Record, of_arm
from minidl.experiments.lab.learning_rates import TRAINED, best_init
from minidl.report.lab import panels
from minidl.report.lab.titles import ARM_NAMES, arms_of, title

ACCURACY = "validation accuracy (%)"


def figures(result: LabResult) -> dict[str, Figure]:
    """The sweep of the reported seeds, and the map of the seeds that chose."""
    return {"sweep": _sweep(result), "map": _map(result)}


def _sweep(result: LabResult) -> Figure:
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    ax = figure.subplots()
    rates = panels.settings_of(result, "lr")
    arms = {}
    for arm in arms_of(result):
        init = "" if arm == PLAIN_PAPER else f", {best_init(result.records, arm)}"
        arms[ARM_NAMES[arm] + init] = [
            [_share(r) for r in of_arm(result.records, arm, lr=lr)] for lr in rates
        ]
    plots.sweep(rates, arms, ax)
    ax.axhline(TRAINED / 100, color=plots.style.GREY, linewidth=0.8, linestyle=":")
    edge = ax.get_yaxis_transform()     # x as a share of the width, y in data
    ax.text(0.01, TRAINED / 100 + 0.01, f"trains: {TRAINED:g} %", transform=edge, fontsize="small")
    ax.set_ylim(0, 1.02)
    return title(figure, result, (
        "Test accuracy against the learning rate; initial weights: the paper's, or the widest range's"
    ))


def _share(record: Record) -> float:
    return record.values["test"] / 100 if record.values["finite"] else float("nan")


def _map(result: LabResult) -> Figure:
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    tried = [r for r in result.records if r.job.purpose == CHOICE]
    rates = sorted({r.job.settings["lr"] for r in tried})
    inits = list(dict.fromkeys(r.job.settings["init"] for r in tried))
    for ax, arm, name in zip(axes, (PLAIN_TUNED, BN), ("plain", ARM_NAMES[BN]), strict=True):
        values = _accuracies([r for r in tried if r.job.arm == arm], rates, inits)
        plots.heat_map(
            values, inits, rates, ax, xlabel="learning rate", ylabel="initial weights" if arm != BN else "",
            label=ACCURACY, limits=(10, 100), bar=False,
        )
        ax.set_title(name, fontsize="medium")
    figure.colorbar(axes[0].images[0], ax=list(axes), label=ACCURACY)
    seeds = len({r.job.seed for r in tried})
    mean = f"mean of the {seeds} seeds that choose" if seeds > 1 else "on the seed that chooses"
    text = f"Validation accuracy, {mean} (other than those reported)"
    return title(figure, result, text)


def _accuracies(records: list[Record], rates: list[float], inits: list[str]) -> Array:
    """Validation accuracy, mean over the seeds: (inits, rates)."""
    found: dict[tuple[str, float], list[float]] = {}
    for r in records:
        settings = r.job.settings
        found.setdefault((settings["init"], settings["lr"]), []).append(r.values["validation"])
    return np.array([[np.mean(found[init, lr]) for lr in rates] for init in inits])
