"""Gradient flow: how large the gradients are, layer by layer, and how far each step moves the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from minidl.engine.array import Array, norm
from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape
from minidl.instruments.probe import check_tape


class Parameters(Protocol):
    """What is needed of a `minidl.layers.Layer` (layers lie above instruments, so its shape stands here)."""

    def named_parameters(self) -> Iterable[tuple[str, Parameter]]:
        """(dotted name, parameter) of each."""


@dataclass(frozen=True)
class ParameterGradient:
    """Size of one parameter and of its gradient.

    Attributes:
        name: dotted name.
        gradient: 2-norm of the gradient.
        value: 2-norm of the parameter.

    """

    name: str
    gradient: float
    value: float


@dataclass(frozen=True)
class ActivationGradient:
    """Size of the gradient that reached the output of one op.

    Attributes:
        layer: dotted path of the layer; "" outside any.
        op: the op's name.
        gradient: 2-norm of the loss's gradient with respect to the output.

    """

    layer: str
    op: str
    gradient: float


def parameter_gradients(model: Parameters) -> list[ParameterGradient]:
    """Norms of the gradients of all parameters that have one, between `tape.backward` and `optimizer.step`.

    Raises:
        ValueError: if none has a gradient.

    Example:
        >>> from minidl import Tape
        >>> from minidl.layers import Dense
        >>> model = Dense(1, 2)
        >>> with Tape() as tape:
        ...     loss = model([[1.0]]).sum()
        >>> tape.backward(loss)
        >>> [(row.name, round(row.gradient, 3)) for row in parameter_gradients(model)]
        [('weight', 1.414), ('bias', 1.414)]

    """
    found = [
        ParameterGradient(name, norm(parameter.grad), norm(parameter.data))
        for name, parameter in model.named_parameters() if parameter.grad is not None
    ]
    if not found:
        raise ValueError("parameter_gradients found none: call it between tape.backward and optimizer.step")
    return found


def activation_gradients(tape: Tape) -> list[ActivationGradient]:
    """Norms of the gradients of all records that were kept, in the order of the records.

    Args:
        tape: a `Tape(keep_gradients=True)` after backward.

    Raises:
        ValueError: if the tape kept none.

    """
    check_tape("activation_gradients", tape)
    found = [
        ActivationGradient(record.layer or "", record.op, norm(record.gradient))
        for record in tape.records if record.gradient is not None
    ]
    if not found:
        raise ValueError("activation_gradients found none: use Tape(keep_gradients=True), and backward first")
    return found


def update_ratios(before: Mapping[str, Array], after: Mapping[str, Array]) -> dict[str, float]:
    """Size of each update over size of the weight, |after - before| / |before|; near 1e-3 in a healthy run.

    Args:
        before: arrays by name, such as `model.state_dict()` before a step.
        after: the same after it.

    Returns:
        2-norms' ratios, infinite for a weight that was zero and moved, 0 for one that didn't move.

    Raises:
        ValueError: names that aren't in both.

    Example:
        >>> update_ratios({"weight": np.array([3.0, 4.0])}, {"weight": np.array([3.0, 4.5])})
        {'weight': 0.1}

    """
    if before.keys() != after.keys():
        raise ValueError(f"update_ratios expects the same names twice, got {list(before)} and {list(after)}")
    ratios = {}
    for name, old in before.items():
        moved, size = norm(after[name] - old), norm(old)
        ratios[name] = moved / size if size else (np.inf if moved else 0.0)
    return ratios
