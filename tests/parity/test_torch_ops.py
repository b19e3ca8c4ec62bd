"""Elementwise ops, products, reductions and softmax against PyTorch, with its choices at kinks and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minidl import ops
from tests.parity.compare import compare

torch = pytest.importorskip("torch")

INF = np.inf
LINE = np.array([-INF, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, INF])
PAIRS = [a.copy() for a in np.meshgrid(LINE, LINE)]     # each with each, so all ties and all signs of zero


def normal(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.asarray(np.random.default_rng([seed, 8]).normal(size=shape))


def positive(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.asarray(np.random.default_rng([seed, 8]).uniform(0.3, 3, shape))


def floor_divide(x: Any, y: Any) -> Any:
    return torch.div(x, y, rounding_mode="floor")     # torch.floor_divide has no gradient, this has 0


BINARY: dict[str, Callable[..., Any]] = {
    "add": torch.add, "subtract": torch.subtract, "multiply": torch.multiply, "divide": torch.divide,
    "floor_divide": floor_divide, "remainder": torch.remainder, "power": torch.pow,
    "maximum": torch.maximum, "minimum": torch.minimum,
}
UNARY: dict[str, Callable[..., Any]] = {
    "negative": torch.negative, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "abs": torch.abs,
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("shapes", [
    ((3, 4), (3, 4)), ((3, 1), (2, 1, 4)), ((), (5,)), ((2, 3), (1,)), ((), ()),
], ids=str)
def test_binary_ops(name, shapes):
    draw = positive if name == "power" else normal
    compare(getattr(ops, name), BINARY[name], draw(shapes[0]), positive(shapes[1], seed=1))


@pytest.mark.parametrize("name", BINARY)
def test_binary_ops_at_ties_zeros_and_infinities(name):
    compare(getattr(ops, name), BINARY[name], *PAIRS)


@pytest.mark.parametrize("name", UNARY)
def test_unary_ops(name):
    draw = positive if name in ("log", "sqrt") else normal
    compare(getattr(ops, name), UNARY[name], draw((4, 5)) * 2)


@pytest.mark.parametrize("name", UNARY)
def test_unary_ops_at_kinks_and_infinities(name):
    compare(getattr(ops, name), UNARY[name], LINE)


@pytest.mark.parametrize("exponent", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_powers_with_a_number_for_exponent(exponent):
    # With a number ±0.5 (not with a tensor) torch.pow takes a root, whose -0.0 and -inf aren't a power's.
    x = LINE[np.isfinite(LINE) & ~np.signbit(LINE)] if abs(exponent) == 0.5 else LINE
    compare(lambda x: ops.power(x, exponent), lambda x: torch.pow(x, exponent), x)
    compare(lambda x: ops.power(abs(exponent), x), lambda x: torch.pow(abs(exponent), x), LINE)


@pytest.mark.parametrize(("low", "high"), [
    (-1, 1), (None, 0.5), (-0.5, None), (1, 1), (0, INF), (-INF, -0.0),
])
def test_clip_at_its_limits(low, high):
    compare(lambda x: ops.clip(x, low, high), lambda x: torch.clamp(x, low, high), LINE)
    compare(lambda x: ops.clip(x, low, high), lambda x: torch.clamp(x, low, high), normal((4, 5)))


def test_where():
    condition = normal((4, 1), seed=3) > 0
    compare(
        lambda x, y: ops.where(condition, x, y), lambda x, y: torch.where(torch.tensor(condition), x, y),
        normal((4, 3)), normal((3,), seed=1),
    )


# ---- reductions ------------------------------------------------------------------------------------------

AXES: list[Any] = [0, 1, -1, (0, 2), (0, 1, 2)]
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin, "logsumexp": torch.logsumexp,
    "var": lambda x, dim, keepdim: torch.var(x, dim, correction=0, keepdim=keepdim),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keep", [False, True])
def test_reductions(name, axis, keep):
    compare(
        lambda x: getattr(ops, name)(x, axis, keepdims=keep),
        lambda x: REDUCTIONS[name](x, dim=axis, keepdim=keep),
        normal((3, 4, 5)),
    )


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_unbiased_variance(axis):
    compare(lambda x: ops.var(x, axis, ddof=1), lambda x: torch.var(x, axis, correction=1), normal((3, 4, 5)))


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("levels", [1, 2, 4])
def test_equal_extremes_share_the_gradient(name, axis, levels):
    x = np.random.default_rng(levels).integers(0, levels, (3, 4, 5)).astype(np.float64)
    compare(lambda x: getattr(ops, name)(x, axis), lambda x: REDUCTIONS[name](x, axis, False), x)
    if axis == (0, 1, 2):
        compare(getattr(ops, name), getattr(torch, name), x)


ROWS = np.array([
    [1e4, -1e4, 0], [-1e4] * 3, [1e4, 1e4, 0], [0, -INF, 1], [750, 749, -750], [1e300, 0, -1e300],
    [-INF] * 3, [INF, 0, 1],
])


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_and_its_relatives(name, axis):
    ours, theirs = getattr(ops, name), getattr(torch, name)
    compare(lambda x: ours(x, axis), lambda x: theirs(x, axis), normal((4, 5)) * 3)
    compare(lambda x: ours(x, axis), lambda x: theirs(x, axis), normal((2, 3, 4)) * 30)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_softmax_and_its_relatives_far_out(name):
    ours, theirs = getattr(ops, name), getattr(torch, name)
    for row in ROWS:
        compare(lambda x: ours(x, 0), lambda x: theirs(x, 0), row)


def test_softmax_cross_entropy():
    labels = np.array([0, 2, 1, 1])
    compare(
        lambda x: ops.softmax_cross_entropy(x, labels, 0.2),
        lambda x: torch.nn.functional.cross_entropy(x, torch.tensor(labels), label_smoothing=0.2),
        normal((4, 3)),
    )


# ---- products --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shapes", [
    ((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((5, 3, 4), (4, 2)),
    ((2, 1, 3, 4), (5, 4, 2)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)),
], ids=str)
def test_matmul(shapes):
    compare(ops.matmul, torch.matmul, normal(shapes[0]), normal(shapes[1], seed=1))


@pytest.mark.parametrize(("subscripts", "shapes"), [
    ("ij,kj->ik", ((2, 3), (4, 3))), ("...ij,...jk->...ik", ((5, 1, 2, 3), (4, 3, 2))),
    ("ij,j,k->ik", ((2, 3), (3,), (4,))), ("ij->", ((2, 3),)), ("ij,ij->i", ((2, 3), (2, 3))),
], ids=str)
def test_einsum(subscripts, shapes):
    arrays = [normal(shape, seed) for seed, shape in enumerate(shapes)]
    compare(lambda *x: ops.einsum(subscripts, *x), lambda *x: torch.einsum(subscripts, *x), *arrays)
