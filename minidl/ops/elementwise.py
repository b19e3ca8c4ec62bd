"""Elementwise ops: arithmetic with broadcasting, powers, exponentials, extremes, choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.engine.tape import record
from minidl.engine.array import Array, describe
from minidl.engine.tensor import Tensor, TensorLike, as_tensor, tensors


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which an input was broadcast: the one place where that is undone.

    Example:
        >>> unbroadcast(np.ones((5, 3)), (1, 3))
        array([[5., 5., 5.]])

    """
    if g.shape == shape:
        return g
    added = g.ndim - len(shape)
    stretched = [added + i for i, n in enumerate(shape) if n == 1 and g.shape[added + i] != 1]
    return np.asarray(g.sum(axis=(*range(added), *stretched), keepdims=True)).reshape(shape)


def _broadcasting(
    name: str, y: Array, inputs: tuple[Tensor, ...], *partials: Callable[[Array], Array]
) -> Tensor:
    """Record an op whose inputs were broadcast; `partials` map g to the gradients in the output's shape."""
    return record(name, y, inputs, lambda g: [
        unbroadcast(partial(g), x.shape) if x.requires_grad else None for x, partial in zip(inputs, partials, strict=True)
    ])


def _apply(name: str, function: Callable[..., Any], *inputs: Tensor) -> Array:
    try:
        return np.asarray(function(*[x.data for x in inputs]))
    except ValueError as error:
        shapes = " and ".join(str(x.shape) for x in inputs)
        raise ValueError(f"{name} expects shapes that broadcast together, got {shapes}") from error


def add(x: TensorLike, y: TensorLike) -> Tensor:
    """x + y, broadcast as in NumPy.

    Example:
        >>> add([[1.0], [2.0]], [10.0, 20.0]).data
        array([[11., 21.],
               [12., 22.]], dtype=float32)

    """
    x, y = tensors("add", x, y)
    return _broadcasting("add", _apply("add", np.add, x, y), (x, y), lambda g: g, lambda g: g)


def subtract(x: TensorLike, y: TensorLike) -> Tensor:
    """x - y, broadcast as in NumPy."""
    x, y = tensors("subtract", x, y)
    return _broadcasting("subtract", _apply("subtract", np.subtract, x, y), (x, y), lambda g: g, lambda g: -g)


def multiply(x: TensorLike, y: TensorLike) -> Tensor:
    """x · y elementwise, broadcast as in NumPy."""
    x, y = tensors("multiply", x, y)
    a, b = x.data, y.data
    return _broadcasting("multiply", _apply("multiply", np.multiply, x, y), (x, y), lambda g: g * b, lambda g: g * a)


def divide(x: TensorLike, y: TensorLike) -> Tensor:
    """x / y elementwise, broadcast as in NumPy."""
    x, y = tensors("divide", x, y)
    b = y.data
    quotient = _apply("divide", np.divide, x, y)
    return _broadcasting("divide", quotient, (x, y), lambda g: g / b, lambda g: -g * quotient / b)


def floor_divide(x: TensorLike, y: TensorLike) -> Tensor:
    """⌊x / y⌋; its gradient is 0 wherever it has one."""
    x, y = tensors("floor_divide", x, y)
    quotient = _apply("floor_divide", np.floor_divide, x, y)
    return _broadcasting("floor_divide", quotient, (x, y), np.zeros_like, np.zeros_like)


def remainder(x: TensorLike, y: TensorLike) -> Tensor:
    """x - y·⌊x / y⌋, with the sign of y, as Python's %."""
    x, y = tensors("remainder", x, y)
    floor = _apply("remainder", np.floor_divide, x, y)
    rest = np.remainder(x.data, y.data)
    return _broadcasting("remainder", rest, (x, y), lambda g: g, lambda g: -g * floor)


def negative(x: TensorLike) -> Tensor:
    """-x."""
    x = as_tensor(x)
    return record("negative", -x.data, (x,), lambda g: (-g,))


def power(x: TensorLike, y: TensorLike) -> Tensor:
    """x to the power y, broadcast as in NumPy.

    Where y is 0 the gradient for x is 0; where x is 0 and y ≥ 0 the gradient for y is 0 (the limits, as in PyTorch).
    """
    x, y = tensors("power", x, y)
    a, b = x.data, y.data
    z = _apply("power", np.power, x, y)

    def for_base(g: Array) -> Array:
        safe = np.where(b == 0, 1, a)      # 0 ** -1 would give infinity, and infinity times 0 NaN
        return g * b * safe ** np.where(b == 0, 1, b - 1).astype(b.dtype)

    def for_exponent(g: Array) -> Array:
        safe = np.where((a == 0) & (b >= 0), 1, a).astype(a.dtype)
        return g * z * np.log(safe)

    return _broadcasting("power", z, (x, y), for_base, for_exponent)


def exp(x: TensorLike) -> Tensor:
    """e to the power x."""
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
    """|x|; the gradient at 0 is 0."""
    x = as_tensor(x)
    a = x.data
    return record("abs", np.abs(a), (x,), lambda g: (g * np.sign(a),))


def _share(wins: Array, ties: Array, dtype: np.dtype[Any]) -> Array:
    """1 where an argument wins, a half where both are equal."""
    return wins.astype(dtype) + ties.astype(dtype) / 2


def maximum(x: TensorLike, y: TensorLike) -> Tensor:
    """The larger of x and y, elementwise; equal ones share the gradient in halves."""
    x, y = tensors("maximum", x, y)
    a, b = x.data, y.data
    z = _apply("maximum", np.maximum, x, y)
    return _broadcasting(
        "maximum", z, (x, y), lambda g: g * _share(a > b, a == b, a.dtype), lambda g: g * _share(b > a, a == b, a.dtype)
    )


def minimum(x: TensorLike, y: TensorLike) -> Tensor:
    """The smaller of x and y, elementwise; equal ones share the gradient in halves."""
    x, y = tensors("minimum", x, y)
    a, b = x.data, y.data
    z = _apply("minimum", np.minimum, x, y)
    return _broadcasting(
        "minimum", z, (x, y), lambda g: g * _share(a < b, a == b, a.dtype), lambda g: g * _share(b < a, a == b, a.dtype)
    )


def where(condition: Array, x: TensorLike, y: TensorLike) -> Tensor:
    """x where the condition holds, else y; all three broadcast.

    Args:
        condition: plain Boolean array (comparisons of tensors give one).
        x: values where it is true.
        y: values where it is false.

    Example:
        >>> x = Tensor([-1.0, 2.0])
        >>> where(x > 0, x, 0.0).data
        array([0., 2.], dtype=float32)

    """
    x, y = tensors("where", x, y)
    mask = np.asarray(condition)
    if mask.dtype != np.bool_:
        raise TypeError(f"where expects a Boolean condition, got {describe(condition)}: compare first, as in x > 0")
    z = _apply("where", lambda a, b: np.where(mask, a, b), x, y)
    return _broadcasting("where", z, (x, y), lambda g: np.where(mask, g, 0), lambda g: np.where(mask, 0, g))


def clip(x: TensorLike, low: float | None = None, high: float | None = None) -> Tensor:
    """X limited to [low, high]; the gradient is 1 inside and at the limits, 0 outside."""
    x = as_tensor(x)
    if low is None and high is None:
        raise ValueError("clip expects a lower or an upper limit, got none")
    if low is not None and high is not None and low > high:
        raise ValueError(f"clip expects low <= high, got {low} and {high}")
    a = x.data
    y = np.clip(a, low, high)
    inside = np.equal(y, a)
    return record("clip", y, (x,), lambda g: (g * inside,))
