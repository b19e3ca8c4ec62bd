"""Pooling of NHWC images over windows that don't overlap; odd sizes are floored, as in PyTorch."""

from __future__ import annotations

from functools import reduce

import numpy as np

from minidl.engine.arguments import as_tensor
from minidl.engine.array import Array
from minidl.engine.blocks import block_size, map_blocks
from minidl.engine.tape import active_tape, record
from minidl.engine.tensor import Tensor, TensorLike

POOLED = 3 << 18    # numbers in a block of images: in smaller ones short calls would wait for Python's lock


def max_pool2d(x: TensorLike, size: int) -> Tensor:
    """Largest value of each size × size window; the first of several in row-major order takes the gradient.

    Args:
        x: (batch, height, width, channels).
        size: height and width of the window, and its step.

    Returns:
        (batch, height // size, width // size, channels).

    Raises:
        ValueError: no images, or images smaller than the window.

    Example:
        >>> max_pool2d(np.arange(16.0).reshape(1, 4, 4, 1), 2).data.ravel()
        array([ 5.,  7., 13., 15.])

    """
    x = _checked("max_pool2d", x, size)
    a = np.ascontiguousarray(x.data)
    n, p, q, channels = len(a), a.shape[1] // size, a.shape[2] // size, a.shape[3]
    y = np.empty((n, p, q, channels), a.dtype)
    images = block_size(n, a.size, POOLED)
    if active_tape() is None or not x.requires_grad:        # nobody will ask where each maximum stood
        def largest(start: int, stop: int) -> None:
            down = reduce(np.maximum, [a[start:stop, i : p * size : size] for i in range(size)])
            y[start:stop] = reduce(np.maximum, _apart(down, size))

        map_blocks(largest, n, images, a.size)
        return record("max_pool2d", y, (x,), lambda g: (None,))
    # Where each maximum stood: its column, for each row of the window, and then the row.
    index = np.min_scalar_type(size - 1)        # uint8
    column = np.empty((n, p * size, q, channels), index)
    row = np.empty(y.shape, index)

    def forward(start: int, stop: int) -> None:
        across, column[start:stop] = _first_largest(_apart(a[start:stop, : p * size], size))
        y[start:stop], row[start:stop] = _first_largest([across[:, i::size] for i in range(size)])

    map_blocks(forward, n, images, a.size)

    def vjp(g: Array) -> tuple[Array]:
        dx = np.empty(a.shape, a.dtype)
        dx[:, p * size :] = 0       # the rest of odd sizes
        dx[:, :, q * size :] = 0

        def backward(start: int, stop: int) -> None:
            across = np.empty((stop - start, p * size, q, channels), a.dtype)
            for i in range(size):
                np.multiply(g[start:stop], row[start:stop] == i, out=across[:, i::size])
            pixels = _pixels(dx[start:stop, : p * size])
            for j in range(size):
                pixels[:, :, j : q * size : size] = _pixels(across * (column[start:stop] == j))

        map_blocks(backward, n, images, a.size)
        return (dx,)

    return record("max_pool2d", y, (x,), vjp)


def avg_pool2d(x: TensorLike, size: int) -> Tensor:
    """Mean of each size × size window.

    Args:
        x: (batch, height, width, channels).
        size: height and width of the window, and its step.

    Returns:
        (batch, height // size, width // size, channels).

    Raises:
        ValueError: no images, or images smaller than the window.

    Example:
        >>> avg_pool2d(np.arange(16.0).reshape(1, 4, 4, 1), 2).data.ravel()
        array([ 2.5,  4.5, 10.5, 12.5])

    """
    x = _checked("avg_pool2d", x, size)
    corners = _corners(x.data, size)
    y = np.add(corners[0], 0)
    for corner in corners[1:]:
        y += corner
    y /= size * size

    def vjp(g: Array) -> tuple[Array]:
        dx = np.zeros(x.shape, x.dtype)
        share = g / (size * size)
        for into in _corners(dx, size):
            into[...] = share
        return (dx,)

    return record("avg_pool2d", y, (x,), vjp)


def _corners(a: Array, size: int) -> list[Array]:
    """One pixel of every window, (n, p, q, channels), for each of the size² pixels in row-major order."""
    p, q = a.shape[1] // size, a.shape[2] // size
    return [a[:, i : p * size : size, j : q * size : size] for i in range(size) for j in range(size)]


def _first_largest(arrays: list[Array]) -> tuple[Array, Array]:
    """The largest of several arrays, elementwise, and the number of the first array that has it."""
    number = np.min_scalar_type(len(arrays) - 1).type
    largest, where = arrays[0], np.zeros(arrays[0].shape, number)
    for j, a in enumerate(arrays[1:], start=1):
        larger = (a > largest).view(np.uint8)       # not bool, which would have to be converted
        np.maximum(where, larger * number(j), out=where)        # the last one that was larger
        largest = np.maximum(largest, a)
    return largest, where


def _apart(a: Array, size: int) -> list[Array]:
    """Every size-th pixel of each row, from the first, from the second, ...: contiguous arrays."""
    stop = a.shape[2] // size * size
    return [
        np.ascontiguousarray(_pixels(a)[:, :, j:stop:size]).view(a.dtype)
        .reshape(*a.shape[:2], stop // size, a.shape[3])
        for j in range(size)
    ]


def _pixels(a: Array) -> Array:
    """A view of images with one item a pixel: copied whole, it takes half the time of its channels."""
    # Not np.dtype((np.void, n)): that asks a function in Python whose errors NumPy drops, Ctrl-C among them.
    return a.view(np.dtype(f"V{a.shape[3] * a.itemsize}"))[..., 0]


def _checked(name: str, x: TensorLike, size: int) -> Tensor:
    x = as_tensor(x)
    if x.ndim != 4 or size < 1 or min(x.shape[1:3]) < size or not x.shape[3]:
        raise ValueError(
            f"{name} expects images (batch, height, width, channels) of at least {size} x {size} pixels, "
            f"got {x.shape}"
        )
    return x
