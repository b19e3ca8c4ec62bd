"""float32 where it hurts: huge inputs, large means, long sums, constant features, saturated layers.

What float32 gives is held against the same formula in float64, of the same float32 inputs, written down here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.layers import BatchNorm, Dense, ReLU, Sequential, Sigmoid, Tanh

Array = np.ndarray
F32 = np.float32
POWERS = np.concatenate([np.geomspace(1e-30, 1e4, 35), np.linspace(0.1, 120, 400)])
LINE = np.concatenate([-POWERS[::-1], [-0.0, 0.0], POWERS]).astype(F32)     # 1e4 and -1e4 are its ends


def run(f: Callable[..., Any], *arrays: Array, upstream: Array | None = None) -> tuple[Array, list[Array]]:
    """The value and the gradients; an invalid operation, an overflow or a division by zero is an error."""
    leaves = [dl.Tensor(a, requires_grad=True) for a in arrays]
    with np.errstate(over="raise", invalid="raise", divide="raise"), dl.detect_anomaly():
        with dl.Tape() as tape:
            y = f(*leaves)
        upstream = np.ones(y.shape) if upstream is None else upstream
        gradients = tape.gradients(y, leaves, gradient=upstream.astype(y.dtype))
    for a in (y.data, *gradients):
        assert a.dtype == F32
        assert np.isfinite(a).all()
    return y.data, gradients


# ---- sigmoid, softmax, losses, to ±1e4 -------------------------------------------------------------------


def sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))      # never overflows
    return np.where(x < 0, e, 1.0) / (1 + e)


def test_sigmoid_and_its_gradient() -> None:
    y, (dx,) = run(ops.sigmoid, LINE)
    x = LINE.astype(np.float64)
    # On the left it is right in all digits, down to where float32 itself ends (1e-38).
    np.testing.assert_allclose(y, sigmoid(x), rtol=5e-7, atol=1e-37)
    np.testing.assert_allclose(dx[x < 0], (sigmoid(x) * sigmoid(-x))[x < 0], rtol=1e-6, atol=1e-37)
    np.testing.assert_allclose(dx, sigmoid(x) * sigmoid(-x), rtol=1e-6, atol=1e-7)  # 1 - y has 1's last digit
    assert y[0] == 0
    assert y[-1] == 1
    assert dx[0] == dx[-1] == 0


@pytest.mark.parametrize(("op", "value", "slope"), [
    (ops.tanh, np.tanh, lambda x: 4 * sigmoid(2 * x) * sigmoid(-2 * x)),
    (ops.relu, lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 0.0)),
    (ops.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1.0, 0.01)),
    (ops.gelu, lambda x: x * sigmoid(2 * gelu_inner(x)), lambda x: gelu_slope(x)),
], ids=["tanh", "relu", "leaky_relu", "gelu"])
def test_other_activations(op: Any, value: Any, slope: Any) -> None:
    y, (dx,) = run(op, LINE)
    x = LINE.astype(np.float64)
    np.testing.assert_allclose(y, value(x), rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(dx, slope(x), rtol=2e-6, atol=2e-6)


def gelu_inner(x: Array) -> Array:
    return np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)


def gelu_slope(x: Array) -> Array:
    s = sigmoid(2 * gelu_inner(x))
    return s + 2 * x * s * sigmoid(-2 * gelu_inner(x)) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)


def rows(scale: float, n: int = 200, classes: int = 10) -> tuple[Array, Array, Array]:
    """Logits of one scale, an upstream gradient and labels; rows with ties, and with all equal."""
    rng = np.random.default_rng(0)
    x = (rng.uniform(-1, 1, (n, classes)) * scale).astype(F32)
    x[0], x[1, :5], x[2] = scale, scale, -scale
    x[3], x[3, 0] = -scale, scale
    return x, rng.normal(size=x.shape).astype(F32), rng.integers(0, classes, n)


def log_softmax(x: Array) -> Array:
    x = x.astype(np.float64)
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


SCALES = pytest.mark.parametrize("scale", [1.0, 30.0, 100.0, 1e3, 1e4])


@SCALES
def test_softmax_and_its_gradient(scale: float) -> None:
    x, g, _ = rows(scale)
    y, (dx,) = run(ops.softmax, x, upstream=g)
    p = np.exp(log_softmax(x))
    np.testing.assert_allclose(y, p, rtol=1e-5, atol=1e-37)
    np.testing.assert_allclose(dx, p * (g - (g * p).sum(1, keepdims=True)), rtol=1e-5, atol=1e-6)


@SCALES
def test_log_softmax_and_its_gradient(scale: float) -> None:
    x, g, _ = rows(scale)
    y, (dx,) = run(ops.log_softmax, x, upstream=g)
    np.testing.assert_allclose(y, log_softmax(x), rtol=1e-6, atol=1e-6)
    p = np.exp(log_softmax(x))
    np.testing.assert_allclose(dx, g - p * g.sum(1, keepdims=True, dtype=np.float64), rtol=1e-5, atol=1e-5)


@SCALES
def test_logsumexp_and_its_gradient(scale: float) -> None:
    x, g, _ = rows(scale)
    y, (dx,) = run(lambda t: ops.logsumexp(t, axis=1), x, upstream=g[:, 0])
    np.testing.assert_allclose(y, x[:, 0] - log_softmax(x)[:, 0], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(dx, np.exp(log_softmax(x)) * g[:, :1], rtol=1e-5, atol=1e-7)


@SCALES
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_and_its_gradient(scale: float, smoothing: float) -> None:
    x, _, labels = rows(scale)
    loss, (dx,) = run(lambda t: dl.losses.cross_entropy(t, labels, smoothing), x)
    target = (1 - smoothing) * np.eye(10)[labels] + smoothing / 10
    assert loss == pytest.approx(-(target * log_softmax(x)).sum(1).mean(), rel=1e-6)
    np.testing.assert_allclose(dx, (np.exp(log_softmax(x)) - target) / 200, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_binary_cross_entropy_and_its_gradient(target: float) -> None:
    t = np.full(LINE.shape, target, F32)
    loss, (dx, _) = run(dl.losses.binary_cross_entropy, LINE, t)
    x, t = LINE.astype(np.float64), t.astype(np.float64)
    exact = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))
    assert loss == pytest.approx(exact.mean(), rel=1e-6)
    np.testing.assert_allclose(dx, (sigmoid(x) - t) / x.size, rtol=1e-5, atol=1e-10)


# ---- a saturated layer ------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_bn", [False, True], ids=["plain", "BN"])
@pytest.mark.parametrize("make", [
    lambda parameters: dl.optim.SGD(parameters, lr=0.5),
    lambda parameters: dl.optim.Adam(parameters, lr=0.01),
], ids=["SGD", "Adam"])
def test_a_fully_saturated_sigmoid_layer_trains_on(with_bn: bool, make: Any) -> None:
    saturated = Dense(6, 8)
    layers = [saturated, Sigmoid(), *([BatchNorm(8)] if with_bn else []), Dense(8, 3)]
    model = Sequential(*layers, seed=0)
    signs = np.where(np.arange(8) % 2, 1, -1).astype(F32)
    saturated.weight.data = np.broadcast_to(signs * F32(1e4), (6, 8)).copy()
    rng = np.random.default_rng(0)
    x, labels = rng.uniform(0.5, 1, (60, 6)).astype(F32), rng.integers(0, 3, 60)
    before = model.state_dict()
    optimizer = make(model.parameters())
    losses = []
    for _ in range(20):
        with dl.detect_anomaly(), np.errstate(over="raise", invalid="raise", divide="raise"):
            with dl.Tape() as tape:
                loss = dl.losses.cross_entropy(model(x), labels)
            tape.backward(loss)
        a = tape.find(op="sigmoid")[0].output.data
        np.testing.assert_array_equal(a, np.broadcast_to(signs > 0, a.shape))
        np.testing.assert_array_equal(saturated.weight.grad, 0)
        optimizer.step()
        losses.append(loss.item())
    after = model.state_dict()
    np.testing.assert_array_equal(after["0.weight"], before["0.weight"])    # dead: no gradient, no change
    np.testing.assert_array_equal(after["0.bias"], before["0.bias"])
    assert losses[-1] < losses[0]       # the layers behind it still learn the classes' frequencies
    assert np.isfinite(model.eval()(x).data).all()


def test_batch_norm_before_a_sigmoid_brings_it_back_from_saturation() -> None:
    x = (np.random.default_rng(0).normal(size=(60, 6)) * 1e4).astype(F32)
    with_bn, without = (Sequential(Dense(6, 8), *bn, Sigmoid(), seed=0) for bn in ([BatchNorm(8)], []))
    outer = [np.mean((a < 0.05) | (a > 0.95)) for a in (with_bn(x).data, without(x).data)]
    assert outer[0] < 0.1
    assert outer[1] > 0.99


@pytest.mark.parametrize("activation", [Sigmoid(), Tanh(), ReLU()], ids=str)
def test_a_deep_network_with_huge_weights_has_finite_gradients(activation: dl.Layer) -> None:
    model = Sequential(Dense(4, 5), activation, Dense(5, 5), activation, Dense(5, 3), seed=0)
    model.load_state_dict({name: a * 1e4 for name, a in model.state_dict().items()})
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(20, 4)).astype(F32), rng.integers(0, 3, 20)
    with dl.Tape() as tape, dl.detect_anomaly():
        loss = dl.losses.cross_entropy(model(x), labels)
    with dl.detect_anomaly():
        tape.backward(loss)
    assert np.isfinite(loss.item())
    assert loss.item() > 10
    for parameter in model.parameters():
        assert np.isfinite(parameter.grad).all()
