"""Batch normalization, activations and dense layers larger than one block, on two threads that really run.

The sizes are odd on purpose: rows of which few lie side by side, last blocks of a single row. As with images,
random elements and one random direction for each input, in which every other element counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.engine import blocks
from minidl.engine.array import Array
from tests.gradchecks.conftest import both_threads_worked
from tests.gradchecks.draw import normal, positive

# x of batch normalization, in blocks of 65,536 numbers: 7 of them; a second one of 1 number; prime numbers of
# rows; rows that lie 25 and 3 side by side; long rows.
SHAPES = [
    (125, 27, 27, 5), (196_613, 1), (30_011, 7), (3300, 64), (3 * 1583, 41), (199, 1009), (2, 3, 331, 107),
]
Case = tuple[Callable[..., dl.Tensor], list[Array]]


def normalised(shape: tuple[int, ...], training: bool) -> Case:
    """Means and spreads differ from feature to feature, and means from position to position."""
    features = shape[-1:]
    x, place, gamma, beta, mean = normal(1, shape, (*shape[1:-1], 1), features, features, features)
    spread, var = positive(2, features, features)
    x = (x + place / 2) * spread + mean
    if training:
        return lambda x, gamma, beta: ops.batch_norm(x, gamma, beta)[0], [x, gamma, beta]
    return lambda x, gamma, beta: ops.batch_norm_inference(x, gamma, beta, mean, var), [x, gamma, beta]


def activation(name: str, shape: tuple[int, ...]) -> Case:
    """Numbers of both signs; where 0 is a kink, many steps of the differences away from it."""
    if name in ("relu", "leaky_relu"):
        return getattr(ops, name), [np.copysign(abs(a) + 0.1, a) for a in normal(3, shape)]
    return getattr(ops, name), normal(3, shape)


def dense(m: int, n: int, k: int) -> Case:
    assert m * n * k > blocks.WORTH_THREADS
    return ops.dense, normal(4, (m, n), (n, k), (k,))


CASES: dict[str, Case] = {
    f"batch_norm{shape}, {mode}": normalised(shape, mode == "training")
    for shape in SHAPES for mode in ("training", "evaluation")
}
CASES |= {
    f"{name}{shape}": activation(name, shape)
    for name in ("sigmoid", "relu", "tanh", "leaky_relu", "gelu")
    for shape in ((blocks.WORTH_SHARING + 1,), (7, 251, 376))
}
CASES |= {"dense(301, 251, 257)": dense(301, 251, 257), "dense(1031, 130, 129)": dense(1031, 130, 129)}

IN_ONE_PIECE = ("leaky_relu", "gelu")


@pytest.mark.parametrize("name", CASES)
def test_gradients(pool_of_two: list[str], name: str) -> None:
    function, arrays = CASES[name]
    dl.gradcheck(function, *arrays, samples=4)
    assert both_threads_worked(pool_of_two) == (not name.startswith(IN_ONE_PIECE))


def step(name: str, dtype: Any) -> list[Array]:
    """The output, and the gradients for a random upstream gradient."""
    function, arrays = CASES[name]
    leaves = [dl.Tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    with dl.Tape() as tape:
        y = function(*leaves)
    upstream = normal(5, y.shape)[0].astype(dtype)
    return [y.data, *tape.gradients(y, leaves, gradient=upstream)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith(IN_ONE_PIECE)])
def test_one_and_two_threads_give_the_same_bits(pool_of_two: list[str], name: str, dtype: Any) -> None:
    if "evaluation" in name:        # its mean and var are float64: so is what it is called with
        dtype = np.float64
    on_two = step(name, dtype)
    assert both_threads_worked(pool_of_two)
    dl.set_threads(1)
    pool_of_two.clear()
    on_one = step(name, dtype)
    assert not any(thread.startswith("minidl") for thread in pool_of_two)
    for two, one in zip(on_two, on_one, strict=True):
        np.testing.assert_array_equal(two, one)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_statistics_and_gradients_are_those_of_the_formulas(
    pool_of_two: list[str], shape: tuple[int, ...], training: bool
) -> None:
    """Every element, not samples: against NumPy's own sums, in one piece."""
    function, (x, gamma, beta) = normalised(shape, training)
    leaves = [dl.Tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    with dl.Tape() as tape:
        y = function(*leaves)
    g = normal(6, shape)[0]
    dx, dgamma, dbeta = tape.gradients(y, leaves, gradient=g)
    axes = tuple(range(x.ndim - 1))
    if training:
        mean, var = x.mean(axes), x.var(axes)
    else:
        features = shape[-1:]
        mean = normal(1, shape, (*shape[1:-1], 1), features, features, features)[4]
        var = positive(2, features, features)[1]
    x_hat = (x - mean) / np.sqrt(var + 1e-5)
    limits = {"rtol": 1e-10, "atol": 1e-9}
    np.testing.assert_allclose(y.data, gamma * x_hat + beta, **limits)
    np.testing.assert_allclose(dbeta, g.sum(axes), **limits)
    np.testing.assert_allclose(dgamma, (g * x_hat).sum(axes), **limits)
    away = g.mean(axes) + x_hat * (g * x_hat).mean(axes) if training else 0
    np.testing.assert_allclose(dx, gamma / np.sqrt(var + 1e-5) * (g - away), **limits)
