"""Why the checks are as they are: the usual ones, seen in courses, let nearly all wrong BNs pass."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from tests.grading import wrong
from tests.grading.right import ByTape
from tests.grading.test_layers import CATALOGUE

X = np.random.default_rng(0).normal(3, 2, (400, 4))
TOLERANCE = 1e-2

LOSSES = {"sum of y": lambda y: y.sum(), "sum of y squared": lambda y: (y * y).sum()}


def gradient_of_x(layer, loss):
    x = dl.Tensor(X.copy(), requires_grad=True)
    with dl.Tape() as tape:
        value = loss(layer(x))
    if value.requires_grad:
        tape.backward(value)
    return np.full(X.shape, np.nan) if x.grad is None else x.grad


def blind(implementation, loss):
    """A check that proves nothing; every line of it looks right.

    gamma is 1 and beta 0, the upstream gradient is 1 or 2·y, one large dense batch, whose statistics the
    running ones have long reached, 1 % is near enough.
    """
    layer = implementation(4, momentum=0.1, eps=1e-5, affine=True).astype(np.float64)
    for _ in range(100):
        y = layer(X.copy()).data
    normalised = np.allclose(y.mean(0), 0, atol=TOLERANCE) and np.allclose(y.std(0), 1, atol=TOLERANCE)
    statistics = np.allclose(layer.running_mean, X.mean(0), rtol=TOLERANCE) and np.allclose(
        layer.running_var, X.var(0), rtol=TOLERANCE
    )
    step = np.zeros_like(X)
    step[1, 1] = 1e-4
    numeric = (loss(layer(X + step)).item() - loss(layer(X - step)).item()) / 2e-4
    gradients = abs(gradient_of_x(layer, loss)[1, 1] - numeric) < TOLERANCE
    layer.eval()
    evaluation = np.allclose(layer(X.copy()).data, y, atol=TOLERANCE)
    return bool(normalised and statistics and gradients and evaluation)


# Even a blind check sees that no gradient comes back at all.
SEEN = {wrong.NotLinked, wrong.OnlyXNotLinked}
ENTRIES = [layer for layers in CATALOGUE.values() for layer in layers]


@pytest.mark.parametrize("implementation", ENTRIES)
def test_wrong_ones_pass_a_blind_check(implementation):
    passes = {name for name, loss in LOSSES.items() if blind(implementation, loss)}
    # The mean's term alone shows with ones (dx = 1/σ, not 0), the variance's term with 2·y (2·x̂/σ, not 0).
    expected = set(LOSSES)
    if implementation is wrong.MeanDetached:
        expected = {"sum of y squared"}
    if implementation in (wrong.VarianceDetached, wrong.SignFlipped):
        expected = {"sum of y"}
    assert passes == (set() if implementation in SEEN else expected)


def test_a_right_one_passes_them_too():
    assert all(blind(ByTape, loss) for loss in LOSSES.values())


def test_why():
    # The outputs' sum is m·beta whatever x is, and the sum of their squares m·var/(var + eps): both gradients
    # are zero, and what is multiplied by zero may be anything. A random upstream gradient sees it.
    right, flipped, detached = ByTape(4), wrong.SignFlipped(4), wrong.MeanDetached(4)
    layers = [layer.astype(np.float64) for layer in (right, flipped, detached)]
    g = np.random.default_rng(1).normal(size=X.shape)
    by_sum, by_squares, by_random = (
        [gradient_of_x(layer, loss) for layer in layers]
        for loss in (*LOSSES.values(), lambda y: (y * g).sum())
    )
    assert abs(by_sum[0]).max() < 1e-10 and abs(by_sum[1]).max() < 1e-10
    assert abs(by_squares[0]).max() < 1e-4 and abs(by_squares[2]).max() < 1e-4
    assert abs(by_random[0]).max() > 0.5
    assert all(abs(by_random[0] - other).max() > 0.01 for other in by_random[1:])
