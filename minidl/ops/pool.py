"""Pooling of NHWC images over windows that don't overlap; odd sizes are floored, as in PyTorch."""

from __future__ import annotations

import numpy as np

from minidl.engine.arguments import as_tensor
from minidl.engine.array import Array
from minidl.engine.blocks import map_blocks
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike


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
    a = x.data
    n, p, q, channels = len(a), a.shape[1] // size, a.shape[2] // size, a.shape[3]
    y = np.empty((n, p, q, channels), a.dtype)

    def forward(start: int, stop: int) -> None:
        first, *others = _corners(a[start:stop], size)
        block = y[start:stop]
        block[...] = first
        for other in others:
            np.maximum(block, other, out=block)

    map_blocks(forward, n)

    def vjp(g: Array) -> tuple[Array]:
        dx = np.zeros(a.shape, a.dtype)

        def backward(start: int, stop: int) -> None:
            block, incoming = y[start:stop], g[start:stop]
            free = np.ones(block.shape, np.bool_)
            corners = zip(_corners(a[start:stop], size), _corners(dx[start:stop], size), strict=True)
            for corner, into in corners:
                wins = free & (corner == block)
                np.multiply(incoming, wins, out=into)
                free &= ~wins

        map_blocks(backward, n)
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


def _checked(name: str, x: TensorLike, size: int) -> Tensor:
    x = as_tensor(x)
    if x.ndim != 4 or size < 1 or x.shape[1] < size or x.shape[2] < size:
        raise ValueError(
            f"{name} expects images (batch, height, width, channels) of at least {size} x {size} pixels, "
            f"got {x.shape}"
        )
    return x
