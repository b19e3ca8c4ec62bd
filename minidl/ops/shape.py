"""Ops that move elements without changing them: reshape, transpose, indexing, joining, padding, broadcasting."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.engine.tape import record
from minidl.engine.array import Array
from minidl.engine.tensor import Tensor, TensorLike, as_tensor, tensors
from minidl.ops.elementwise import unbroadcast


def reshape(x: TensorLike, shape: int | tuple[int, ...]) -> Tensor:
    """The same elements in row-major order in another shape; one length may be -1.

    Example:
        >>> reshape(np.ones((2, 3, 4)), (2, -1)).shape
        (2, 12)

    """
    x = as_tensor(x)
    try:
        y = x.data.reshape(shape)
    except ValueError as error:
        raise ValueError(f"reshape expects a shape of {x.size} elements as {x.shape} has, got {shape}") from error
    return record("reshape", y, (x,), lambda g: (g.reshape(x.shape),))


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order, or all reversed."""
    x = as_tensor(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axes)
    if any(not -x.ndim <= a < x.ndim for a in order) or sorted(a % x.ndim for a in order) != list(range(x.ndim)):
        raise ValueError(f"transpose expects each axis of shape {x.shape} once, got {order}")
    back = tuple(int(i) for i in np.argsort([a % x.ndim for a in order]))
    return record("transpose", x.data.transpose(order), (x,), lambda g: (g.transpose(back),))


def getitem(x: TensorLike, index: Any) -> Tensor:
    """X[index], with integers, slices, None, ..., Boolean masks and integer arrays, as in NumPy.

    An element that is picked several times gets the sum of its gradients.
    """
    x = as_tensor(x)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, Tensor) for part in parts):
        raise TypeError("a tensor holds floats and can't be an index: use np.asarray(t).astype(int), or a comparison")
    repeats = any(isinstance(part, list | np.ndarray) for part in parts)    # only these may pick an element twice
    index = tuple([np.asarray(p) if isinstance(p, list) and p else p for p in parts])
    try:
        y = x.data[index]
    except IndexError as error:
        raise IndexError(f"indexing a tensor of shape {x.shape}: {error}") from error

    def vjp(g: Array) -> tuple[Array]:
        dx = np.zeros(x.shape, x.dtype)
        if repeats:
            np.add.at(dx, index, g)
        else:
            dx[index] = g
        return (dx,)

    return record("getitem", y, (x,), vjp)


def concatenate(values: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors one after the other along an axis that they have.

    Example:
        >>> concatenate([[1.0, 2.0], [3.0]]).data
        array([1., 2., 3.], dtype=float32)

    """
    inputs = _several("concatenate", values)
    try:
        y = np.concatenate([x.data for x in inputs], axis)
    except ValueError as error:
        shapes = ", ".join(str(x.shape) for x in inputs)
        raise ValueError(f"concatenate expects shapes that agree but on axis {axis}, got {shapes}") from error
    ends = list(itertools.accumulate(x.shape[axis] for x in inputs))[:-1]
    return record("concatenate", y, inputs, lambda g: np.split(g, ends, axis))


def stack(values: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new axis."""
    inputs = _several("stack", values)
    try:
        y = np.stack([x.data for x in inputs], axis)
    except ValueError as error:
        shapes = ", ".join(str(x.shape) for x in inputs)
        raise ValueError(f"stack expects tensors of one shape, and axis within it, got {shapes}, axis {axis}") from error
    return record("stack", y, inputs, lambda g: list(np.moveaxis(g, axis, 0)))


def pad(x: TensorLike, widths: int | Sequence[Any], value: float = 0.0) -> Tensor:
    """X with a border of a constant value.

    Args:
        x: tensor of any shape.
        widths: as for `np.pad`: a number, a pair (before, after), or a pair for each axis.
        value: what the border is filled with.

    """
    x = as_tensor(x)
    pairs = np.broadcast_to(np.asarray(widths, dtype=int), (x.ndim, 2))
    if (pairs < 0).any():
        raise ValueError(f"pad expects widths of 0 or more, got {widths}: use indexing to cut")
    y = np.pad(x.data, pairs, constant_values=value)
    inside = tuple([slice(before, before + n) for (before, _), n in zip(pairs.tolist(), x.shape, strict=True)])
    return record("pad", y, (x,), lambda g: (g[inside],))


def broadcast_to(x: TensorLike, shape: tuple[int, ...]) -> Tensor:
    """X repeated along new axes and along those of length 1, as in NumPy."""
    x = as_tensor(x)
    try:
        y = np.broadcast_to(x.data, shape)
    except ValueError as error:
        raise ValueError(f"broadcast_to can't stretch shape {x.shape} to {shape}") from error
    return record("broadcast_to", y, (x,), lambda g: (unbroadcast(g, x.shape),))


def _several(name: str, values: Sequence[TensorLike]) -> tuple[Tensor, ...]:
    if isinstance(values, Tensor | np.ndarray) or not len(values):
        raise TypeError(f"{name} expects a list of tensors, got {'one' if isinstance(values, Tensor) else 'none'}")
    return tensors(name, *values)
