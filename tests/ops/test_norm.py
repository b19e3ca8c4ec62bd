"""Normalisation: values and gradients against the paper's lines, precision in float32, messages."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl import ops

SHAPES = [(6, 3), (4, 2, 3, 3), (64, 3), (130, 3), (65, 1, 1, 3)]
EPS = 1e-3
ONES = np.ones(3)


def sample(shape, seed=0):
    """Inputs whose mean and spread depend on feature and position; random gamma, beta, upstream gradient."""
    rng = np.random.default_rng([seed, 3])
    x = rng.normal(size=shape) * rng.uniform(0.5, 3, shape[-1]) + rng.normal(size=shape[1:]) * 4
    return x, rng.normal(size=shape[-1]), rng.normal(size=shape[-1]), rng.normal(size=shape)


def the_paper(x, gamma, beta, g, eps):
    """Algorithm 1 and the six lines of section 3, feature by feature, value by value."""
    y, dx = np.empty_like(x), np.empty_like(x)
    dgamma, dbeta, means, variances = (np.empty(x.shape[-1]) for _ in range(4))
    for k in range(x.shape[-1]):
        values, l = x[..., k].ravel(), g[..., k].ravel()    # noqa: E741 (the paper's letter)
        m = len(values)
        mu = sum(values) / m
        var = sum((values - mu) ** 2) / m
        x_hat = (values - mu) / np.sqrt(var + eps)
        dx_hat = l * gamma[k]
        dvar = sum(dx_hat * (values - mu)) * -0.5 * (var + eps) ** -1.5
        dmu = sum(dx_hat * -1 / np.sqrt(var + eps)) + dvar * sum(-2 * (values - mu)) / m
        dx_k = dx_hat / np.sqrt(var + eps) + dvar * 2 * (values - mu) / m + dmu / m
        dx[..., k] = dx_k.reshape(x.shape[:-1])
        y[..., k] = (gamma[k] * x_hat + beta[k]).reshape(x.shape[:-1])
        dgamma[k], dbeta[k], means[k], variances[k] = sum(l * x_hat), sum(l), mu, var
    return y, means, variances, dx, dgamma, dbeta


def gradients(f, arrays, g):
    leaves = [dl.Tensor(a, requires_grad=True) for a in arrays]
    with dl.Tape() as tape:
        y = f(*leaves)
    return tape.gradients(y, leaves, gradient=g)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_batch_norm_is_algorithm_1_and_its_gradient_section_3(shape):
    x, gamma, beta, g = sample(shape)
    expected = the_paper(x, gamma, beta, g, EPS)
    y, mean, var = ops.batch_norm(x, gamma, beta, EPS)
    found = (y.data, mean, var, *gradients(lambda *t: ops.batch_norm(*t, eps=EPS)[0], (x, gamma, beta), g))
    for name, a, b in zip(("y", "mean", "var", "dx", "dgamma", "dbeta"), found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=name)


def test_without_gamma_and_beta_they_are_1_and_0():
    x, gamma, beta, _ = sample((6, 3))
    plain = ops.batch_norm(x)[0].data
    np.testing.assert_allclose(ops.batch_norm(x, np.ones(3), np.zeros(3))[0].data, plain)
    np.testing.assert_allclose(ops.batch_norm(x, gamma)[0].data, gamma * plain)
    np.testing.assert_allclose(ops.batch_norm(x, beta=beta)[0].data, plain + beta)


@pytest.mark.parametrize("shape", [(6, 3), (4, 2, 3, 3), (1, 3)], ids=str)
def test_batch_norm_inference_is_an_affine_map(shape):
    x, gamma, beta, g = sample(shape)
    mean, var = np.array([5.0, -7.0, 30.0]), np.array([0.2, 9.0, 40.0])     # far from the batch's own
    y = ops.batch_norm_inference(x, gamma, beta, mean, var, EPS)
    scale = gamma / np.sqrt(var + EPS)
    np.testing.assert_allclose(y.data, scale * x + (beta - scale * mean), rtol=1e-12, atol=1e-12)
    dx, dgamma, dbeta = gradients(
        lambda *t: ops.batch_norm_inference(*t, mean, var, EPS), (x, gamma, beta), g
    )
    x_hat = (x - mean) / np.sqrt(var + EPS)
    others = tuple(range(x.ndim - 1))
    np.testing.assert_allclose(dx, scale * g, rtol=1e-12)
    np.testing.assert_allclose(dgamma, (g * x_hat).sum(others), rtol=1e-11)
    np.testing.assert_allclose(dbeta, g.sum(others), rtol=1e-12)


def test_eps_is_1e_5_unless_given():
    x = sample((6, 6))[0] * 1e-3      # small, so that eps shows
    mean, var = x.mean(0), x.var(0)
    for default, given in (
        (ops.batch_norm(x)[0], ops.batch_norm(x, eps=1e-5)[0]),
        (ops.batch_norm_inference(x, None, None, mean, var), ops.batch_norm(x, eps=1e-5)[0]),
        (ops.layer_norm(x), ops.layer_norm(x, eps=1e-5)),
        (ops.group_norm(x, 2), ops.group_norm(x, 2, eps=1e-5)),
    ):
        np.testing.assert_allclose(default.data, given.data, rtol=1e-9)


def test_the_gradient_of_a_constant_input_is_not_computed():
    gamma = dl.Parameter(np.ones(3))
    with dl.Tape() as tape:
        ops.batch_norm(sample((6, 3))[0], gamma)
        ops.batch_norm_inference(sample((6, 3))[0], gamma, None, ONES, ONES)
    for record in tape.records:
        dx, dgamma = record.vjp(np.ones((6, 3)))
        assert dx is None
        assert dgamma.shape == (3,)


@pytest.mark.parametrize("m", [60, 73_728])
def test_statistics_of_float32_neither_cancel_nor_drift(m):
    x = (1e4 + np.random.default_rng(0).normal(size=(m, 3))).astype(np.float32)
    y, mean, var = ops.batch_norm(x)
    exact = x.astype(np.float64)
    assert y.dtype == mean.dtype == var.dtype == np.float32
    np.testing.assert_allclose(mean, exact.mean(0), atol=1e-3)
    np.testing.assert_allclose(var, exact.var(0), rtol=1e-3)
    np.testing.assert_allclose(y.data, (exact - exact.mean(0)) / exact.std(0), atol=2e-3)


@pytest.mark.parametrize("affine", ["", "gamma", "beta", "gamma beta"])
@pytest.mark.parametrize("m", [101, 3000, 3001])
def test_a_mean_that_no_float32_is_costs_no_digits(m, affine):
    rng = np.random.default_rng(0)
    x = (np.array([3e6, -3e6]) + rng.integers(-8, 9, (m, 2)) / 4).astype(np.float32)    # exact
    exact, g = x.astype(np.float64), rng.normal(size=(m, 2)).astype(np.float32)
    gamma, beta = np.array([0.3, 5.0], np.float32), np.array([1.0, -2.0], np.float32)
    options = {name: value for name, value in (("gamma", gamma), ("beta", beta)) if name in affine}
    y, mean, var = ops.batch_norm(x, **options)
    x_hat = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5)
    expected = x_hat * options.get("gamma", 1) + options.get("beta", 0)
    np.testing.assert_allclose(y.data, expected, atol=1e-5)
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-7)
    np.testing.assert_allclose(var, exact.var(0), rtol=1e-5)
    (dx,) = gradients(lambda t: ops.batch_norm(t, **options)[0], (x,), g)
    g = g.astype(np.float64)
    dx_hat = (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) * options.get("gamma", 1)
    np.testing.assert_allclose(dx, dx_hat / np.sqrt(exact.var(0) + 1e-5), atol=1e-5)


@pytest.mark.parametrize("mean", [1e4, 1e12, 1e15])
@pytest.mark.parametrize(("m", "features"), [(60, 3), (257, 7), (7, 9999), (9973, 16)])
def test_a_large_mean_costs_no_digits_in_float64_either(m, features, mean):
    rng = np.random.default_rng(0)
    spread = rng.normal(size=(m, features)).round() / 8     # eighths: exact beside 1e15
    spread[0], spread[1] = -1, 1
    x = mean + spread
    about = spread - spread.mean(0)
    y, found, var = ops.batch_norm(x, eps=0.0)
    np.testing.assert_allclose(found, mean + spread.mean(0), rtol=1e-15)
    np.testing.assert_allclose(var, (about * about).mean(0), rtol=1e-12)
    np.testing.assert_allclose(y.data, about / about.std(0), atol=1e-11)


@pytest.mark.parametrize(("m", "features"), [(257, 7), (73_728, 16)])
def test_a_constant_feature_is_exact_in_float64(m, features):
    y, mean, var = ops.batch_norm(np.full((m, features), 3.1), eps=1e-12)
    np.testing.assert_array_equal(mean, 3.1)
    np.testing.assert_array_equal(var, 0)
    np.testing.assert_array_equal(y.data, 0)


def test_layer_norm_of_examples_whose_mean_no_float32_is():
    x = (3e6 + np.random.default_rng(0).integers(-8, 9, (5, 101)) / 4).astype(np.float32)
    exact = x.astype(np.float64)
    expected = (exact - exact.mean(1, keepdims=True)) / np.sqrt(exact.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(ops.layer_norm(x).data, expected, atol=1e-5)


def test_statistics_of_another_dtype_take_that_of_the_inputs():
    x, gamma, beta, g = (a.astype(np.float32) for a in sample((6, 3)))
    found = gradients(lambda *t: ops.batch_norm_inference(*t, ONES, ONES), (x, gamma, beta), g)
    assert [a.dtype for a in found] == [np.float32] * 3
    assert ops.batch_norm_inference(x, gamma, beta, ONES, ONES).dtype == np.float32


def test_lists_do_as_well_as_arrays():
    x = sample((6, 3))[0]
    for op in (lambda x: ops.batch_norm(x)[0], ops.layer_norm, lambda x: ops.group_norm(x, 3)):
        np.testing.assert_allclose(op(x.tolist()).data, op(x).data, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e4])
@pytest.mark.parametrize("eps", [1e-5, 1e-12])
def test_a_constant_feature_gives_beta_and_finite_gradients(value, eps):
    x = np.full((60, 2), value, np.float32)
    x[:, 1] = np.random.default_rng(0).normal(size=60)
    y = ops.batch_norm(x, np.full(2, 3, np.float32), np.full(2, 7, np.float32), eps)[0].data
    np.testing.assert_allclose(y[:, 0], 7, rtol=1e-3)
    g = gradients(lambda t: ops.batch_norm(t, eps=eps)[0], (x,), np.ones((60, 2)))[0]
    assert np.isfinite(g).all()


@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 6), (2, 2, 3, 6)], ids=str)
def test_layer_norm_normalises_each_example_over_the_last_axis(shape):
    x, gamma, beta, _ = sample(shape)
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPS) * gamma + beta
    np.testing.assert_allclose(ops.layer_norm(x, gamma, beta, EPS).data, expected, rtol=1e-11, atol=1e-12)
    plain = (expected - beta) / gamma
    np.testing.assert_allclose(ops.layer_norm(x, eps=EPS).data, plain, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 2, 6)], ids=str)
def test_group_norm_normalises_each_example_over_positions_and_a_group(shape, groups):
    x, gamma, beta, _ = sample(shape)
    expected = np.empty_like(x)
    for n in range(len(x)):
        for k in np.split(np.arange(6), groups):
            part = x[n][..., k]
            expected[n][..., k] = (part - part.mean()) / np.sqrt(part.var() + EPS) * gamma[k] + beta[k]
    y = ops.group_norm(x, groups, gamma, beta, EPS)
    np.testing.assert_allclose(y.data, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "axes", "grouped"), [
    ("layer_norm", (-1,), (700, 3, 6)), ("group_norm", (1, 3), (700, 3, 2, 3)),
])
def test_layer_and_group_norm_of_many_rows_have_the_gradients_of_a_few(name, axes, grouped):
    x, gamma, beta, g = sample((700, 3, 6))
    options = {"groups": 2} if name == "group_norm" else {}
    dx, dgamma, dbeta = gradients(
        lambda x, gamma, beta: getattr(ops, name)(x, gamma=gamma, beta=beta, **options), (x, gamma, beta), g
    )
    parts = x.reshape(grouped)
    centred = parts - parts.mean(axes, keepdims=True)
    x_hat = (centred / np.sqrt(parts.var(axes, keepdims=True) + 1e-5)).reshape(x.shape)
    np.testing.assert_allclose(dgamma, (g * x_hat).sum((0, 1)), rtol=1e-10)
    np.testing.assert_allclose(dbeta, g.sum((0, 1)), rtol=1e-10)
    few = gradients(
        lambda x: getattr(ops, name)(x, gamma=gamma, beta=beta, **options), (x[650:660],), g[650:660]
    )
    np.testing.assert_allclose(dx[650:660], few[0], rtol=1e-12, atol=1e-14)


MAPS = np.ones((2, 4, 4, 3))


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: ops.batch_norm(x[:1]),
     "batch_norm in training mode expects more than one value per feature, got (1, 3): use a larger batch, "
     "drop_last=True for the last short one, or evaluation mode for a single example"),
    (lambda x: ops.batch_norm(x[0]),
     "batch_norm expects x (batch, ..., features), gamma and beta (features,), got (3,)"),
    (lambda x: ops.batch_norm(x, np.ones(2)),
     "batch_norm expects x (batch, ..., features), gamma and beta (features,), got (6, 3), (2,)"),
    (lambda x: ops.batch_norm(MAPS, ONES, np.ones(4)),
     "batch_norm expects x (batch, ..., features), gamma and beta (features,), got (2, 4, 4, 3), (3,), (4,)"),
    (lambda x: ops.batch_norm_inference(x, None, np.ones(4), ONES, ONES),
     "batch_norm_inference expects x (batch, ..., features), gamma and beta (features,), got (6, 3), (4,)"),
    (lambda x: ops.batch_norm_inference(MAPS, None, None, np.ones(1), ONES),
     "batch_norm_inference expects mean and var (3,) for x (2, 4, 4, 3), got (1,) and (3,)"),
    (lambda x: ops.batch_norm_inference(x, None, None, ONES, np.ones((1, 3))),
     "batch_norm_inference expects mean and var (3,) for x (6, 3), got (3,) and (1, 3)"),
    (lambda x: ops.layer_norm(x, np.ones(2)),
     "layer_norm expects x (batch, ..., features), gamma and beta (features,), got (6, 3), (2,)"),
    (lambda x: ops.group_norm(x, 3, np.ones(2)),
     "group_norm expects x (batch, ..., features), gamma and beta (features,), got (6, 3), (2,)"),
    (lambda x: ops.group_norm(x, 2),
     "group_norm expects (batch, ..., channels) with channels divisible by 2, got (6, 3)"),
    (lambda x: ops.group_norm(x, 0),
     "group_norm expects (batch, ..., channels) with channels divisible by 0, got (6, 3)"),
])
def test_messages(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(sample((6, 3))[0])
