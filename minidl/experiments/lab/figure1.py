"""Figure 1 of the paper: accuracy against steps, and the input of one sigmoid over the training.

784-100-100-100-10 with sigmoids on binarised MNIST, batches of 60, plain SGD. Learning rate, threshold and
standard deviation of the weights aren't in the paper; this file says what is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.experiments.lab.arms import (
    ARMS,
    best,
    choice_notes,
    choices_of_arms,
    chosen_text,
    further_of_arms,
    median,
    reports_of,
    score,
)
from minidl.experiments.lab.experiment import Analysis, log2_ratio
from minidl.experiments.lab.jobs import (
    BN,
    CHOICE,
    PLAIN_PAPER,
    PLAIN_TUNED,
    REPORT,
    Job,
    Record,
    Result,
    values_of,
)
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import Data, data_of, log_spaced, points, train
from minidl.experiments.outcome import steps_to
from minidl.instruments import percentiles, probe
from minidl.layers import Sequential
from minidl.training import evaluate, recalibrated
from minidl.training.evaluate import POPULATION

RATES = (0.5, 2.0, 4.0, 8.0)
SAME_RATE = 0.5     # in all arms: where the prototypes of every arm train
UNIT = 0            # of the last hidden layer, fixed before any training


def choices(scale: Scale, data: str) -> list[Job]:
    """Learning rates for every arm; initial weights too, but for the one that is the paper's."""
    steps = scale.of(scale.mlp_steps, scale.mlp_steps, 2_000)
    return choices_of_arms("figure1", scale, RATES, data=data, steps=steps)


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the grid of learning rates, where the best is at its edge."""
    return further_of_arms(records)


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm at its own best and at the common learning rate."""
    jobs = []
    for arm in ARMS:
        # The initial weights that suit one rate don't suit another: BN's are the larger the larger the rate.
        both = {"own best": best(records, arm), "same rate": best(records, arm, lr=SAME_RATE)}
        for kind, chosen in both.items():
            # A preview is long enough for 90 % to be reached at all.
            settings = {"kind": kind, "data": data, "steps": scale.mlp_steps * (2 if scale.is_preview else 1)}
            jobs += reports_of("figure1", arm, scale.mlp_seeds, chosen.settings, **settings)
    return jobs


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(batch_norm=job.arm == BN, init=job.settings["init"])


def run(job: Job) -> Result:
    """Train one network; follow its accuracy, and the inputs to the sigmoids of the last hidden layer."""
    settings = job.settings
    data = data_of(settings["data"], binary=not settings.get("grey", False))
    model = build(network(job), job.seed)
    steps = settings["steps"]
    if job.purpose == CHOICE:
        trained = train(model, data.train, lr=settings["lr"], steps=steps, seed=job.seed)
        return score(model, data, trained)
    early = [step for step in log_spaced(steps, 12) if step < 0.45 * steps]
    at = sorted({*early, *(round(steps * share) for share in (0.5, 0.625, 0.75, 0.875, 1))})
    trained = train(
        model, data.train, lr=settings["lr"], steps=steps, seed=job.seed, at=at,
        measure=lambda model, step: _look(model, data),
    )
    curve = [m["accuracy"] for m in trained.measured]
    # (measurements, units, 3), also where a network was lost before the first one
    inputs = np.array([m["inputs"] for m in trained.measured]).reshape(-1, network(job).width, 3)
    values = {
        "test": curve[-1] if trained.finite else 10.0,
        "steps to 90 %": crossing(90, trained.steps, curve),
        "movement": movement(trained.steps, inputs, min(1000, steps // 2)),
        "steps": steps,
    }
    series = {
        "steps": trained.steps, "accuracy": curve,
        "unit": np.round(inputs[:, UNIT], 4), "medians": np.round(inputs[:, :, 1], 3),
    }
    return values, series


def _look(model: Sequential, data: Data) -> dict[str, Any]:
    with recalibrated(model, data.train[:POPULATION]):
        inputs = percentiles(probe(model, data.probe))[-1].values
        return {"accuracy": points(evaluate(model, data.test)), "inputs": inputs}


def crossing(level: float, steps: Sequence[int], curve: Sequence[float]) -> float:
    """When the accuracy came to a level for good, as `steps_to` finds it, between two measurements.

    Log-spaced measurements lie far apart, nearly a factor of 2: without the interpolation, linear in the
    logarithm of the step, two arms would differ by multiples of that or not at all.

    Example:
        >>> crossing(90, [10, 40, 160, 640], [50.0, 80.0, 100.0, 100.0])
        80.0

    """
    there = steps_to(level, steps, curve)
    i = list(steps).index(int(there)) if np.isfinite(there) else 0
    if i == 0 or curve[i - 1] >= level:
        return there
    share = (level - curve[i - 1]) / (curve[i] - curve[i - 1])
    return round(float(steps[i - 1] * (steps[i] / steps[i - 1]) ** share), 6)


def movement(steps: Sequence[int], inputs: Any, after: int) -> float:
    """How far the median input of a unit moves after a step, in units of its mean 15-85 width; median unit.

    Args:
        steps: of the measurements.
        inputs: percentiles 15, 50, 85, (measurements, units, 3).
        after: the first step that counts.

    Returns:
        Infinity for a network that was lost before.

    """
    if not steps or steps[-1] < after:
        return float("inf")
    late = np.asarray(inputs, np.float64)[np.asarray(steps) >= after]
    moved = late[:, :, 1].max(axis=0) - late[:, :, 1].min(axis=0)
    width = (late[:, :, 2] - late[:, :, 0]).mean(axis=0)
    ratio = moved / np.maximum(width, 1e-12)    # 0 for a unit that is dead and stays where it is
    return float(np.median(np.where(np.isnan(ratio), np.inf, ratio)))


def analyse(records: Sequence[Record]) -> Analysis:
    """Faster at the same rate, more accurate at its own, and steadier: against both plain arms."""
    notes = choice_notes(records)
    if not any(r.job.settings.get("grey") for r in records):
        notes.append("the pixels are black or white, as in the paper")
    chosen_on, reported = (
        {r.job.settings["steps"] for r in records if r.job.purpose == purpose} for purpose in (CHOICE, REPORT)
    )
    if chosen_on != reported:
        notes.append(f"rates and weights were chosen on runs of {max(chosen_on):,} steps")
    numbers = {}
    for arm in ARMS:
        late = int(np.isinf(values_of(records, arm, "steps to 90 %", kind="same rate")).sum())
        if late:
            notes.append(f"{arm}: {late} runs didn't reach 90 %; they count as if at their last step")
        test = values_of(records, arm, "test", kind="own best")
        numbers[f"test accuracy, {chosen_text(records, arm)}"] = median(test), "%"
        where = chosen_text(records, arm, lr=SAME_RATE)
        to_90 = median(values_of(records, arm, "steps to 90 %", kind="same rate"))
        if np.isfinite(to_90):
            numbers[f"steps to 90 %, {where}"] = to_90, "steps"
        else:
            notes.append(f"steps to 90 %, {where}: the median run never got there")
        moved = values_of(records, arm, "movement", kind="same rate")
        numbers[f"movement over width, {where}"] = median(moved), ""
    return Analysis(
        _contrasts(records, PLAIN_TUNED), _contrasts(records, PLAIN_PAPER), numbers, notes
    )


def _contrasts(records: Sequence[Record], plain: str) -> dict[str, list[float]]:
    def both(name: str, kind: str) -> tuple[Any, Any]:
        return values_of(records, plain, name, kind=kind), values_of(records, BN, name, kind=kind)

    at_most = [values_of(records, arm, "steps", kind="same rate") for arm in (plain, BN)]
    to_90 = [np.minimum(v, n) for v, n in zip(both("steps to 90 %", "same rate"), at_most, strict=True)]
    plain_test, bn_test = both("test", "own best")
    return {
        "faster": log2_ratio(*to_90),
        "more accurate": list(bn_test - plain_test),
        "steadier": log2_ratio(*both("movement", "same rate")),
    }
