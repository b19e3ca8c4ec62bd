"""Reductions: sum, mean, variance, extremes, and the logarithm of a sum of exponentials."""

from __future__ import annotations

import math

import numpy as np

from minidl.engine.arguments import as_tensor
from minidl.engine.array import Array
from minidl.engine.tape import record
from minidl.engine.tensor import Axis, Tensor, TensorLike


def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001 (NumPy's name)
    """Sum over the given axes, or over all.

    Raises:
        ValueError: axes that x doesn't have, or one of them twice.

    Example:
        >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0).data
        array([4., 6.], dtype=float32)

    """
    x, axes = _prepared("sum", x, axis)
    y = np.sum(x.data, axis=axes, keepdims=keepdims)
    return record("sum", y, (x,), lambda g: (np.broadcast_to(_spread(g, x.shape, axes), x.shape),))


def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Mean over the given axes, or over all.

    Raises:
        ValueError: axes as for `sum`; no elements along them.

    """
    x, axes = _prepared("mean", x, axis, least=1)
    y = _exact_mean(x.data, axes, keepdims)
    n = _count(x.shape, axes)
    return record("mean", y, (x,), lambda g: (np.broadcast_to(_spread(g, x.shape, axes) / n, x.shape),))


def var(x: TensorLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Variance Σ(x - mean)² / (n - ddof): biased by default, unbiased with ddof=1.

    Raises:
        ValueError: axes as for `sum`; no more than ddof elements along them.

    Example:
        >>> var([1.0, 3.0]).item(), var([1.0, 3.0], ddof=1).item()
        (1.0, 2.0)

    """
    ddof = int(ddof)        # a NumPy integer would make float64 of float32
    x, axes = _prepared("var", x, axis, least=ddof + 1)
    centred = x.data - _exact_mean(x.data, axes, keepdims=True)
    centred -= _exact_mean(centred, axes, keepdims=True)    # what the mean lost when it became float32 again
    n = _count(x.shape, axes) - ddof
    y = np.sum(centred * centred, axis=axes, keepdims=keepdims) / n
    return record("var", y, (x,), lambda g: (_spread(g, x.shape, axes) * centred * (2 / n),))


def _exact_mean(a: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    # Summed in float64: plain float32 sums over 73,728 rows of 1e4 ± 1 have a mean that is off by 4.
    return np.asarray(np.mean(a, axis=axes, dtype=np.float64, keepdims=keepdims)).astype(a.dtype)


def max(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001 (NumPy's name)
    """Largest element; equal ones share the gradient in equal parts. NaN wins, and its gradient is NaN.

    Raises:
        ValueError: axes as for `sum`; no elements along them.

    """
    x, axes = _prepared("max", x, axis, least=1)
    y = np.max(x.data, axis=axes, keepdims=True)
    return _extreme("max", x, y, axes, keepdims)


def min(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:  # noqa: A001 (NumPy's name)
    """Smallest element; equal ones share the gradient in equal parts. NaN wins, and its gradient is NaN.

    Raises:
        ValueError: axes as for `sum`; no elements along them.

    """
    x, axes = _prepared("min", x, axis, least=1)
    y = np.min(x.data, axis=axes, keepdims=True)
    return _extreme("min", x, y, axes, keepdims)


def _extreme(name: str, x: Tensor, y: Array, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    mask = x.data == y
    with np.errstate(invalid="ignore"):     # no element equals NaN: 0 / 0 = NaN is the gradient there
        share = mask / np.sum(mask, axis=axes, keepdims=True).astype(x.dtype)
    y = y if keepdims else np.squeeze(y, axes)
    return record(name, y, (x,), lambda g: (_spread(g, x.shape, axes) * share,))


def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Log Σ exp(x), without overflow: the largest element is taken out first.

    Raises:
        ValueError: axes as for `sum`; no elements along them.

    Example:
        >>> logsumexp([1e4, 1e4]).data      # 1e4 + ln 2
        array(10000.693, dtype=float32)

    """
    x, axes = _prepared("logsumexp", x, axis, least=1)
    top = np.max(x.data, axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)    # where all are -inf, -inf - -inf would be NaN
    exponentials = np.exp(x.data - top)
    total = np.sum(exponentials, axis=axes, keepdims=True)
    with np.errstate(divide="ignore"):      # log 0 = -inf is the right value there
        y = np.log(total) + top
    y = y if keepdims else np.squeeze(y, axes)
    return record("logsumexp", y, (x,), lambda g: (_spread(g, x.shape, axes) * (exponentials / total),))


def _prepared(name: str, x: TensorLike, axis: Axis, least: int = 0) -> tuple[Tensor, tuple[int, ...]]:
    """The tensor and its axes as non-negative numbers, checked."""
    x = as_tensor(x)
    given = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int | np.integer) else axis
    if any(not -x.ndim <= a < x.ndim for a in given) or len({a % x.ndim for a in given}) != len(given):
        raise ValueError(f"{name} expects axes of a tensor of shape {x.shape}, each once, got axis={axis}")
    axes = tuple([int(a) % x.ndim for a in given])
    if _count(x.shape, axes) < least:
        raise ValueError(
            f"{name} expects at least {least} value(s) along axis={axis}, "
            f"got {_count(x.shape, axes)} in shape {x.shape}"
        )
    return x, axes


def _count(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    return math.prod([shape[a] for a in axes])


def _spread(g: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """The gradient g with the reduced axes put back as axes of length 1, ready to broadcast."""
    return g.reshape([1 if i in axes else n for i, n in enumerate(shape)])
