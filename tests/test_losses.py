"""Losses: values by other formulas, extreme logits, and everything that they refuse."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import minidl as dl
from minidl import Tensor, losses, ops
from minidl.layers import Dense, Sequential, Sigmoid

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3)) * 2
LABELS = np.array([0, 2, 2, 1])
T = RNG.normal(size=(4, 3))


def test_cross_entropy_is_the_mean_negative_log_probability():
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    expected = -sum(math.log(p[i, label]) for i, label in enumerate(LABELS)) / 4
    for labels in (LABELS, LABELS.tolist(), LABELS.astype(np.uint8)):
        assert losses.cross_entropy(X, labels).item() == pytest.approx(expected, rel=1e-13)
    gradient = dl.grad(losses.cross_entropy)(X, LABELS)
    np.testing.assert_allclose(gradient, (p - np.eye(3)[LABELS]) / 4, rtol=1e-12)


def test_an_untrained_classifier_of_ten_classes_has_ln_10():
    assert losses.cross_entropy(np.zeros((5, 10)), [0, 1, 2, 3, 9]).item() == pytest.approx(math.log(10))


def test_label_smoothing():
    target = 0.8 * np.eye(3)[LABELS] + 0.2 / 3
    expected = -(target * np.log(np.exp(X) / np.exp(X).sum(1, keepdims=True))).sum(1).mean()
    assert losses.cross_entropy(X, LABELS, label_smoothing=0.2).item() == pytest.approx(expected, rel=1e-13)


def test_binary_cross_entropy_works_from_logits():
    t, p = RNG.uniform(size=(4, 3)), 1 / (1 + np.exp(-X))
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    assert losses.binary_cross_entropy(X, t).item() == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(dl.grad(losses.binary_cross_entropy)(X, t), (p - t) / 12, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_give_the_right_finite_loss_and_gradient(dtype):
    x = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    assert losses.cross_entropy(x, [0, 1]).item() == 0
    assert losses.cross_entropy(x, [1, 0]).item() == pytest.approx(2e4)
    np.testing.assert_allclose(dl.grad(losses.cross_entropy)(x, [1, 0]), [[0.5, -0.5], [-0.5, 0.5]])
    wrong = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert losses.binary_cross_entropy(x, wrong).item() == pytest.approx(1e4)
    assert losses.binary_cross_entropy(x, 1 - wrong).item() == 0
    np.testing.assert_allclose(dl.grad(losses.binary_cross_entropy)(x, wrong), [[0.25, -0.25], [-0.25, 0.25]])


def test_mse_mae_and_huber():
    e = X - T
    assert losses.mse(X, T).item() == pytest.approx((e**2).mean(), rel=1e-13)
    assert losses.mae(X, T).item() == pytest.approx(abs(e).mean(), rel=1e-13)
    pieces = [v**2 / 2 if abs(v) <= 0.7 else 0.7 * (abs(v) - 0.35) for v in e.ravel()]
    assert losses.huber(X, T, 0.7).item() == pytest.approx(np.mean(pieces), rel=1e-13)
    assert losses.huber(X, T, math.inf).item() == pytest.approx(losses.mse(X, T).item() / 2)


def test_gradients_at_kinks():
    assert dl.grad(losses.mae)(np.array([1.0, 2.0]), np.array([1.0, 1.0])).tolist() == [0, 0.5]
    assert dl.grad(losses.huber)(np.array([1.0, 3.0]), np.zeros(2)).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "binary_cross_entropy"])
def test_a_float32_prediction_decides_the_dtype(name):
    loss = getattr(losses, name)(Tensor([[0.5]]), np.array([[1.0]]))
    assert loss.dtype == np.float32
    assert loss.shape == ()
    assert losses.huber(Tensor([0.5]), [1.0], np.float64(0.1)).dtype == np.float32
    assert losses.cross_entropy(Tensor([[0.5, 1.0]]), [1], np.float64(0.1)).dtype == np.float32


def test_each_is_one_record_and_adds_no_other():
    x = Tensor(X, requires_grad=True)
    with dl.Tape() as tape:
        losses.cross_entropy(x, LABELS)
        losses.binary_cross_entropy(x, np.ones((4, 3)))
        losses.mse(x, T)
        losses.mae(x, T)
        losses.huber(x, T)
    found = [record.op for record in tape.records]
    assert found == ["softmax_cross_entropy", "binary_cross_entropy", "mse", "mae", "huber"]


ONE_HOT = np.eye(3)[LABELS]


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: losses.mse(np.ones(4), np.ones((4, 1))), ValueError,
     "mse expects two of the same shape, got (4,) and (4, 1): they would broadcast; use target[..., 0]"),
    (lambda: losses.mae(np.ones((4, 1)), np.ones(4)), ValueError,
     "mae expects two of the same shape, got (4, 1) and (4,): they would broadcast; use prediction[..., 0]"),
    (lambda: losses.huber(np.ones((4, 1)), np.ones((4, 2))), ValueError,
     "huber expects two of the same shape, got (4, 1) and (4, 2): reshape one of them"),
    (lambda: losses.binary_cross_entropy(np.ones((4, 1)), np.ones(4)), ValueError,
     "binary_cross_entropy expects two of the same shape, got (4, 1) and (4,): they would broadcast; "
     "use prediction[..., 0]"),
    (lambda: losses.mse(np.ones(3), np.array([1, 2])), ValueError,
     "mse expects two of the same shape, got (3,) and (2,): reshape one of them"),
    (lambda: losses.mse(X[:0], X[:0]), ValueError, "mse expects at least one element, got shape (0, 3)"),
    (lambda: losses.huber(X, T, 0), ValueError, "huber expects delta > 0, got 0.0"),
    (lambda: losses.binary_cross_entropy(X, T), ValueError,
     "binary_cross_entropy expects targets from 0 to 1, got -"),
    (lambda: losses.binary_cross_entropy(X, ONE_HOT * 2), ValueError, "targets from 0 to 1, got 0 to 2"),
    (lambda: losses.cross_entropy(X, ONE_HOT), ValueError,
     "cross_entropy expects integers (4,), got one-hot (4, 3): use .argmax(1)"),
    (lambda: losses.cross_entropy(X, LABELS.astype(float)), ValueError,
     "cross_entropy expects integer labels, got shape (4,) of float64: use labels.astype(int)"),
    (lambda: losses.cross_entropy(X, LABELS[:, None]), ValueError, "(4,), got (4, 1): use labels[:, 0]"),
    (lambda: losses.cross_entropy(X, LABELS[:3]), ValueError, "(4,), got (3,): give one label for each"),
    (lambda: losses.cross_entropy(X, [0, 1, 2, 3]), ValueError,
     "cross_entropy expects labels from 0 to 2, got 0 to 3: give the last Dense more outputs"),
    (lambda: losses.cross_entropy(X, [0, 1, 2, -1]), ValueError, "got -1 to 2: labels are counted from 0"),
    (lambda: losses.cross_entropy(X, [1, 2, 3, 1]), ValueError,
     "got 1 to 3: use labels - 1, or give the last Dense more outputs"),
    (lambda: losses.mse(X, [0, 1, 2, 1]), ValueError,
     "mse expects two of the same shape, got (4, 3) and (4,): use cross_entropy for class labels"),
    (lambda: losses.binary_cross_entropy([0.5, 1.0], [0.0, np.nan]), ValueError,
     "binary_cross_entropy expects targets from 0 to 1, got nan to nan"),
    (lambda: losses.cross_entropy(X, Tensor([0.0, 1, 2, 1])), TypeError,
     "cross_entropy expects labels as a plain integer array, got a Tensor of float32"),
    (lambda: losses.cross_entropy(X[0], 1), ValueError, "expects logits (batch, classes), got (3,)"),
    (lambda: losses.cross_entropy(X[:0], []), ValueError, "expects logits (batch, classes), got (0, 3)"),
    (lambda: losses.cross_entropy(X, LABELS, 1.0), ValueError,
     "cross_entropy expects label_smoothing from 0 to below 1, got 1.0"),
])
def test_refusals(call, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        call()


@pytest.mark.parametrize(("make", "source"), [
    (lambda x: ops.softmax(x), "softmax"), (lambda x: ops.sigmoid(x), "sigmoid"),
    (lambda x: Sequential(Dense(3, 3), Sigmoid())(x), r"sigmoid (layer 1)"),
])
def test_logits_that_came_from_softmax_or_sigmoid_on_the_tape_are_refused(make, source):
    x = Tensor(X.astype(np.float32), requires_grad=True)
    for loss, target in ((losses.cross_entropy, LABELS), (losses.binary_cross_entropy, ONE_HOT)):
        message = rf"{loss.__name__} expects logits, got the output of {re.escape(source)}: leave it out"
        with pytest.raises(ValueError, match=message), dl.Tape():
            loss(make(x), target)


@pytest.mark.parametrize("p", [
    ops.softmax(RNG.normal(size=(8, 3)).astype(np.float32)).data,
    np.array([[0.25, 0.75]] * 8),
    np.array([[0.0, 0.3, 0.7], [1.0, 0.0, 0.0]] * 4),       # a saturated softmax has zeros
], ids=["three classes", "two classes", "with zeros"])
def test_rows_that_look_like_probabilities_are_refused_without_a_tape(p):
    labels = np.zeros(8, int)
    with pytest.raises(ValueError, match=r"cross_entropy expects logits, got probabilities \(rows sum"):
        losses.cross_entropy(p, labels)
    with pytest.raises(ValueError, match="binary_cross_entropy expects logits, got probabilities"):
        losses.binary_cross_entropy(p, np.ones(p.shape))


@pytest.mark.parametrize("logits", [
    ops.softmax(X).data,                                    # fewer than 8 rows
    np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1]],                    # one-hot
    ops.softmax(RNG.normal(size=(8, 3))).data * 1.001,      # sums differ from 1
    ops.softmax(RNG.normal(size=(8, 3))).data - [[0.5, -0.5, 0]] * 8,   # a negative one
    np.ones((8, 1)),                                        # one class
    np.full((8, 1), 1 + 5e-6),                              # one class, and nearly 1
    np.zeros((8, 3)),
])
def test_what_only_resembles_probabilities_is_accepted(logits):
    losses.cross_entropy(logits, np.zeros(len(logits), int))


def test_log_probabilities_are_logits_too():
    x = Tensor(X, requires_grad=True)
    with dl.Tape():
        loss = losses.cross_entropy(ops.log_softmax(x), LABELS)
    assert loss.item() == pytest.approx(losses.cross_entropy(X, LABELS).item())
