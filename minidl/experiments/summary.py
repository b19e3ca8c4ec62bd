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
        steps_to_90: median of the steps; infinity where at least half of the runs never got there.
        steps_to_95: likewise.
        outcomes: number of runs of each outcome.
        dead: median over seeds of the share of dead sigmoids at the end, mean over layers; NaN without.
        deciding: likewise, of those that are saturated and decide.

    """

    arm: str
    lr: float
    accuracy: tuple[float, float, float]
    steps_to_90: float
    steps_to_95: float
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
                    _median([r.steps_to_90 for r in runs]),
                    _median([r.steps_to_95 for r in runs]),
                    {name: sum(r.outcome == name for r in runs) for name in OUTCOMES},
                    _share(runs, "dead"),
                    _share(runs, "deciding"),
                )
            )
    return cells


def _median(values: list[float]) -> float:
    """The median, infinity being a value as any other; of an even count the upper of the middle two."""
    return sorted(values)[len(values) // 2]


def _share(runs: list[RunResult], kind: str) -> float:
    shares = [
        float(np.mean([getattr(layer, kind) for layer in r.measurements[-1].saturation]))
        for r in runs
        if r.measurements and r.measurements[-1].saturation
    ]
    return float(np.median(shares)) if shares else float("nan")
