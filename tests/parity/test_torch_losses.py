"""Losses against PyTorch: values, and the gradients of predictions and targets."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from minidl import losses
from tests.parity.compare import compare

torch = pytest.importorskip("torch")
F = torch.nn.functional

SHAPES = [(), (1,), (7,), (60, 10), (2, 3, 4)]
TESTED = {"cross_entropy", "binary_cross_entropy", "mse", "mae", "huber"}


def pair(shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, 6])
    return rng.normal(size=shape) * 2, rng.normal(size=shape)


def test_no_loss_is_left_out():
    own = [f for f in vars(losses).values() if inspect.isfunction(f) and f.__module__ == losses.__name__]
    assert {f.__name__ for f in own if not f.__name__.startswith("_")} == TESTED


@pytest.mark.parametrize(("batch", "classes"), [(1, 2), (5, 3), (60, 10), (2, 1)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
def test_cross_entropy(batch, classes, smoothing, scale):
    rng = np.random.default_rng(batch)
    logits, labels = rng.normal(size=(batch, classes)) * scale, rng.integers(0, classes, batch)
    compare(
        lambda x: losses.cross_entropy(x, labels, smoothing),
        lambda x: F.cross_entropy(x, torch.tensor(labels), label_smoothing=smoothing),
        logits,
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_cross_entropy_with_labels_of_any_integer_type(dtype):
    logits, labels = np.random.default_rng(0).normal(size=(5, 10)), np.arange(5).astype(dtype)
    compare(
        lambda x: losses.cross_entropy(x, labels),
        lambda x: F.cross_entropy(x, torch.tensor(labels).long()),
        logits,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
@pytest.mark.parametrize("hard", [True, False], ids=["0 or 1", "between"])
def test_binary_cross_entropy(shape, scale, hard):
    x, t = pair(shape)
    t = 1 / (1 + np.exp(-t))
    compare(
        losses.binary_cross_entropy, F.binary_cross_entropy_with_logits,
        np.asarray(x * scale), np.round(t) if hard else np.asarray(t),
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_mse(shape):
    compare(losses.mse, F.mse_loss, *map(np.asarray, pair(shape)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_mae(shape):
    compare(losses.mae, F.l1_loss, *map(np.asarray, pair(shape)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("delta", [1e-3, 0.5, 1.0, 2.5, 1e3])
def test_huber(shape, delta):
    compare(
        lambda x, t: losses.huber(x, t, delta), lambda x, t: F.huber_loss(x, t, delta=delta),
        *map(np.asarray, pair(shape)),
    )


def test_errors_of_zero_and_at_hubers_kink():
    e = np.array([0.0, -0.0, 0.5, -0.5, 0.5 + 1e-15, 1.0, -1.0])
    for ours, theirs in (
        (losses.mae, F.l1_loss), (losses.mse, F.mse_loss),
        (lambda x, t: losses.huber(x, t, 0.5), lambda x, t: F.huber_loss(x, t, delta=0.5)),
    ):
        compare(ours, theirs, e, np.zeros(7))


def test_binary_cross_entropy_at_logits_of_zero():
    x, t = np.zeros(3), np.array([0, 0.5, 1])
    compare(losses.binary_cross_entropy, F.binary_cross_entropy_with_logits, x, t)
