"""Saturating nonlinearities: how deep a network of sigmoids, tanhs or ReLUs trains, in the three arms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.engine.array import Array
from minidl.experiments.lab.arms import (
    ARMS,
    INITS,
    best,
    choice_notes,
    choices_of_arms,
    further_of_arms,
    lost_note,
    median,
    reports_of,
    score,
)
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import accuracy, data_of, points, train
from minidl.experiments.outcome import OUTCOMES, outcome

ACTIVATIONS = ("sigmoid", "tanh", "relu")
DEPTHS = {"quick": (2, 8), "default": (1, 3, 6, 10), "full": (1, 2, 3, 4, 6, 8, 10)}
DEEP = 6            # layers from which on the claim is about a network
RATES = (0.03, 0.125, 0.5, 2.0)


def choices(scale: Scale, data: str) -> list[Job]:
    """Rates and initial weights for every activation and depth."""
    return [
        job for activation in ACTIVATIONS for depth in DEPTHS[scale.name]
        for job in choices_of_arms(
            "saturating-nonlinearities", scale, RATES, INITS[activation],
            data=data, activation=activation, depth=depth, steps=_steps(scale),
        )
    ]


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return [
        job for activation, depth in _networks(records)
        for job in further_of_arms(records, activation=activation, depth=depth)
    ]


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm at each activation and depth, with what was chosen for it there."""
    jobs = []
    for activation in ACTIVATIONS:
        for depth in DEPTHS[scale.name]:
            for arm in ARMS:
                own = best(records, arm, activation=activation, depth=depth).settings
                fixed = {"data": data, "steps": _steps(scale), "activation": activation, "depth": depth}
                jobs += reports_of("saturating-nonlinearities", arm, scale.mlp_seeds, own, **fixed)
    return jobs


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(
        batch_norm=job.arm == BN, **{name: job.settings[name] for name in ("init", "activation", "depth")}
    )


def run(job: Job) -> Result:
    """Train one network, and see where it ends."""
    settings = job.settings
    data = data_of(settings["data"])
    model = build(network(job), job.seed)
    trained = train(model, data.train, lr=settings["lr"], steps=settings["steps"], seed=job.seed)
    if job.purpose == CHOICE:
        return score(model, data, trained)
    test = points(accuracy(model, data.test, data.train), trained.finite)
    return {"test": test, "outcome": OUTCOMES.index(outcome(test / 100, trained.finite))}, {}


def analyse(records: Sequence[Record]) -> Analysis:
    """Accuracy of deep sigmoid and tanh networks, mean over the depths."""
    notes = [
        note for activation, depth in _networks(records)
        for note in choice_notes(records, activation=activation, depth=depth)
    ]
    numbers = {}
    for activation, depth in _networks(records):
        for arm in ARMS:
            test = values_of(records, arm, "test", activation=activation, depth=depth)
            numbers[f"test accuracy, {activation}, {depth} layers, {arm}"] = median(test), "%"
            notes += lost_note(f"{arm}, {activation}, {depth} layers", test)

    def against(plain: str) -> dict[str, list[float]]:
        return {
            f"deep {activation} networks": list(
                deep_accuracy(records, BN, activation) - deep_accuracy(records, plain, activation)
            )
            for activation in ("sigmoid", "tanh")
        }

    return Analysis(against(PLAIN_TUNED), against(PLAIN_PAPER), numbers, notes)


def deep_accuracy(records: Sequence[Record], arm: str, activation: str) -> Array:
    """Test accuracy of each seed, mean over the deep networks: (seeds,)."""
    depths = [depth for name, depth in _networks(records) if name == activation and depth >= DEEP]
    tests = [values_of(records, arm, "test", activation=activation, depth=depth) for depth in depths]
    means: Array = np.mean(tests, axis=0)
    return means


def _networks(records: Sequence[Record]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((r.job.settings["activation"], r.job.settings["depth"]) for r in records))


def _steps(scale: Scale) -> int:
    return scale.of(200, 1_500, 10_000)
