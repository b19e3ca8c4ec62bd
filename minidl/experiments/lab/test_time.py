"""Test time: moving averages, the exact averages of Algorithm 2, and a test batch's own statistics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from minidl.datasets import Dataset
from minidl.experiments.lab.arms import median
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import REPORT, Job, Record, Result, of_arm, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import data_of, log_spaced, train
from minidl.layers import BatchNorm, Sequential
from minidl.training import evaluate, recalibrated
from minidl.training.evaluate import POPULATION

MOMENTA: tuple[float | None, ...] = (0.01, 0.1, 0.5, None)
BATCHES = {"quick": (2, 60), "default": (2, 4, 10, 60), "full": (2, 4, 10, 60)}
USUAL, PAPER_BATCH = "momentum 0.1", 60
LR = 0.5            # at batches of 60; fixed, not chosen: all arms are the same network, read in other ways
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
    """A network for each momentum and batch size; the weights of all momenta are the same, bit for bit.

    The learning rate is proportional to the batch, as small batches are noisy.
    """
    examples = scale.of(12_000, 120_000, 600_000)
    return [
        Job("test-time", arm_of(momentum), seed, REPORT, {
            "momentum": momentum, "batch_size": size, "data": data, "lr": LR * size / PAPER_BATCH,
            "steps": examples // max(size, 20),
        })
        for momentum in MOMENTA for size in BATCHES[scale.name] for seed in range(scale.mlp_seeds)
    ]


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(batch_norm=True)


def run(job: Job) -> Result:
    """Train one network; evaluate it with moving averages, that of the usual momentum with all else too."""
    settings = job.settings
    data, size = data_of(settings["data"]), settings["batch_size"]
    model = build(network(job), job.seed, partial(BatchNorm, momentum=settings["momentum"]))
    usual = job.arm == USUAL

    def look(model: Sequential, step: int) -> dict[str, float]:
        found = {"moving": 100 * evaluate(model, data.validation).accuracy}
        return found | ({"exact": _exact(model, data.train, data.validation, size)} if usual else {})

    trained = train(
        model, data.train, lr=settings["lr"], steps=settings["steps"], seed=job.seed, batch_size=size,
        at=log_spaced(settings["steps"], 8), measure=look,
    )
    series = {"steps": trained.steps, "moving": [m["moving"] for m in trained.measured]}
    moving = 100 * evaluate(model, data.test).accuracy
    values = {"moving": moving, "biased": 100 * _biased(model, data.test, size)}
    if usual:
        series["exact"] = [m["exact"] for m in trained.measured]
        values |= {
            "exact": _exact(model, data.train, data.test, size),
            "large batches": _exact(model, data.train, data.test, 1000),
            "own batch": 100 * _own_statistics(model, data.test, OWN),
            "single, own": 100 * _own_statistics(model, data.test[:SINGLE], 1),
            "single, moving": 100 * evaluate(model, data.test[:SINGLE], batch_size=1).accuracy,
        }
    return values, series


def _exact(model: Sequential, train_data: Dataset, data: Dataset, size: int) -> float:
    """Accuracy in per cent with averages over training batches of this size, the weights frozen."""
    with recalibrated(model, train_data[:POPULATION], batch_size=size):
        return 100 * evaluate(model, data).accuracy


def _own_statistics(model: Sequential, data: Dataset, size: int) -> float:
    """Accuracy where each batch of `size` test images is normalised by its own statistics.

    A single image has variance 0 and no batch normalization: it is shown twice, with the same statistics.
    """
    right = 0
    with model.preserved(), model.evaluating():     # which gives each layer its own mode back
        model.train()
        for start in range(0, len(data), size):
            images = data.images[start : start + size]
            shown = np.concatenate([images, images]) if len(images) == 1 else images
            logits = model(shown).data[: len(images)]
            right += int((logits.argmax(axis=1) == data.labels[start : start + size]).sum())
    return right / len(data)


def _biased(model: Sequential, data: Dataset, batch_size: int) -> float:
    """Accuracy as if the running variance had followed the biased one, (m - 1)/m times as large."""
    with model.preserved():
        for _, layer in model.named_layers():
            if isinstance(layer, BatchNorm):
                # What is left of the initial 1 is in both.
                momentum, seen = layer.momentum, int(layer.batches_seen)
                initial = np.float32(0 if momentum is None else (1 - momentum) ** seen)
                followed = (layer.running_var - initial) * np.float32((batch_size - 1) / batch_size)
                layer.running_var = followed + initial
        return evaluate(model, data).accuracy


def analyse(records: Sequence[Record]) -> Analysis:
    """Moving averages against exact ones, and a single example, at the paper's batch of 60."""
    numbers = {}
    for size in sorted({r.job.settings["batch_size"] for r in records}):
        for momentum in MOMENTA:
            for name, text in (("moving", "moving averages"), ("biased", "moving averages, biased variance")):
                found = values_of(records, arm_of(momentum), name, batch_size=size)
                numbers[f"{text}, {arm_of(momentum)}, batch {size}"] = median(found), "%"
        for name, text in (
            ("exact", "exact averages (Algorithm 2)"),
            ("large batches", "exact averages over batches of 1,000"),
            ("own batch", f"own statistics of test batches of {OWN}"),
        ):
            kept = [r.values[name] for r in of_arm(records, USUAL, batch_size=size) if name in r.values]
            if kept:
                numbers[f"{text}, batch {size}"] = median(kept), "%"
    moving, exact, alone, own = (
        values_of(records, USUAL, name, batch_size=PAPER_BATCH)
        for name in ("moving", "exact", "single, moving", "single, own")
    )
    numbers["a single example, moving averages"] = median(alone), "%"
    numbers["a single example, its own statistics"] = median(own), "%"
    contrasts = {"as accurate": list(moving - exact), "a single example": list(alone - own)}
    seen = f"a single example: the first {SINGLE} test images, one at a time"
    note = f"the learning rate is {LR:g} at batches of {PAPER_BATCH}, in proportion at others, and not chosen"
    return Analysis(contrasts, {}, numbers, [note, seen])
