"""Elementwise ops: arithmetic with broadcasting, powers, exponentials, extremes, choices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.engine.arguments import as_tensor, tensors
from minidl.engine.array import Array, describe
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike
from minidl.ops.broadcast import unbroadcast


def _broadcasting(
    name: str, y: Array, inputs: tuple[Tensor, ...], *partials: Callable[[Array], Array]
) -> Tensor:
    """Record an op whose inputs were broadcast; `partials` map g to the gradients in the output's shape."""
    return record(name, y, inputs, lambda g: [
        unbroadcast(partial(g), x.shape) if x.requires_grad else None
        for x, partial in zip(inputs, partials, strict=True)
    ])


def _apply(name: str, function: Callable[..., Any], *arrays: Array) -> Array:
    try:
        return np.asarray(function(*arrays))
    except ValueError as error:
        shapes = " and ".join(str(a.shape) for a in arrays)
        raise ValueError(f"{name} expects shapes that broadcast together, got {shapes}") from error


def add(x: TensorLike, y: TensorLike) -> Tensor:
    """Sum x + y, broadcast as in NumPy.

    Example:
        >>> add([[1.0], [2.0]], [10.0, 20.0]).data
        array([[11., 21.],
               [12., 22.]], dtype=float32)

    """
    x, y = tensors("add", x, y)
    z = _apply("add", np.add, x.data, y.data)
    return _broadcasting("add", z, (x, y), lambda g: g, lambda g: g)


def subtract(x: TensorLike, y: TensorLike) -> Tensor:
    """Difference x - y, broadcast as in NumPy."""
    x, y = tensors("subtract", x, y)
    z = _apply("subtract", np.subtract, x.data, y.data)
    return _broadcasting("subtract", z, (x, y), lambda g: g, lambda g: -g)


def multiply(x: TensorLike, y: TensorLike) -> Tensor:
    """Product x·y of the elements, broadcast as in NumPy."""
    x, y = tensors("multiply", x, y)
    a, b = x.data, y.data
    z = _apply("multiply", np.multiply, a, b)
    return _broadcasting("multiply", z, (x, y), lambda g: g * b, lambda g: g * a)


def divide(x: TensorLike, y: TensorLike) -> Tensor:
    """Quotient x / y of the elements, broadcast as in NumPy."""
    x, y = tensors("divide", x, y)
    a, b = x.data, y.data
    z = _apply("divide", np.divide, a, b)
    return _broadcasting("divide", z, (x, y), lambda g: g / b, lambda g: -g * z / b)


def floor_divide(x: TensorLike, y: TensorLike) -> Tensor:
    """⌊x / y⌋; its gradient is 0 wherever it has one."""
    x, y = tensors("floor_divide", x, y)
    z = _apply("floor_divide", np.floor_divide, x.data, y.data)
    return _broadcasting("floor_divide", z, (x, y), np.zeros_like, np.zeros_like)


def remainder(x: TensorLike, y: TensorLike) -> Tensor:
    """Rest x - y·⌊x / y⌋, with the sign of y, as Python's %."""
    x, y = tensors("remainder", x, y)
    a, b = x.data, y.data
    z = _apply("remainder", np.remainder, a, b)
    return _broadcasting("remainder", z, (x, y), lambda g: g, lambda g: -g * np.floor_divide(a, b))


def negative(x: TensorLike) -> Tensor:
    """Negative, -x."""
    x = as_tensor(x)
    return record("negative", -x.data, (x,), lambda g: (-g,))


def power(x: TensorLike, y: TensorLike) -> Tensor:
    """Power x^y of the elements, broadcast as in NumPy.

    Where y is 0 the gradient for x is 0; where x is 0 and y ≥ 0 that for y is 0 (the limits, as in PyTorch).
    """
    x, y = tensors("power", x, y)
    a, b = x.data, y.data
    z = _apply("power", np.power, a, b)

    def for_base(g: Array) -> Array:
        safe = np.where(b == 0, 1, a)      # 0 ** -1 would give infinity, and infinity times 0 NaN
        return np.asarray(g * b * safe ** (b - 1))

    def for_exponent(g: Array) -> Array:
        safe = np.where((a == 0) & (b >= 0), 1, a)
        return np.asarray(g * z * np.log(safe))

    return _broadcasting("power", z, (x, y), for_base, for_exponent)


def exp(x: TensorLike) -> Tensor:
    """Exponential function, e^x."""
    x = as_tensor(x)
    y = np.exp(x.data)
    return record("exp", y, (x,), lambda g: (g * y,))


def log(x: TensorLike) -> Tensor:
    """Natural logarithm."""
    x = as_tensor(x)
    a = x.data
    return record("log", np.log(a), (x,), lambda g: (g / a,))


def sqrt(x: TensorLike) -> Tensor:
    """Square root."""
    x = as_tensor(x)
    y = np.sqrt(x.data)
    return record("sqrt", y, (x,), lambda g: (g / (2 * y),))


def abs(x: TensorLike) -> Tensor:  # noqa: A001 (NumPy's name)
    """Absolute value |x|; the gradient at 0 is 0."""
    x = as_tensor(x)
    a = x.data
    return record("abs", np.abs(a), (x,), lambda g: (g * np.sign(a),))


def maximum(x: TensorLike, y: TensorLike) -> Tensor:
    """The larger of x and y, elementwise; equal ones share the gradient in halves. NaN if either is NaN."""
    x, y = tensors("maximum", x, y)
    a, b = x.data, y.data
    z = _apply("maximum", np.maximum, a, b)
    return _broadcasting("maximum", z, (x, y), lambda g: g * _share(a, b), lambda g: g * _share(b, a))


def minimum(x: TensorLike, y: TensorLike) -> Tensor:
    """The smaller of x and y, elementwise; equal ones share the gradient in halves. NaN if either is NaN."""
    x, y = tensors("minimum", x, y)
    a, b = x.data, y.data
    z = _apply("minimum", np.minimum, a, b)
    return _broadcasting("minimum", z, (x, y), lambda g: g * _share(b, a), lambda g: g * _share(a, b))


def _share(a: Array, b: Array) -> Array:
    """1 where a > b, a half where both are equal, else 0; 1 where either is NaN, as in PyTorch."""
    return np.where(a == b, 0.5, ~(a < b)).astype(a.dtype)


def where(condition: Array, x: TensorLike, y: TensorLike) -> Tensor:
    """Choose x where the condition holds, else y; all three broadcast.

    Args:
        condition: plain Boolean array (comparisons of tensors give one).
        x: values where it is true.
        y: values where it is false.

    Raises:
        TypeError: a condition that isn't Boolean.
        ValueError: shapes that don't broadcast together.

    Example:
        >>> x = Tensor([-1.0, 2.0])
        >>> where(x > 0, x, 0.0).data
        array([0., 2.], dtype=float32)

    """
    x, y = tensors("where", x, y)
    mask = np.asarray(condition)
    if mask.dtype != np.bool_:
        raise TypeError(f"where expects a Boolean condition, got {describe(condition)}: compare, as in x > 0")
    z = _apply("where", np.where, mask, x.data, y.data)
    return _broadcasting("where", z, (x, y), lambda g: np.where(mask, g, 0), lambda g: np.where(mask, 0, g))


def clip(x: TensorLike, low: float | None = None, high: float | None = None) -> Tensor:
    """Limit x to [low, high]; the gradient is 1 inside and at the limits, 0 outside.

    NaN stays NaN, with gradient 0, as in PyTorch.

    Args:
        x: tensor of any shape.
        low: number, or None for no lower limit.
        high: number, or None for no upper limit.

    Raises:
        ValueError: no limit at all, or low above high.

    Example:
        >>> clip([-2.0, 0.5, 2.0], -1, 1).data
        array([-1. ,  0.5,  1. ], dtype=float32)

    """
    x = as_tensor(x)
    if low is None and high is None:
        raise ValueError("clip expects a lower or an upper limit, got none")
    low, high = (-math.inf if low is None else float(low)), (math.inf if high is None else float(high))
    if not low <= high:
        raise ValueError(f"clip expects low <= high, got {low:g} and {high:g}")
    a = x.data
    y = np.clip(a, low, high)
    return record("clip", y, (x,), lambda g: (g * (y == a),))
