"""Softmax, its logarithm, and softmax with cross-entropy as one op."""

from __future__ import annotations

import numpy as np

from minidl.engine.arguments import as_tensor
from minidl.engine.array import Array
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """exp(x) / Σ exp(x) along an axis, without overflow.

    Raises:
        ValueError: an axis that x doesn't have.

    Example:
        >>> softmax([0.0, 0.0, 1e4]).data
        array([0., 0., 1.], dtype=float32)

    """
    x = as_tensor(x)
    _check_axis("softmax", x, axis)
    _, y, total = _exponentials(x.data, axis)
    y /= total
    return record("softmax", y, (x,), lambda g: (y * (g - np.sum(g * y, axis=axis, keepdims=True)),))


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """Logarithm of softmax, x - log Σ exp(x), along an axis: finite where log(softmax(x)) is not.

    Raises:
        ValueError: an axis that x doesn't have.

    Example:
        >>> log_softmax([0.0, 1e4]).data
        array([-10000.,      0.], dtype=float32)

    """
    x = as_tensor(x)
    _check_axis("log_softmax", x, axis)
    log_p, p, total = _exponentials(x.data, axis)
    p /= total
    log_p -= np.log(total)
    return record("log_softmax", log_p, (x,), lambda g: (g - p * np.sum(g, axis=axis, keepdims=True),))


def softmax_cross_entropy(logits: TensorLike, labels: Array, label_smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of softmax(logits) against integer labels; its gradient is (p - target) / batch.

    Args:
        logits: (batch, classes).
        labels: integers (batch,) from 0 to classes - 1. `losses.cross_entropy` checks them.
        label_smoothing: share of the target that is spread evenly over all classes.

    Returns:
        scalar.

    Example:
        >>> f"{softmax_cross_entropy(np.zeros((3, 10)), [1, 2, 3]):.3f}"      # ln 10
        '2.303'

    """
    x = as_tensor(logits)
    shifted, p, total = _exponentials(x.data, 1)
    p /= total
    log_total = np.log(total)
    batch, classes = x.shape
    rows = np.arange(batch)
    loss = np.add.reduce(log_total[:, 0] - shifted[rows, labels]) / batch
    if label_smoothing:
        loss = (1 - label_smoothing) * loss + label_smoothing * (log_total - shifted).mean(dtype=x.dtype)

    def vjp(g: Array) -> tuple[Array]:
        dx = p - x.dtype.type(label_smoothing / classes)
        dx[rows, labels] -= 1 - label_smoothing
        dx *= g / batch
        return (dx,)

    return record("softmax_cross_entropy", np.asarray(loss, x.dtype), (x,), vjp)


def _exponentials(a: Array, axis: int) -> tuple[Array, Array, Array]:
    """Distances from the maximum, so that exp can't overflow; exp of them; the sum of that along the axis."""
    if not a.size:      # there is no maximum along an axis without elements, and log Σ would be log 0
        return a.copy(), a.copy(), np.ones((), a.dtype)
    shifted = a - np.maximum.reduce(a, axis=axis, keepdims=True)
    exponentials = np.exp(shifted)
    return shifted, exponentials, np.add.reduce(exponentials, axis=axis, keepdims=True)


def _check_axis(name: str, x: Tensor, axis: int) -> None:
    if not isinstance(axis, int | np.integer) or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{name} expects an axis of a tensor of shape {x.shape}, got axis={axis!r}")
