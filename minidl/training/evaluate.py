"""How good a model is: loss and accuracy over a data set, and its predictions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.checks import whole
from minidl.datasets import Data, Dataset, as_pair
from minidl.engine.array import Array
from minidl.engine.tape import active_tape
from minidl.engine.tensor import Tensor
from minidl.layers import Layer
from minidl.losses import cross_entropy
from minidl.training.checks import (
    Loss,
    Statistics,
    check_model,
    check_pixels,
    check_statistics,
    mean_loss,
)
from minidl.training.recalibrate import BATCH_SIZE, recalibrate

# Training images behind population statistics, which are nearly exact then (Wu & Johnson 2021, section 3.2).
POPULATION = 10_000


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Attributes:
        loss: mean over the examples.
        accuracy: share of examples whose largest output is that of their class, from 0 to 1; nan where the
            targets are no class labels.

    """

    loss: float
    accuracy: float


def evaluate(
    model: Layer,
    data: Data,
    *,
    loss: Loss = cross_entropy,
    batch_size: int = 1000,
    statistics: Statistics = "moving",
    training_data: Data | None = None,
) -> Evaluation:
    """Mean loss and accuracy of a model over all examples, in evaluation mode.

    It averages over examples, not over batches, so batch_size changes the result by rounding alone. It
    changes nothing: afterwards each layer has its own mode, statistics and noise again, and a training goes
    on with the same bits.

    Args:
        model: any layer.
        data: a Dataset, or a pair (inputs, targets).
        loss: takes the outputs and the targets of a batch, returns their mean.
        batch_size: examples that are computed at a time.
        statistics: what BatchNorm normalises with: "moving" takes its moving averages, which lag behind the
            weights; "population" exact averages over the first 10,000 training images, see `recalibrate`.
        training_data: where "population" takes them from.

    Raises:
        ValueError: other statistics, or "population" without training data.
        RuntimeError: inside `with Tape()`, which would record it all.

    Example:
        >>> from minidl.layers import Dense
        >>> model = Dense(2, 3, init="zeros")
        >>> evaluate(model, (np.ones((5, 2)), np.array([0, 0, 0, 1, 2])))
        Evaluation(loss=1.0986..., accuracy=0.6)

    """
    check_model("evaluate", model)
    inputs, targets = as_pair(data, "evaluate")
    check_statistics("evaluate", statistics, training_data)
    total, correct = 0.0, 0.0
    with model.preserved():
        if statistics == "population" and training_data is not None:
            images, labels = (a[:POPULATION] for a in as_pair(training_data, "evaluate(training_data=...)"))
            recalibrate(model, (images, labels), min(BATCH_SIZE, len(images)))
        with model.evaluating():
            for start, outputs in _outputs("evaluate", model, inputs, batch_size):
                expected = targets[start : start + batch_size]
                total += len(expected) * mean_loss("evaluate", loss, outputs, expected).item()
                correct += hits(outputs.data, expected)
    return Evaluation(total / len(inputs), correct / len(inputs))


def predict(model: Layer, inputs: Any, batch_size: int = 1000) -> Array:
    """The model's outputs for all inputs, in evaluation mode; it changes nothing in the model.

    Args:
        model: any layer.
        inputs: array of inputs, such as `data.images`.
        batch_size: examples that are computed at a time.

    Returns:
        (n, classes) logits, for a classifier: `predict(model, images).argmax(axis=1)` are the classes.

    Example:
        >>> from minidl.layers import Dense
        >>> predict(Dense(4, 3), np.zeros((5, 4))).shape
        (5, 3)

    """
    check_model("predict", model)
    if isinstance(inputs, Dataset | tuple):
        raise TypeError("predict expects an array of inputs, got inputs with targets: use data.images")
    array = np.asarray(inputs)
    if array.ndim == 0 or not len(array):
        raise ValueError(f"predict expects inputs (n, ...), at least one, got shape {array.shape}")
    with model.preserved(), model.evaluating():
        return np.concatenate([outputs.data for _, outputs in _outputs("predict", model, array, batch_size)])


def hits(outputs: Array, targets: Array) -> float:
    """Number of rows whose largest output is at their class; nan where the targets are no class labels."""
    if targets.ndim != 1 or targets.dtype.kind not in "iu" or outputs.ndim != 2 or outputs.shape[1] < 2:
        return math.nan
    return int(np.count_nonzero(outputs.argmax(1) == targets))


def _outputs(where: str, model: Layer, inputs: Array, batch_size: int) -> Iterator[tuple[int, Tensor]]:
    """(start, outputs) of each batch."""
    size = whole(where, "batch_size", batch_size)
    if active_tape() is not None:
        raise RuntimeError(f"{where} would be recorded: call it outside `with Tape()`")
    check_pixels(where, inputs)
    for start in range(0, len(inputs), size):
        yield start, model(inputs[start : start + size])
