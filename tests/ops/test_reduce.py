"""Reductions: values over all kinds of axes, ties, extreme numbers, messages."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl import ops

X = np.random.default_rng(0).normal(size=(2, 3, 4))
AXES = [None, 0, -1, (0, 2), (1, -1), (), [0, 1], np.int64(1)]


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "max", "min"])
def test_values_and_shapes_are_those_of_numpy(name, axis, keepdims):
    axes = tuple(axis) if isinstance(axis, list) else axis
    expected = np.asarray(getattr(np, name)(X, axis=axes, keepdims=keepdims))
    y = getattr(ops, name)(X, axis, keepdims=keepdims)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.data, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("axis", AXES[:5], ids=str)
def test_logsumexp_equals_its_formula(axis):
    for keepdims in (False, True):
        expected = np.log(np.exp(X).sum(axis, keepdims=keepdims))
        y = ops.logsumexp(X, axis, keepdims=keepdims)
        assert y.shape == expected.shape
        np.testing.assert_allclose(y.data, expected, rtol=1e-13)


def test_logsumexp_neither_overflows_nor_loses_minus_infinity():
    assert ops.logsumexp([1e4, 1e4]).item() == pytest.approx(1e4 + np.log(2))
    assert ops.logsumexp([-1e4, -1e4]).item() == pytest.approx(-1e4 + np.log(2))
    assert ops.logsumexp([-np.inf, 0.0]).item() == 0
    assert ops.logsumexp([-np.inf, -np.inf]).item() == -np.inf


def test_the_unbiased_variance_divides_by_one_less():
    np.testing.assert_allclose(ops.var(X, (0, 2), ddof=1).data, X.var(axis=(0, 2), ddof=1))


def test_variance_does_not_cancel():
    x = (1e4 + np.random.default_rng(0).normal(size=1000)).astype(np.float32)
    assert ops.var(x).item() == pytest.approx(x.astype(np.float64).var(), rel=1e-3)


def test_variance_and_its_gradient_do_not_see_that_a_mean_has_no_float32():
    offsets = np.array([3e6, -3e6]), np.random.default_rng(0).integers(-8, 9, (101, 2)) / 4
    x = (offsets[0] + offsets[1]).astype(np.float32)        # exact: every fourth is a float32
    exact = x.astype(np.float64)
    assert (x.mean(0, dtype=np.float64).astype(np.float32) != exact.mean(0)).all()
    np.testing.assert_allclose(ops.var(x, 0).data, exact.var(0), rtol=1e-6)
    gradient = dl.grad(lambda t: t.var(0).sum())(x)
    np.testing.assert_allclose(gradient, 2 / 101 * (exact - exact.mean(0)), atol=1e-7)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "max", "min", "logsumexp"])
def test_reduced_axes_go_unless_they_are_kept(name):
    assert getattr(ops, name)(X, -3).shape == getattr(ops, name)(X, 0).shape == (3, 4)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "max", "min", "logsumexp"])
def test_other_axes_of_length_1_stay(name):
    assert getattr(ops, name)(np.ones((2, 1, 3)), 0).shape == (1, 3)
    assert getattr(ops, name)(np.ones((2, 1, 3)), (0, 2)).shape == (1,)


def test_equal_extremes_share_the_gradient():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    assert dl.grad(lambda t: t.max(1).sum())(x).tolist() == [[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]
    assert dl.grad(lambda t: t.min())(x).tolist() == [[1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(("call", "message"), [
    (lambda: ops.sum(X, 3), r"sum expects axes of a tensor of shape \(2, 3, 4\), each once, got axis=3"),
    (lambda: ops.mean(X, (0, -3)), r"mean expects axes .* each once, got axis=\(0, -3\)"),
    (lambda: ops.mean(np.zeros((0, 3)), 0), r"mean expects at least 1 value\(s\) along axis=0, got 0"),
    (lambda: ops.max(np.zeros(0)), r"max expects at least 1 value"),
    (lambda: ops.var([1.0], ddof=1), r"var expects at least 2 value\(s\) .* got 1 in shape \(1,\)"),
])
def test_messages(call, message):
    with pytest.raises(ValueError, match=message):
        call()
