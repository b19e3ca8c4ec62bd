"""Ops that move elements and don't change them: reshape, transpose, indexing, joining, padding."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.engine.arguments import as_tensor, tensors
from minidl.engine.array import Array, describe
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike
from minidl.ops.broadcast import unbroadcast


def reshape(x: TensorLike, shape: int | tuple[int, ...]) -> Tensor:
    """The same elements in row-major order in another shape; one length may be -1.

    Raises:
        ValueError: a shape of another number of elements.

    Example:
        >>> reshape(np.ones((2, 3, 4)), (2, -1)).shape
        (2, 12)

    """
    x = as_tensor(x)
    try:
        y = x.data.reshape(shape)
    except ValueError as error:
        raise ValueError(f"reshape of {x.shape} expects a shape of {x.size} elements, got {shape}") from error
    return record("reshape", y, (x,), lambda g: (g.reshape(x.shape),))


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order, or all reversed.

    Args:
        x: tensor of any shape.
        axes: for each axis of the result the axis of x that it is; None reverses all.

    Raises:
        ValueError: axes that aren't all of x's, each once.

    Example:
        >>> transpose(np.ones((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)

    """
    x = as_tensor(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axes)
    if sorted(a + x.ndim if a < 0 else a for a in order) != list(range(x.ndim)):
        raise ValueError(f"transpose expects each axis of shape {x.shape} once, got {order}")
    back = tuple([int(i) for i in np.argsort([a % x.ndim for a in order])])
    return record("transpose", x.data.transpose(order), (x,), lambda g: (g.transpose(back),))


def getitem(x: TensorLike, index: Any) -> Tensor:
    """Pick x[index], with integers, slices, None, ..., Boolean masks and integer arrays, as in NumPy.

    An element that is picked several times gets the sum of its gradients.

    Raises:
        IndexError: an index that x doesn't have.
        TypeError: a tensor as an index.

    Example:
        >>> getitem([1.0, 2.0, 3.0], [0, 0, 2]).data
        array([1., 1., 3.], dtype=float32)

    """
    x = as_tensor(x)
    index = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, Tensor) for part in index):
        raise TypeError("a tensor holds floats and can't be an index: use np.asarray(t).astype(int)")
    try:
        y = x.data[index]
    except (IndexError, ValueError) as error:
        raise IndexError(f"indexing a tensor of shape {x.shape}: {error}") from error
    once = all(part is None or part is ... or isinstance(part, slice | int | np.integer) for part in index)

    def vjp(g: Array) -> tuple[Array]:
        dx = np.zeros(x.shape, x.dtype)
        if once:
            dx[index] = g
        else:       # an array of integers may pick an element twice
            np.add.at(dx, index, g)
        return (dx,)

    return record("getitem", y, (x,), vjp)


def concatenate(values: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors one after the other along an axis that they have.

    Raises:
        TypeError: no list of tensors, or an empty one.
        ValueError: shapes that differ on another axis.

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
    """Tensors of one shape side by side along a new axis.

    Raises:
        TypeError: no list of tensors, or an empty one.
        ValueError: shapes that differ.

    Example:
        >>> stack([[1.0, 2.0], [3.0, 4.0]], axis=1).data
        array([[1., 3.],
               [2., 4.]], dtype=float32)

    """
    inputs = _several("stack", values)
    try:
        y = np.stack([x.data for x in inputs], axis)
    except ValueError as error:
        shapes = ", ".join(str(x.shape) for x in inputs)
        raise ValueError(f"stack expects tensors of one shape, got {shapes} for axis {axis}") from error
    return record("stack", y, inputs, lambda g: list(np.moveaxis(g, axis, 0)))


def pad(x: TensorLike, widths: int | Sequence[Any], value: float = 0.0) -> Tensor:
    """Put a border of a constant value around x.

    Args:
        x: tensor of any shape.
        widths: as for `np.pad`: a number, a pair (before, after) for all axes, or a pair for each axis.
        value: what the border is filled with.

    Raises:
        ValueError: widths that are negative, no whole numbers, or of another shape.

    Example:
        >>> pad([1.0, 2.0], (0, 2)).data
        array([1., 2., 0., 0.], dtype=float32)

    """
    x = as_tensor(x)
    given = np.asarray(widths)
    if given.dtype.kind not in "iu" or given.shape not in ((), (2,), (x.ndim, 2)) or (given < 0).any():
        raise ValueError(f"pad expects whole widths of 0 or more, or pairs for shape {x.shape}, got {widths}")
    sides = list(zip(np.broadcast_to(given, (x.ndim, 2)).tolist(), x.shape, strict=True))
    inside = tuple([slice(before, before + n) for (before, _), n in sides])
    y = np.full([before + n + after for (before, after), n in sides], value, x.dtype)
    y[inside] = x.data
    return record("pad", y, (x,), lambda g: (g[inside],))


def broadcast_to(x: TensorLike, shape: tuple[int, ...]) -> Tensor:
    """Repeat x along new axes and along those of length 1, as in NumPy.

    Raises:
        ValueError: a shape that x can't be stretched to.

    Example:
        >>> broadcast_to([1.0, 2.0], (2, 2)).data
        array([[1., 2.],
               [1., 2.]], dtype=float32)

    """
    x = as_tensor(x)
    try:
        y = np.broadcast_to(x.data, shape)
    except ValueError as error:
        raise ValueError(f"broadcast_to can't stretch shape {x.shape} to {shape}") from error
    return record("broadcast_to", y, (x,), lambda g: (unbroadcast(g, x.shape),))


def _several(name: str, values: Sequence[TensorLike]) -> tuple[Tensor, ...]:
    if not isinstance(values, list | tuple) or not values:
        raise TypeError(f"{name} expects a list of tensors, at least one, got {describe(values)}")
    return tensors(name, *values)
