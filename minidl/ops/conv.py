"""Convolution of NHWC images: one matrix product for each block of images."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minidl.engine.arguments import tensors
from minidl.engine.array import Array
from minidl.engine.blocks import map_blocks
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike


def conv2d(
    x: TensorLike, weight: TensorLike, bias: TensorLike | None = None, stride: int = 1, padding: int = 0
) -> Tensor:
    """Cross-correlate images with kernels, as deep learning's "convolution" does.

    y[n, p, q, o] = Σ x[n, p·stride + i, q·stride + j, c] · weight[i, j, c, o] + bias[o]

    Args:
        x: (batch, height, width, in_channels).
        weight: (kernel, kernel, in_channels, out_channels).
        bias: (out_channels,) or None.
        stride: step of the window, in pixels.
        padding: zeros put on each side, in pixels.

    Returns:
        (batch, (height + 2·padding - kernel) // stride + 1, the same for width, out_channels).

    Raises:
        ValueError: shapes that don't fit, images smaller than the kernel, a stride below 1, padding below 0.

    Example:
        >>> conv2d(np.ones((2, 28, 28, 1)), np.ones((5, 5, 1, 6))).shape
        (2, 24, 24, 6)

    """
    inputs = tensors("conv2d", x, weight) if bias is None else tensors("conv2d", x, weight, bias)
    x, weight = inputs[:2]
    fits = x.ndim == weight.ndim == 4 and x.shape[3] == weight.shape[2]
    if not fits or weight.shape[0] != weight.shape[1]:
        raise ValueError(
            f"conv2d expects x (batch, height, width, in) and weight (kernel, kernel, in, out), "
            f"got {x.shape} and {weight.shape}"
        )
    if bias is not None and inputs[2].shape != weight.shape[3:]:
        raise ValueError(f"conv2d expects bias ({weight.shape[3]},), got {inputs[2].shape}")
    if stride < 1 or padding < 0:
        raise ValueError(f"conv2d expects stride >= 1 and padding >= 0, got {stride} and {padding}")
    k, out = weight.shape[0], weight.shape[3]
    a = _padded(x.data, padding)
    n, height, width = a.shape[:3]
    p, q = (height - k) // stride + 1, (width - k) // stride + 1
    if p < 1 or q < 1:
        raise ValueError(f"conv2d with kernel {k} and padding {padding} expects larger images, got {x.shape}")
    W = weight.data.reshape(-1, out)
    y = np.empty((n, p, q, out), x.dtype)

    def forward(start: int, stop: int) -> None:
        block = y[start:stop].reshape(-1, out)
        np.matmul(_columns(a[start:stop], k, stride), W, out=block)
        if bias is not None:
            block += inputs[2].data

    map_blocks(forward, n)

    def vjp(g: Array) -> list[Array | None]:
        g = np.ascontiguousarray(g)
        da = np.zeros(a.shape, a.dtype) if x.requires_grad else None

        def backward(start: int, stop: int) -> Array | None:
            # Columns are built again rather than kept: they are kernel² times as large as the images.
            rows = g[start:stop].reshape(-1, out)
            if da is not None:
                _add_columns(da[start:stop], rows @ W.T, k, stride)
            return _columns(a[start:stop], k, stride).T @ rows if weight.requires_grad else None

        parts = map_blocks(backward, n)
        dW = sum([part for part in parts if part is not None], start=np.zeros_like(W)).reshape(weight.shape)
        dx = da if da is None or not padding else da[:, padding:-padding, padding:-padding]
        return [dx, dW] if bias is None else [dx, dW, g.reshape(-1, out).sum(axis=0)]

    return record("conv2d", y, inputs, vjp)


def _padded(a: Array, padding: int) -> Array:
    if not padding:
        return a
    n, height, width, channels = a.shape
    padded = np.zeros((n, height + 2 * padding, width + 2 * padding, channels), a.dtype)
    padded[:, padding:-padding, padding:-padding] = a
    return padded


def _columns(a: Array, k: int, stride: int) -> Array:
    """Each window of images (n, height, width, c) as a row (k·k·c): (n·p·q, k·k·c), im2col."""
    a = np.ascontiguousarray(a)
    n, height, width, c = a.shape
    p, q = (height - k) // stride + 1, (width - k) // stride + 1
    # Not a.strides: NumPy lets the stride of an axis of length 1, such as a single channel, be anything.
    item = a.itemsize
    pixel, row, image = c * item, width * c * item, height * width * c * item
    # k pixels of one image row lie side by side in memory, so they are copied in runs of k·c numbers.
    strides = (image, stride * row, stride * pixel, row, item)
    return as_strided(a, (n, p, q, k, k * c), strides, writeable=False).reshape(n * p * q, k * k * c)


def _add_columns(a: Array, columns: Array, k: int, stride: int) -> None:
    """Add each row of columns to the window that it came from: the transpose of `_columns`."""
    n, height, width, c = a.shape
    p, q = (height - k) // stride + 1, (width - k) // stride + 1
    windows = columns.reshape(n, p, q, k, k, c)
    for i in range(k):
        for j in range(k):
            a[:, i : i + stride * p : stride, j : j + stride * q : stride] += windows[:, :, :, i, j]
