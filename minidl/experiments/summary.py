"""What a comparison says: medians, ranges and counts over the seeds of each arm at each learning rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.experiments.compare import Comparison
from minidl.experiments.outcome import OUTCOMES
from minidl.experiments.run import RunResult


@dataclass(frozen=True)
class Cell:
    """One arm at one learning rate, over its seeds: a row of the table.

    Attributes:
        arm: its name.
        lr: learning rate.
        accuracy: median, least and greatest final test accuracy.
        steps: that each run was given.
        to_90: first of two validations in a row at 90 %, of each run; infinity for one that never got there.
        to_95: likewise.
        outcomes: number of runs of each outcome.
        dead: median over seeds of the share of dead sigmoids at the end, mean over layers; NaN without.
        deciding: likewise, of those that are saturated and decide.

    """

    arm: str
    lr: float
    accuracy: tuple[float, float, float]
    steps: int
    to_90: tuple[float, ...]
    to_95: tuple[float, ...]
    outcomes: dict[str, int]
    dead: float
    deciding: float


def summarize(comparison: Comparison) -> list[Cell]:
    """The rows of the table: for each learning rate each arm, medians and counts over the seeds."""
    cells = []
    for lr in comparison.rates:
        for arm in comparison.arms:
            runs = comparison.runs(arm, lr)
            if not runs:
                continue
            accuracies = [r.test_accuracy for r in runs]
            cells.append(
                Cell(
                    arm,
                    lr,
                    (float(np.median(accuracies)), min(accuracies), max(accuracies)),
                    runs[0].config.steps,
                    tuple(r.steps_to_90 for r in runs),
                    tuple(r.steps_to_95 for r in runs),
                    {name: sum(r.outcome == name for r in runs) for name in OUTCOMES},
                    _share(runs, "dead"),
                    _share(runs, "deciding"),
                )
            )
    return cells


def _share(runs: list[RunResult], kind: str) -> float:
    shares = [
        float(np.mean([getattr(layer, kind) for layer in r.measurements[-1].saturation]))
        for r in runs
        if r.measurements and r.measurements[-1].saturation
    ]
    return float(np.median(shares)) if shares else float("nan")
