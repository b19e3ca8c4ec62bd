"""Softmax and its relatives: values, extreme logits, label smoothing."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl import ops

X = np.random.default_rng(0).normal(size=(4, 3)) * 2


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_values(axis):
    exponentials = np.exp(X)
    expected = exponentials / exponentials.sum(axis, keepdims=True)
    np.testing.assert_allclose(ops.softmax(X, axis).data, expected, rtol=1e-13)
    np.testing.assert_allclose(ops.log_softmax(X, axis).data, np.log(expected), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_stay_finite(dtype):
    x = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, 0]], dtype)
    np.testing.assert_allclose(ops.softmax(x).data, [[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]], rtol=1e-6)
    logs = ops.log_softmax(x).data
    np.testing.assert_allclose(logs[0], [0, -2e4, -1e4])
    np.testing.assert_allclose(logs[2], [-np.log(2), -np.log(2), -1e4 - np.log(2)], rtol=1e-6)
    gradient = dl.grad(lambda t: (ops.log_softmax(t) * np.array([1.0, 2.0, 3.0])).sum())(x)
    assert np.isfinite(gradient).all()
    assert gradient.dtype == dtype


def test_cross_entropy_is_the_mean_of_log_probabilities():
    labels = np.array([0, 2, 2, 1])
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    loss = ops.softmax_cross_entropy(X, labels)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(-np.mean([np.log(p[i, k]) for i, k in enumerate(labels)]), rel=1e-13)
    gradient = dl.grad(ops.softmax_cross_entropy)(X, labels)
    np.testing.assert_allclose(gradient, (p - np.eye(3)[labels]) / 4, rtol=1e-12, atol=1e-16)


def test_label_smoothing_mixes_the_target_with_the_uniform_distribution():
    labels, share = np.array([0, 2, 2, 1]), 0.3
    target = (1 - share) * np.eye(3)[labels] + share / 3
    log_p = np.log(np.exp(X) / np.exp(X).sum(1, keepdims=True))
    expected = -(target * log_p).sum(1).mean()
    assert ops.softmax_cross_entropy(X, labels, share).item() == pytest.approx(expected, rel=1e-13)


def test_a_wrong_axis_is_named():
    with pytest.raises(ValueError, match=r"softmax expects an axis of .* shape \(4, 3\), got axis=2"):
        ops.softmax(X, 2)
    with pytest.raises(ValueError, match="log_softmax expects an axis"):
        ops.log_softmax(1.0)


@pytest.mark.parametrize("axis", [(0, 1), None, 1.0, 2, -3])
@pytest.mark.parametrize("op", [ops.softmax, ops.log_softmax])
def test_the_axis_is_one_that_is_there(op, axis):
    with pytest.raises(ValueError, match=rf"^{op.__name__} expects an axis of .* \(2, 3\), got axis="):
        op(np.zeros((2, 3)), axis=axis)
