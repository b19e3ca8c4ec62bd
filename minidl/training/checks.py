"""Checks that several functions of this package share: of arguments, of data, of what a loss returns."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from minidl.datasets import Data
from minidl.engine.array import Array, describe
from minidl.engine.tensor import Tensor

Statistics: TypeAlias = Literal["moving", "population"]


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


def scalar(where: str, loss: Any) -> Tensor:
    """What a loss returned, if it is a scalar tensor."""
    if not isinstance(loss, Tensor):
        got = describe(loss)
        raise TypeError(f"{where} expects loss to return a scalar tensor, got {got}: use minidl.ops")
    if loss.size != 1:
        raise ValueError(f"{where} expects loss to return a scalar, got shape {loss.shape}: use its .mean()")
    return loss
