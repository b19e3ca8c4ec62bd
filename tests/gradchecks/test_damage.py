"""Every op's vector-Jacobian product is damaged, and its registered check must see it: no check is blind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import minidl as dl
from minidl.engine.gradcheck import GradcheckError
from minidl.engine.tape import active_tape
from minidl.gradchecks.ops import CASES, Case

Parts = Sequence[Any]
Damage = Callable[[Parts], Parts]


def with_damage(case: Case, damage: Damage) -> Callable[..., dl.Tensor]:
    """The case's function; the last op that it records sends back damaged gradients."""

    def damaged(*inputs: dl.Tensor) -> dl.Tensor:
        y: dl.Tensor = case.function(*inputs)
        tape = active_tape()
        if tape is not None:        # the differences are computed without any
            record = tape.records[-1]
            vjp = record.vjp
            assert vjp is not None
            record.vjp = lambda g: damage(list(vjp(g)))
        return y

    return damaged


def is_rejected(case: Case, damage: Damage) -> bool:
    try:
        dl.gradcheck(with_damage(case, damage), *case.inputs())
    except (GradcheckError, ValueError):     # ValueError: the tape itself refuses a gradient that is missing
        return True
    return False


def true_parts(case: Case) -> list[np.ndarray | None]:
    """What the last op really sends back to inputs of the case, for a random upstream gradient."""
    leaves = [dl.Tensor(a, requires_grad=True) for a in case.inputs()]
    with dl.Tape() as tape:
        y = case.function(*leaves)
    record = tape.records[-1]
    assert record.vjp is not None
    parts = record.vjp(np.random.default_rng(4).normal(size=y.shape))
    return [part if x.requires_grad else None for x, part in zip(record.inputs, parts, strict=True)]


def changed(i: int, change: Callable[[np.ndarray], Any]) -> Damage:
    """Damage the gradient of input i alone."""
    return lambda parts: [change(p) if k == i and p is not None else p for k, p in enumerate(parts)]


DAMAGES: dict[str, Callable[[np.ndarray], Any]] = {
    "times 1.0001": lambda p: p * 1.0001,
    "zero": np.zeros_like,
    "sign flipped": lambda p: -p,
    "dropped": lambda p: None,
}


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_damage_of_every_input_is_rejected(case: Case, name: str) -> None:
    for i, part in enumerate(true_parts(case)):
        if part is None or not part.size:
            continue
        if np.any(part) or name == "dropped":
            assert is_rejected(case, changed(i, DAMAGES[name])), f"input {i}: {name} went unnoticed"
        else:       # a gradient that is zero everywhere can't be scaled: add to it
            assert is_rejected(case, changed(i, lambda p: p + 0.01)), f"input {i}: 0.01 too much"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_transposed_gradient_is_rejected_where_shapes_allow(case: Case) -> None:
    for i, part in enumerate(true_parts(case)):
        if part is None or part.ndim < 2 or part.shape[-1] != part.shape[-2]:
            continue
        if not np.allclose(part, part.swapaxes(-1, -2)):
            assert is_rejected(case, changed(i, lambda p: p.swapaxes(-1, -2))), f"input {i}"


def test_the_undamaged_ops_pass_the_same_way() -> None:
    for case in CASES:
        assert not is_rejected(case, lambda parts: parts), case
