"""Softmax, its logarithm, and softmax with cross-entropy as one op."""

from __future__ import annotations

import numpy as np

from minidl.engine.arguments import as_tensor
from minidl.engine.array import Array
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """exp(x) / Σ exp(x) along an axis, without overflow.

    Example:
        >>> softmax([0.0, 0.0, 1e4]).data
        array([0., 0., 1.], dtype=float32)

    """
    x = as_tensor(x)
    _check_axis("softmax", x, axis)
    y, _ = _softmax(x.data, axis)
    return record("softmax", y, (x,), lambda g: (y * (g - np.sum(g * y, axis=axis, keepdims=True)),))


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Logarithm of softmax, x - log Σ exp(x), along an axis: finite where log(softmax(x)) is not."""
    x = as_tensor(x)
    _check_axis("log_softmax", x, axis)
    p, log_p = _softmax(x.data, axis)
    return record("log_softmax", log_p, (x,), lambda g: (g - p * np.sum(g, axis=axis, keepdims=True),))


def softmax_cross_entropy(logits: TensorLike, labels: Array, label_smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of softmax(logits) against integer labels; its gradient is (p - target) / batch.

    Args:
        logits: (batch, classes).
        labels: integers (batch,) from 0 to classes - 1. `losses.cross_entropy` checks them.
        label_smoothing: share of the target that is spread evenly over all classes.

    Returns:
        scalar.

    """
    x = as_tensor(logits)
    p, log_p = _softmax(x.data, 1)
    batch, classes = x.shape
    rows = np.arange(batch)
    loss = -log_p[rows, labels].mean(dtype=x.dtype)
    if label_smoothing:
        loss = (1 - label_smoothing) * loss - label_smoothing * log_p.mean(dtype=x.dtype)

    def vjp(g: Array) -> tuple[Array]:
        dx = p - x.dtype.type(label_smoothing / classes)
        dx[rows, labels] -= 1 - label_smoothing
        dx *= g / batch
        return (dx,)

    return record("softmax_cross_entropy", np.asarray(loss, x.dtype), (x,), vjp)


def _softmax(a: Array, axis: int) -> tuple[Array, Array]:
    """Softmax and its logarithm, with the largest element taken out first, so that exp can't overflow."""
    if not a.size:      # along an axis without elements log Σ would be log 0
        return a.copy(), a.copy()
    log_p = a - np.max(a, axis=axis, keepdims=True)
    p = np.exp(log_p)
    total = np.sum(p, axis=axis, keepdims=True)
    p /= total
    log_p -= np.log(total)
    return p, log_p


def _check_axis(name: str, x: Tensor, axis: int) -> None:
    if not isinstance(axis, int | np.integer) or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{name} expects an axis of a tensor of shape {x.shape}, got axis={axis!r}")
