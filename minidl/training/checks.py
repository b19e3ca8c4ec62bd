"""Checks that several functions of this package share: of arguments, of data, of what a loss returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from minidl.datasets import Data
from minidl.engine.array import Array, describe
from minidl.engine.tensor import Tensor
from minidl.layers import Layer

Statistics: TypeAlias = Literal["moving", "population"]

Loss: TypeAlias = Callable[[Tensor, Array], Tensor]
"""A loss: takes the model's outputs and the targets of a batch, and returns their mean, a scalar."""


def check_statistics(where: str, statistics: Statistics, training_data: Data | None) -> None:
    """Raise unless the choice of statistics can be met."""
    if statistics not in ("moving", "population"):
        raise ValueError(f"{where} expects statistics 'moving' or 'population', got {statistics!r}")
    if statistics == "population" and training_data is None:
        raise ValueError(f"{where} expects training_data= for statistics='population': pass the training set")


def check_pixels(where: str, inputs: Array) -> None:
    """Raise if the inputs look like images whose pixels were left in 0 to 255: they train, but badly.

    That is: at least 64 numbers an example, all of them whole and from 0 up, the largest from 128 to 255.
    """
    sample = inputs[:1000]
    if sample.dtype.kind not in "iuf" or sample[0].size < 64:
        return
    low, high = sample.min(), sample.max()
    if low >= 0 and 128 <= high <= 255 and (sample == np.rint(sample)).all():
        raise ValueError(
            f"{where} expects images in [0, 1], got {describe(inputs)} with whole numbers up to {high:g}, "
            f"which look like pixels: divide by 255"
        )


def check_model(where: str, model: Layer) -> None:
    """Raise unless it is a layer."""
    if not isinstance(model, Layer):
        raise TypeError(f"{where} expects a model first, got {describe(model)}: make one with minidl.layers")


def mean_loss(where: str, loss: Loss, outputs: Tensor, targets: Array) -> Tensor:
    """What the loss of a batch is, if it is a scalar tensor."""
    if not callable(loss):
        raise TypeError(f"{where} expects loss as a function such as minidl.losses.mse, got {loss!r}")
    value = loss(outputs, targets)
    if not isinstance(value, Tensor):
        got = describe(value)
        raise TypeError(f"{where} expects loss to return a scalar tensor, got {got}: use minidl.ops")
    if value.size != 1:
        raise ValueError(f"{where} expects loss to return a scalar, got shape {value.shape}: use its .mean()")
    return value
