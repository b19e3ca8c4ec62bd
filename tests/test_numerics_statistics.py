"""float32 batch statistics where it hurts: large means, long sums, outliers, constant features, tiny eps.

What float32 gives is held against the same formula in float64, of the same float32 inputs, written down here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.layers import BatchNorm
from minidl.ops.statistics import batch_statistics
from tests.test_numerics import F32, Array, run

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
    (60, 100, 1e4), (10_007, 1, 1e5), (10_007, 4, 1e4), (10_007, 5, 1e4), (16_411, 4, 1e5), (65_537, 8, 1e4),
    (4_099, 16, 1e5),
])
def test_an_outlier_in_the_first_row_spoils_no_variance(m: int, features: int, outlier: float) -> None:
    x = np.random.default_rng(0).normal(size=(m, features)).astype(F32)
    x[0] = outlier
    y, mean, var = ops.batch_norm(x)
    exact, std = x.astype(np.float64), x.std(0, dtype=np.float64)
    np.testing.assert_allclose(var, std**2, rtol=1e-3)
    np.testing.assert_allclose((mean - exact.mean(0)) / std, 0, atol=1e-3)
    np.testing.assert_allclose(y.data, (exact - exact.mean(0)) / np.sqrt(std**2 + 1e-5), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("m", "features"), [(1_009, 3), (73_728, 16), (131_071, 2)])
def test_nor_does_one_that_the_large_mean_hides(m: int, features: int) -> None:
    x = np.random.default_rng(0).normal(1e5, 0.05, (m, features)).astype(F32)
    x[0] = 1e5 + 9      # 180 standard deviations away, and less than a ten-thousandth
    y, _, var = ops.batch_norm(x)
    distances = x.astype(np.float64) - 1e5
    exact = distances.var(0)
    np.testing.assert_allclose(var, exact, rtol=1e-5)
    expected = (distances - distances.mean(0)) / np.sqrt(exact + 1e-5)
    np.testing.assert_allclose(y.data, expected, rtol=1e-5, atol=1e-4)


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
