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
from minidl.ops.statistics import batch_statistics

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


# ---- batch statistics of 1e4 ± 1 -------------------------------------------------------------------------


def shifted(m: int, features: int, which: str = "all") -> Array:
    """(m, features), float32, of standard deviation 1 and mean 1e4: in all features, or in the middle one."""
    x = np.random.default_rng(features).standard_normal((m, features), F32)
    if which == "all":
        x += F32(1e4)
    else:
        x[:, features // 2] += F32(1e4)
    return x


def exact_statistics(x: Array) -> tuple[Array, Array]:
    wide = x.astype(np.float64)
    mean = wide.mean(0)
    wide -= mean
    return mean, np.einsum("ij,ij->j", wide, wide) / len(wide)


def check_statistics(found: tuple[Array, Array], exact: tuple[Array, Array]) -> None:
    """The mean to 1e-3 standard deviations, the variance to 1e-3 of itself."""
    np.testing.assert_allclose(found[0], exact[0], rtol=0, atol=1e-3)
    np.testing.assert_allclose(found[1], exact[1], rtol=1e-3)


def naive(x: Array) -> tuple[Array, Array]:
    """Two passes, each a plain float32 sum down the columns."""
    mean = np.add.reduce(x, axis=0) / F32(len(x))
    return mean, np.add.reduce((x - mean) ** 2, axis=0) / F32(len(x))


def cancelling(x: Array) -> tuple[Array, Array]:
    """E[x²] - E[x]², with sums that are right to float32's last digit."""
    mean = x.mean(0, dtype=np.float64).astype(F32)
    return mean, (x.astype(np.float64) ** 2).mean(0).astype(F32) - mean**2


@pytest.mark.parametrize("m", [60, 73_728])
@pytest.mark.parametrize(("features", "which"), [
    (1, "all"), (3, "all"), (3, "one"), (16, "all"), (16, "one"), (100, "all"),
])
def test_batch_statistics_of_a_large_mean(m: int, features: int, which: str) -> None:
    x = shifted(m, features, which)
    exact = exact_statistics(x)
    (rows, near, rest), mean, var = batch_statistics(x)
    centred = rows if near is None else rows - near - rest
    y, *statistics = ops.batch_norm(x)
    assert {a.dtype for a in (mean, var, centred, y, *statistics)} == {np.dtype(F32)}
    check_statistics((mean, var), exact)
    check_statistics((statistics[0], statistics[1]), exact)
    some = np.arange(0, m, max(1, m // 2000))
    np.testing.assert_allclose(centred[some], x[some] - exact[0], rtol=1e-5, atol=1e-5)
    x_hat = (x[some] - exact[0]) / np.sqrt(exact[1] + 1e-5)
    np.testing.assert_allclose(y.data[some], x_hat, rtol=1e-5, atol=1e-5)
    # The check can fail: the textbook's formula does at once, and plain float32 sums down many rows.
    with pytest.raises(AssertionError):
        check_statistics(cancelling(x), exact)
    if m > 60 and 1 < features < 100:       # NumPy sums a single, contiguous column in pairs
        with pytest.raises(AssertionError):
            check_statistics(naive(x), exact)


# 128 · 24 · 24 divides into equal parts in many ways; these numbers don't.
UNEVEN = [59, 61 * 27 * 27, 73_727, 73_729, 147_455, 1_000_003]


@pytest.mark.parametrize("m", UNEVEN)
def test_batch_statistics_of_a_large_mean_over_uneven_batches(m: int) -> None:
    x = shifted(m, 2)
    exact = exact_statistics(x)
    (rows, near, rest), mean, var = batch_statistics(x)
    centred = rows if near is None else rows - near - rest
    check_statistics((mean, var), exact)
    some = np.arange(0, m, max(1, m // 2000))
    np.testing.assert_allclose(centred[some], x[some] - exact[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("m", UNEVEN)
def test_a_constant_feature_over_uneven_batches(m: int) -> None:
    x = np.full((m, 2), 1e4, F32)
    y, mean, var = ops.batch_norm(x)
    np.testing.assert_array_equal(mean, 1e4)
    np.testing.assert_allclose(var, 0, atol=1e-9)
    np.testing.assert_allclose(y.data, 0, atol=1e-3)


@pytest.mark.parametrize("shape", [(60, 16), (128, 24, 24, 3)], ids=str)
def test_gradients_of_batch_norm_at_a_large_mean(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    m, features = int(np.prod(shape[:-1])), shape[-1]
    x = shifted(m, features, "all").reshape(shape)
    gamma, beta = (rng.uniform(0.5, 2, features).astype(F32) for _ in range(2))
    g = (rng.standard_normal(shape, F32) + F32(0.5))
    _, found = run(lambda *t: ops.batch_norm(*t)[0], x, gamma, beta, upstream=g)
    mean, var = exact_statistics(x.reshape(m, features))
    inverse = 1 / np.sqrt(var + 1e-5)
    x_hat, wide = (x - mean) * inverse, g.astype(np.float64)
    over = tuple(range(x.ndim - 1))
    dgamma, dbeta = (wide * x_hat).sum(over), wide.sum(over)
    dx = gamma * inverse * (wide - dbeta / m - x_hat * dgamma / m)
    for name, a, b in zip(("dx", "dgamma", "dbeta"), found, (dx, dgamma, dbeta), strict=True):
        assert np.abs(a - b).max() < 1e-5 * np.abs(b).max() + 1e-5 * (name != "dx") * np.sqrt(m), name


@pytest.mark.parametrize("shape", [(60, 3), (128, 24, 24, 3)], ids=str)
def test_running_statistics_and_evaluation_at_a_large_mean(shape: tuple[int, ...]) -> None:
    m = int(np.prod(shape[:-1]))
    x = shifted(m, 3, "all")
    layer = BatchNorm(3, momentum=1.0)
    layer(x.reshape(shape))
    mean, var = exact_statistics(x)
    check_statistics((layer.running_mean, layer.running_var * ((m - 1) / m)), (mean, var))
    y = layer.eval()(x.reshape(shape)).data.reshape(x.shape)
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var * m / (m - 1) + 1e-5), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("m", "features", "outlier"), [
    (60, 100, 1e4), (10_007, 1, 1e5), (10_007, 4, 1e4), (16_411, 4, 1e5), (65_537, 8, 1e4), (4_099, 16, 1e5),
])
def test_an_outlier_in_the_first_row_spoils_no_variance(m: int, features: int, outlier: float) -> None:
    x = np.random.default_rng(0).normal(size=(m, features)).astype(F32)
    x[0] = outlier
    y, mean, var = ops.batch_norm(x)
    exact, std = x.astype(np.float64), x.std(0, dtype=np.float64)
    np.testing.assert_allclose(var, std**2, rtol=1e-3)
    np.testing.assert_allclose((mean - exact.mean(0)) / std, 0, atol=1e-3)
    np.testing.assert_allclose(y.data, (exact - exact.mean(0)) / np.sqrt(std**2 + 1e-5), rtol=1e-3, atol=1e-3)


# ---- features that hardly vary, and small eps -------------------------------------------------------------


@pytest.mark.parametrize("m", [2, 3, 59, 60, 73_728])
@pytest.mark.parametrize("value", [0.0, 0.1, -3.3, 1e4, 1e-20, 1e15])
@pytest.mark.parametrize("eps", [1e-3, 1e-5, 1e-12])
def test_a_constant_feature_gives_beta(m: int, value: float, eps: float) -> None:
    rng = np.random.default_rng(m)
    x = np.full((m, 3), value, F32)
    x[:, 1] = rng.standard_normal(m)
    gamma, beta, g = F32([2, 3, 0.5]), F32([7, -1, 0]), rng.standard_normal((m, 3), F32)
    y, (dx, dgamma, dbeta) = run(lambda *t: ops.batch_norm(*t, eps=eps)[0], x, gamma, beta, upstream=g)
    constant = [0, 2]
    np.testing.assert_allclose(y[:, constant], np.broadcast_to(beta, y.shape)[:, constant], rtol=0, atol=1e-3)
    # Its x̂ is 0, so dx = gamma / √eps · (g - mean(g)) and dgamma = 0.
    expected = gamma / np.sqrt(eps) * (g - g.mean(0, dtype=np.float64))
    np.testing.assert_allclose(dx[:, constant], expected[:, constant], rtol=1e-3, atol=1e-3 / np.sqrt(eps))
    np.testing.assert_allclose(dgamma[constant], 0, atol=1e-3 * np.sqrt(m))
    np.testing.assert_allclose(dbeta, g.sum(0, dtype=np.float64), rtol=1e-5, atol=1e-5 * np.sqrt(m))


@pytest.mark.parametrize("eps", [1e-3, 1e-5, 1e-8, 1e-12])
@pytest.mark.parametrize("spread", [1e-8, 1e-6, 1e-4, 1.0, 1e4, 1e15])
def test_batch_norm_of_any_spread_and_eps(spread: float, eps: float) -> None:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(60, 4)) * spread).astype(F32)
    g = rng.standard_normal(x.shape, F32)
    y, (dx,) = run(lambda t: ops.batch_norm(t, eps=eps)[0], x, upstream=g)
    mean, var = exact_statistics(x)
    inverse = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inverse
    np.testing.assert_allclose(y, x_hat, rtol=1e-5, atol=1e-6)
    expected = inverse * (g - g.mean(0) - x_hat * (g * x_hat).mean(0))
    assert np.abs(dx / inverse - expected / inverse).max() < 1e-5


def test_a_small_eps_survives_beside_a_variance_of_its_size() -> None:
    x = F32([[-1e-6], [1e-6]])
    y = ops.batch_norm(x, eps=1e-12)[0].data
    np.testing.assert_allclose(y, [[-np.sqrt(0.5)], [np.sqrt(0.5)]], rtol=1e-5)


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


# ---- one value ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 1, 3)], ids=str)
def test_the_variance_of_one_value_per_feature_is_an_error(shape: tuple[int, ...]) -> None:
    x = np.ones(shape, F32)
    with pytest.raises(ValueError, match=r"batch_norm in training mode expects more than one value per feat"):
        ops.batch_norm(x)
    layer = BatchNorm(3)
    with pytest.raises(ValueError, match=r"BatchNorm\(3\) in training mode .* drop_last=True"):
        layer(x)
    assert not layer.batches_seen
    np.testing.assert_array_equal(layer.running_mean, 0)
    np.testing.assert_array_equal(layer.running_var, 1)
    assert np.isfinite(layer.eval()(x).data).all()
    with pytest.raises(ValueError, match="var expects at least 2"):
        ops.var(x, axis=0, ddof=1)


def test_mean_and_variance_down_many_rows() -> None:
    """A student builds batch normalization from these two."""
    x = shifted(73_728, 3, "all")
    check_statistics((ops.mean(x, axis=0).data, ops.var(x, axis=0).data), exact_statistics(x))


@pytest.mark.parametrize("op", [lambda x: ops.group_norm(x, 2), ops.layer_norm], ids=["group", "layer"])
def test_norms_of_single_examples_at_a_large_mean(op: Callable[[Array], dl.Tensor]) -> None:
    x = (1e4 + np.random.default_rng(0).standard_normal((4, 32, 32, 8))).astype(F32)
    exact = op(x.astype(np.float64)).data
    np.testing.assert_allclose(op(x).data, exact, rtol=0, atol=1e-4)
