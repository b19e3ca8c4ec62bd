"""Activations: values against other formulas, extreme inputs, kinks."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minidl as dl
from minidl import ops

X = np.random.default_rng(0).normal(size=(5, 4)) * 3


def gradient(f, x):
    return dl.grad(lambda t: f(t).sum())(x)


def test_sigmoid_equals_half_a_tanh():
    np.testing.assert_allclose(ops.sigmoid(X).data, 0.5 * (1 + np.tanh(X / 2)), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_and_its_gradient_stay_finite_for_any_input(dtype):
    x = np.array([-1e4, -745, -104, -89, -40, 0, 40, 89, 1e4, np.inf, -np.inf], dtype)
    y, g = ops.sigmoid(x).data, gradient(ops.sigmoid, x)
    exact = [0.0 if v < -700 else 1 / (1 + math.exp(-float(v))) for v in x]
    np.testing.assert_allclose(y, exact, rtol=1e-6, atol=1e-38)
    assert np.isfinite(g).all()
    np.testing.assert_allclose(g, [e * (1 - e) for e in exact], atol=1e-7)
    assert y.dtype == g.dtype == dtype


def test_tanh_equals_its_exponentials():
    np.testing.assert_allclose(ops.tanh(X).data, (np.exp(2 * X) - 1) / (np.exp(2 * X) + 1), rtol=1e-12)
    assert ops.tanh([-1e4, 1e4]).data.tolist() == [-1, 1]


def test_relu_has_gradient_0_at_0():
    x = np.array([-1.0, 0.0, 2.0])
    assert ops.relu(x).data.tolist() == [0, 0, 2]
    assert gradient(ops.relu, x).tolist() == [0, 0, 1]


def test_leaky_relu_has_its_slope_at_0():
    x = np.array([-2.0, 0.0, 2.0])
    assert ops.leaky_relu(x, 0.1).data.tolist() == [-0.2, 0, 2]
    assert gradient(lambda t: ops.leaky_relu(t, 0.1), x).tolist() == [0.1, 0.1, 1]
    assert ops.leaky_relu([-1.0]).data.tolist() == pytest.approx([-0.01])
    assert ops.leaky_relu([-1.0], np.float64(0.1)).dtype == np.float32


def test_gelu_is_the_tanh_form():
    def formula(x):
        return x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    np.testing.assert_allclose(ops.gelu(X).data, [[formula(v) for v in row] for row in X], rtol=1e-12)
    exact = [v / 2 * (1 + math.erf(v / math.sqrt(2))) for v in X.ravel()]
    np.testing.assert_allclose(ops.gelu(X).data.ravel(), exact, atol=2e-3)     # close, but not the same
    assert ops.gelu([-1e3, 1e3]).data.tolist() == [0, 1e3]


def test_an_activation_is_a_record_of_its_own():
    with dl.Tape() as tape:
        x = dl.Tensor(X) @ np.ones((4, 2))
        ops.sigmoid(x)
    (record,) = tape.find(op="sigmoid")
    assert record.inputs[0] is x
