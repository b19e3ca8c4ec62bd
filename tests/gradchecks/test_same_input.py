"""The same input used twice, thrice, as both operands, and in a diamond: gradients must add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl import losses, ops
from tests.gradchecks.draw import Drawn, apart, drawn, normal, positive, seeds
from tests.gradchecks.drawn_layers import LOSSES
from tests.gradchecks.drawn_ops import OPS, shapes

FUNCTIONS = OPS | LOSSES
Function = Callable[..., Any]


def thrice(f: Function) -> Function:
    """Leaves used by three records, with three upstream gradients."""
    return lambda *x: f(*x) + 0.5 * f(*x) - f(*x) * 2.0


def shared_intermediates(f: Function) -> Function:
    """Results (not leaves) that two records of the op use, and a sum besides."""

    def shared(*x: dl.Tensor) -> dl.Tensor:
        between = [dl.record("identity", t.data.copy(), (t,), lambda g: (g,)) for t in x]
        y: dl.Tensor = f(*between) * 1.5
        y = y + f(*between)
        for t in between:
            y = y + t.sum() * (0.3 / max(1, t.size))
        return y

    return shared


def diamond(f: Function) -> Function:
    """One result goes two ways that meet again in a product of both, and in the result itself."""

    def diamond(*x: dl.Tensor) -> dl.Tensor:
        y: dl.Tensor = f(*x)
        return ops.tanh(0.3 * y) * (y + 0.7) - y

    return diamond


@pytest.mark.parametrize("shape", [thrice, shared_intermediates, diamond])
@pytest.mark.parametrize("name", FUNCTIONS)
@drawn(4)
@given(data=st.data())
def test_inputs_used_several_times(
    name: str, shape: Callable[[Function], Function], data: st.DataObject
) -> None:
    case: Drawn = data.draw(FUNCTIONS[name].filter(lambda case: any(a.size for a in case.arrays)))
    dl.gradcheck(shape(case.function), *case.arrays, seed=data.draw(seeds))


Values = Callable[..., list[np.ndarray]]
SAME: dict[str, tuple[Function, Values]] = {
    **{name: (getattr(ops, name), normal) for name in ("add", "subtract", "multiply", "maximum", "minimum")},
    **{name: (getattr(ops, name), positive) for name in ("divide", "power", "floor_divide", "remainder")},
    "where": (lambda x, y: ops.where(np.arange(x.size).reshape(x.shape) % 2 == 0, x, 3.0 * y), normal),
    "concatenate": (lambda x, y: ops.concatenate([ops.reshape(x, -1), ops.reshape(y, -1)]), normal),
    "stack": (lambda x, y: ops.stack([x, y, x], -1), normal),
    "einsum": (lambda x, y: ops.einsum("...,...->...", x, y), normal),
    "mse": (lambda x, y: losses.mse(x, 2.0 * y), normal),
    "mae": (lambda x, y: losses.mae(x, -y), apart),
    "huber": (lambda x, y: losses.huber(x, -y, 1.4), apart),
    "binary_cross_entropy": (lambda x, y: losses.binary_cross_entropy(x, ops.sigmoid(y)), normal),
}


@pytest.mark.parametrize("name", SAME)
@drawn(12)
@given(data=st.data())
def test_the_same_tensor_as_both_operands(name: str, data: st.DataObject) -> None:
    """f(x, x): one record, whose input is the same tensor twice; and of a result instead of a leaf."""
    f, values = SAME[name]
    (a,) = values(data.draw(seeds), data.draw(shapes(side=1)))
    dl.gradcheck(lambda x: f(x, x), a)
    dl.gradcheck(lambda x: (lambda u: f(u, u) + u.sum())(x * 1.0), a)


SQUARE = {
    "matmul": ((3, 3), lambda x: x @ x), "batched matmul": ((2, 3, 3), lambda x: x @ x),
    "inner product": ((4,), lambda x: x @ x), "with its transpose": ((2, 3), lambda x: x @ x.T),
    "dense": ((3, 3), lambda x: ops.dense(x, x, x[0])),
    "einsum": ((3, 3), lambda x: ops.einsum("ij,jk,kl", x, x, x)),
    "einsum, twice the same letters": ((2, 3), lambda x: ops.einsum("ij,ij->i", x, x)),
    "conv2d": ((2, 2, 3, 3), lambda x: ops.conv2d(x, x, x[0, 0, 0], 1, 1)),
    "conv2d, x in two of them": ((2, 4, 4, 1), lambda x: ops.conv2d(x, x[:1, :2, :2, 0, None, None].reshape(
        (2, 2, 1, 1)), None, 2) + ops.conv2d(x * x, np.ones((2, 2, 1, 1)), None, 2)),
    "batch_norm": ((4, 3), lambda x: ops.batch_norm(x, x[0], x[1])[0]),
    "batch_norm, gamma as beta": ((3,), lambda x: ops.batch_norm(np.eye(4, 3), x, x)[0]),
    "batch_norm_inference": (
        (4, 3), lambda x: ops.batch_norm_inference(x, x[0], x[0], np.ones(3), np.ones(3))
    ),
    "layer_norm": ((4, 3), lambda x: ops.layer_norm(x, x[0], x[1])),
    "group_norm": ((3, 4), lambda x: ops.group_norm(x, 2, x[0], x[0])),
    "pools": ((1, 4, 4, 2), lambda x: ops.max_pool2d(x, 2) * ops.avg_pool2d(x, 2)),
    "getitem": ((4, 3), lambda x: x[[0, 0, 3]] * x[1:] + x[0] * x[..., :1][[1, 1, 1]]),
    "broadcast against itself": ((3, 1), lambda x: x * x.T + x),
    "softmax attention": ((3, 3), lambda x: ops.softmax(x @ x.T) @ x),
    "cross_entropy": ((4, 3), lambda x: losses.cross_entropy(x * x[:, :1], np.array([0, 2, 1, 1])) * x[0, 0]),
    "statistics": (
        (4, 3), lambda x: (x - x.mean(0)) / ops.sqrt(x.var(0) + 0.1) * x.max() + ops.logsumexp(x, 1)[:, None]
    ),
}


@pytest.mark.parametrize("name", SQUARE)
def test_the_same_tensor_where_shapes_must_fit(name: str) -> None:
    shape, f = SQUARE[name]
    for seed in range(3):
        dl.gradcheck(f, *apart(seed, shape), seed=seed)
        dl.gradcheck(lambda x: f(x * 1.0) + f(x), *apart(seed, shape), seed=seed)


@pytest.mark.parametrize("name", FUNCTIONS)
@drawn(10)
@given(data=st.data())
def test_no_op_of_several_tensors_is_left_out(name: str, data: st.DataObject) -> None:
    case: Drawn = data.draw(FUNCTIONS[name])
    if len(case.arrays) > 1:
        assert name in SAME or any(key.startswith(name) for key in SQUARE)
