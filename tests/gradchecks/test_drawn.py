"""Gradients against central differences over shapes, axes, strides and indices that hypothesis draws.

Every public op, loss and layer; 0-d, empty and broadcast arrays, axes of length 1, six layouts of memory for
the inputs and for the upstream gradient; every element; float64; random upstream gradients; apart from kinks.
The error max|a - n| / max(max|a|, max|n|, floor) is at most 1e-7 with a floor of 1e-3: the differences carry
rounding noise of about 1e-11, so a gradient that is truly 0 can only be told from 0 in absolute terms (see
`minidl.engine.gradcheck`).
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl import layers, losses, ops
from minidl.engine.gradcheck import GradcheckError
from tests.gradchecks.draw import Drawn, drawn, layouts, seeds, through_layouts
from tests.gradchecks.drawn_layers import LAYERS, LOSSES, InLayouts
from tests.gradchecks.drawn_ops import OPS

FUNCTIONS = OPS | LOSSES


def check(function: Any, arrays: list[np.ndarray], seed: int = 0) -> None:
    """By differences if there is any element; else the gradients exist, in shapes that the tape checks."""
    parameters = function.parameters() if isinstance(function, layers.Layer) else []
    if any(t.size for t in [*arrays, *parameters]):
        dl.gradcheck(function, *arrays, seed=seed)
        return
    leaves = [dl.Tensor(a, requires_grad=True) for a in arrays]
    with dl.Tape() as tape:
        y = function(*leaves)
    gradients = tape.gradients(y, leaves, gradient=np.ones(y.shape))
    assert [g.shape for g in gradients] == [a.shape for a in arrays]


def test_every_public_op_loss_and_layer_is_drawn() -> None:
    public = {n for n, f in vars(losses).items() if inspect.isfunction(f) and f.__module__ == "minidl.losses"}
    assert set(OPS) == set(ops.__all__)
    assert set(LOSSES) == {name for name in public if not name.startswith("_")}
    kinds = {f for f in vars(layers).values() if isinstance(f, type) and issubclass(f, layers.Layer)}
    assert set(LAYERS) == kinds - {layers.Layer}


@pytest.mark.parametrize("name", FUNCTIONS)
@drawn(36)
@given(data=st.data())
def test_ops_and_losses(name: str, data: st.DataObject) -> None:
    case: Drawn = data.draw(FUNCTIONS[name])
    inputs, upstream = [data.draw(layouts) for _ in case.arrays], data.draw(layouts)
    check(through_layouts(case.function, inputs, upstream), list(case.arrays), data.draw(seeds))


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
@drawn(30)
@given(data=st.data())
def test_layers(kind: type[layers.Layer], data: st.DataObject) -> None:
    case: Drawn = data.draw(LAYERS[kind])
    assert isinstance(case.function, layers.Layer)
    layer = InLayouts(case.function, [data.draw(layouts)], data.draw(layouts))
    layer.training = case.function.training
    check(layer, list(case.arrays), data.draw(seeds))


@pytest.mark.parametrize("name", FUNCTIONS)
@drawn(4)
@given(data=st.data())
def test_a_damaged_gradient_is_rejected_in_drawn_cases_too(name: str, data: st.DataObject) -> None:
    """One part in 10,000 too much, where the gradient is no mere rounding error."""
    case: Drawn = data.draw(FUNCTIONS[name])
    leaves = [dl.Tensor(a, requires_grad=True) for a in case.arrays]
    with dl.Tape() as tape:
        y = case.function(*leaves)
    upstream = np.random.default_rng(0).normal(size=y.shape)
    for i, part in enumerate(tape.gradients(y, leaves, gradient=upstream)):
        if not part.size or np.abs(part).max() < 0.05:
            continue

        def damaged(*inputs: dl.Tensor, i: int = i) -> dl.Tensor:
            changed = list(inputs)
            x = changed[i]
            changed[i] = dl.record("damage", x.data.copy(), (x,), lambda g: (g * 1.0001,))
            y: dl.Tensor = case.function(*changed)
            return y

        with pytest.raises(GradcheckError):
            dl.gradcheck(damaged, *case.arrays)
