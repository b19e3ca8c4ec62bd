"""Test time: moving averages against the exact averages of Algorithm 2, and against a test batch's own statistics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from minidl.datasets import Dataset
from minidl.experiments.lab.arms import median
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import REPORT, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import data_of, log_spaced, train
from minidl.layers import BatchNorm, Sequential
from minidl.training import evaluate, recalibrated
from minidl.training.evaluate import POPULATION

MOMENTA: tuple[float | None, ...] = (0.01, 0.1, 0.5, None)
BATCHES = {"quick": (2, 60), "default": (2, 4, 10, 60), "full": (2, 4, 10, 60)}
USUAL = "momentum 0.1"
LR = 0.5            # fixed, not chosen: every arm is the same network, read in different ways
OWN = 100           # test images a batch where a test batch's own statistics normalise
SINGLE = 300        # test images that are shown one at a time


def arm_of(momentum: float | None) -> str:
    """The arm of a momentum: "momentum 0.1", "plain average"."""
    return "plain average" if momentum is None else f"momentum {momentum:g}"


def choices(scale: Scale, data: str) -> list[Job]:
    """None: nothing is chosen."""
    return []


def further_choices(records: Sequence[Record]) -> list[Job]:
    """None."""
    return []


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """A network for each momentum and batch size; the weights of all momenta are the same, bit for bit."""
    examples = scale.of(12_000, 120_000, 600_000)
    return [
        Job("test-time", arm_of(momentum), seed, REPORT, {
            "momentum": momentum, "batch_size": size, "data": data, "steps": examples // max(size, 10),
        })
        for momentum in MOMENTA for size in BATCHES[scale.name] for seed in range(scale.mlp_seeds)
    ]


def run(job: Job) -> Result:
    """Train one network, and evaluate it with each kind of statistics."""
    settings = job.settings
    data = data_of(settings["data"])
    normalize = partial(BatchNorm, momentum=settings["momentum"])
    model = build(Network(batch_norm=True), job.seed, normalize)
    trained = train(
        model, data.train, lr=LR, steps=settings["steps"], seed=job.seed, batch_size=settings["batch_size"],
        at=log_spaced(settings["steps"], 8),
        measure=lambda model, step: {
            "moving": 100 * evaluate(model, data.validation).accuracy,
            "exact": _exact(model, data.train, data.validation),
        },
    )
    values = {
        "moving": 100 * evaluate(model, data.test).accuracy,
        "exact": _exact(model, data.train, data.test),
        "own batch": 100 * _own_statistics(model, data.test, OWN),
        "single, own": 100 * _own_statistics(model, data.test[:SINGLE], 1),
        "single, moving": 100 * evaluate(model, data.test[:SINGLE]).accuracy,
        "biased": 100 * _biased(model, data.test, settings["batch_size"]),
    }
    series = {"steps": trained.steps} | {
        name: [m[name] for m in trained.measured] for name in ("moving", "exact")
    }
    return values, series


def _exact(model: Sequential, train_data: Dataset, data: Dataset) -> float:
    with recalibrated(model, train_data[:POPULATION]):
        return 100 * evaluate(model, data).accuracy


def _own_statistics(model: Sequential, data: Dataset, size: int) -> float:
    """Accuracy where each batch of `size` test images is normalised by its own statistics.

    A single image has variance 0 and no batch normalization: it is shown twice, which has the same statistics.
    """
    right = 0
    with model.preserved():
        model.train()
        for start in range(0, len(data), size):
            images = data.images[start : start + size]
            shown = np.concatenate([images, images]) if len(images) == 1 else images
            logits = model(shown).data[: len(images)]
            right += int((logits.argmax(axis=1) == data.labels[start : start + size]).sum())
    return right / len(data)


def _biased(model: Sequential, data: Dataset, batch_size: int) -> float:
    """Accuracy with the running variance as if it were the biased one: (m - 1)/m times as large."""
    with model.preserved():
        for _, layer in model.named_layers():
            if isinstance(layer, BatchNorm):
                layer.running_var = layer.running_var * np.float32((batch_size - 1) / batch_size)
        return evaluate(model, data).accuracy


def analyse(records: Sequence[Record]) -> Analysis:
    """Moving averages against exact ones, and a single example, at the paper's batch of 60."""
    numbers = {}
    sizes = sorted({r.job.settings["batch_size"] for r in records})
    for momentum in MOMENTA:
        for size in sizes:
            for name in ("moving", "exact", "own batch", "biased"):
                found = values_of(records, arm_of(momentum), name, batch_size=size)
                numbers[f"{name}, {arm_of(momentum)}, batch {size}"] = median(found), "%"
    single = {name: values_of(records, USUAL, f"single, {name}", batch_size=60) for name in ("moving", "own")}
    for name, found in single.items():
        numbers[f"a single example, {name} statistics"] = median(found), "%"
    moving, exact = (values_of(records, USUAL, name, batch_size=60) for name in ("moving", "exact"))
    contrasts = {"as accurate": list(moving - exact), "a single example": list(single["moving"] - single["own"])}
    return Analysis(contrasts, {}, numbers, [f"the learning rate is {LR:g} everywhere, and not chosen"])
