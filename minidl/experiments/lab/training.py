"""How the laboratory trains: plain SGD, measured on the way, with nothing that the measuring changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from minidl.datasets import Dataset, batches, load
from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.experiments.run import PROBE, VALIDATION
from minidl.layers import Sequential
from minidl.losses import cross_entropy
from minidl.optim import SGD
from minidl.training import Evaluation, evaluate, recalibrated
from minidl.training.evaluate import POPULATION

Measure = Callable[[Sequential, int], dict[str, Any]]


@dataclass(frozen=True)
class Data:
    """The three parts of a data set; what is chosen is chosen on `validation`, `test` is read once a run."""

    train: Dataset
    validation: Dataset
    test: Dataset

    @property
    def title(self) -> str:
        """For people: "MNIST", "stroke digits (synthetic)"."""
        return self.train.title

    @property
    def probe(self) -> Array:
        """The first 1,000 training images, on which activations are measured."""
        images: Array = self.train.images[:PROBE]
        return images


@lru_cache(maxsize=2)
def data_of(name: str, image: int = 28, examples: int | None = None, binary: bool = False) -> Data:
    """A data set in its three parts; kept, as a worker runs many jobs on one.

    Args:
        name: "mnist", "fashion-mnist" or "stroke-digits".
        image: 28, or 14 for means of 2 x 2 pixels.
        examples: so many training images, the first ones; None for all but the validation's.
        binary: pixels of 0.5 and more become 1, the others 0, as for the paper's Figure 1.

    """
    train, test = load(name)
    parts = [_prepared(part, image, binary) for part in (train, test)]
    size = min(VALIDATION, len(train) // 5)     # less of a small set
    return Data(parts[0][:-size][:examples], parts[0][-size:], parts[1])


def _prepared(data: Dataset, image: int, binary: bool) -> Dataset:
    images = data.images
    if image == 14:
        images = images.reshape(len(images), 14, 2, 14, 2, 1).mean(axis=(2, 4), dtype=np.float32)
    if binary:
        images = (images >= 0.5).astype(np.float32)
    if images is data.images:
        return data
    return Dataset(images, data.labels, data.class_names, data.name, data.synthetic)


@dataclass(frozen=True)
class Trained:
    """What training gave.

    Attributes:
        steps: at which it was measured.
        measured: what `measure` returned there.
        losses: the training loss of every step.
        finite: whether all of them were finite; training stops at the first that isn't.

    """

    steps: list[int]
    measured: list[dict[str, Any]]
    losses: list[float]
    finite: bool


def log_spaced(steps: int, points: int = 12, first: int = 10) -> list[int]:
    """Steps at which a run is measured: log-spaced, the last one among them.

    Example:
        >>> log_spaced(1000, points=5)
        [10, 32, 100, 316, 1000]

    """
    return sorted({round(s) for s in np.geomspace(min(first, steps), steps, points)})


def train(
    model: Sequential,
    data: Dataset,
    *,
    lr: float,
    steps: int,
    seed: int,
    batch_size: int = 60,
    momentum: float = 0.0,
    at: Sequence[int] = (),
    measure: Measure | None = None,
    before_step: Callable[[int], None] | None = None,
) -> Trained:
    """Train with SGD, in the modes that the layers have.

    Args:
        model: the network.
        data: what it learns.
        lr: learning rate.
        steps: how many, unless the loss is no longer finite.
        seed: orders the data.
        batch_size: examples a step.
        momentum: of SGD.
        at: the steps after which to measure; 0 is before the first one.
        measure: called with the model and the step; what it changes in buffers and generators is put back.
        before_step: called with the number of steps done so far.

    """
    optimizer = SGD(model.parameters(), lr=lr, momentum=momentum)
    due, found = set(at), Trained([], [], [], True)
    losses: list[float] = []

    def look(step: int) -> None:
        if measure is not None and step in due:
            with model.preserved():
                found.measured.append(measure(model, step))
            found.steps.append(step)

    look(0)
    epochs = math.ceil(steps / max(1, len(data) // batch_size))
    for images, labels in batches(data, batch_size, epochs=epochs, seed=seed, drop_last=True):
        if before_step is not None:
            before_step(len(losses))
        with Tape() as tape:
            loss = cross_entropy(model(images), labels)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            return Trained(found.steps, found.measured, losses, False)
        tape.backward(loss)
        optimizer.step()
        look(len(losses))
        if len(losses) == steps:
            break
    return Trained(found.steps, found.measured, losses, True)


def accuracy(model: Sequential, data: Dataset, training_data: Dataset) -> Evaluation:
    """Loss and accuracy with exact population statistics; the model stays as it is."""
    size = min(POPULATION, len(training_data))
    with recalibrated(model, training_data[:size], batch_size=min(1000, size)):
        return evaluate(model, data)


def points(evaluation: Evaluation, finite: bool = True) -> float:
    """Accuracy in percentage points; a network that is lost guesses: 10."""
    return 100 * evaluation.accuracy if finite and math.isfinite(evaluation.loss) else 10.0
