"""The probe: a tape of what a model does with some images, for the other instruments to read."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from minidl.engine.array import Array
from minidl.engine.record import Record
from minidl.engine.tape import Tape


class Network(Protocol):
    """What is needed of a `minidl.layers.Layer` (layers lie above instruments, so its shape stands here)."""

    def __call__(self, x: Any, /) -> Any:
        """Run it."""

    def evaluating(self) -> AbstractContextManager[None]:
        """Evaluation mode inside the `with`."""

    def preserved(self) -> AbstractContextManager[None]:
        """What forward passes change inside the `with` is put back afterwards."""


def probe(model: Network, images: Array) -> Tape:
    """Send images through a model in evaluation mode, and return the tape; nothing in the model changes.

    BatchNorm normalises with its running statistics; for exact ones probe inside `with recalibrated(model,
    data):`. The tape holds every activation: probe some hundreds or thousands of images, not all.

    Args:
        model: any layer.
        images: (n, ...), a fixed probe, such as the first 1,000 training images.

    Example:
        >>> import numpy as np
        >>> from minidl.layers import Dense, Sequential, Sigmoid
        >>> tape = probe(Sequential(Dense(4, 3), Sigmoid()), np.zeros((5, 4)))
        >>> [record.op for record in tape.records]
        ['dense', 'sigmoid']

    """
    if hasattr(images, "images"):
        raise TypeError(f"probe expects an array of images, got a {type(images).__name__}: use data.images")
    with model.preserved(), model.evaluating(), Tape() as tape:
        model(images)
    return tape


def sigmoids(where: str, tape: Tape) -> list[Record]:
    """The sigmoid records of a tape, in order; ValueError if there are none."""
    check_tape(where, tape)
    found = tape.find(op="sigmoid")
    if not found:
        ops = ", ".join(dict.fromkeys(record.op for record in tape.records)) or "nothing"
        raise ValueError(f"{where} expects a tape with sigmoids, got {ops}: probe a network with Sigmoid()")
    return found


def check_tape(where: str, tape: Tape) -> None:
    """Raise unless it is a tape."""
    if not isinstance(tape, Tape):
        raise TypeError(f"{where} expects a tape, got a {type(tape).__name__}: use probe(model, images)")


def by_unit(array: Array) -> Array:
    """(..., units) as (values, units): a feature map is one unit, with a value an image and position."""
    return array.reshape(-1, array.shape[-1])
