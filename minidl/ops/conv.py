"""Convolution of NHWC images: one matrix product for each block of images."""

from __future__ import annotations

import numpy as np

from minidl.engine.arguments import tensors
from minidl.engine.array import Array
from minidl.engine.blocks import map_blocks
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike
from minidl.ops.columns import column_sums


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
    if not fits or weight.shape[0] != weight.shape[1] or 0 in weight.shape:
        raise ValueError(
            f"conv2d expects x (batch, height, width, in) and weight (kernel, kernel, in, out), "
            f"none of them 0, got {x.shape} and {weight.shape}"
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
    W = weight.data
    b = None if bias is None else inputs[2].data
    y = np.empty((n, p, q, out), x.dtype)

    def forward(start: int, stop: int) -> None:
        rows = y[start:stop].reshape(-1, out)
        np.matmul(_columns(a[start:stop], k, stride), W.reshape(-1, out), out=rows)
        if b is not None:
            rows += b

    numbers = n * p * q * len(W.reshape(-1, out))       # in the columns
    map_blocks(forward, n, numbers=numbers)

    def vjp(g: Array) -> list[Array | None]:
        # dW[i, j] = Σ x[n, p·stride + i, q·stride + j]ᵀ g[n, p, q],  and of dx the same pixels get
        # g[n, p, q] W[i, j]ᵀ: sums over all outputs (n, p, q), or over all that a pixel had a part in.
        g = np.ascontiguousarray(g)
        da = np.zeros(a.shape, a.dtype) if x.requires_grad else None
        # Row i of each kernel, mirrored left to right, as a matrix (k·out, in).
        mirrored = W[:, ::-1].swapaxes(2, 3).reshape(k, k * out, -1)

        def backward(start: int, stop: int) -> Array | None:
            # Columns are built again rather than kept: they are kernel² times as large as the images.
            rows = g[start:stop].reshape(-1, out)
            if da is not None:
                # Pixel x of an input row met the outputs of the k windows that reach over it: a convolution
                # of g along the row, one for each row i of the kernel, added to the row that it looked at.
                reach = _reach(g[start:stop], k, stride, width)
                for i in range(k):
                    part = (reach @ mirrored[i]).reshape(-1, p, *da.shape[2:])
                    da[start:stop, i : i + stride * p : stride] += part
            # np.dot, as np.matmul keeps Python's lock where the product is small, however long its sums are.
            return np.dot(_columns(a[start:stop], k, stride).T, rows) if weight.requires_grad else None

        parts = map_blocks(backward, n, numbers=numbers)
        dx = da if da is None or not padding else da[:, padding:-padding, padding:-padding]
        dW = sum([part for part in parts if part is not None], start=np.zeros_like(W.reshape(-1, out)))
        dW = dW.reshape(W.shape)
        return [dx, dW] if bias is None else [dx, dW, column_sums(g.reshape(-1, out))]

    return record("conv2d", y, inputs, vjp)


def _padded(a: Array, padding: int) -> Array:
    if not padding:
        return np.ascontiguousarray(a)
    n, height, width, channels = a.shape
    padded = np.zeros((n, height + 2 * padding, width + 2 * padding, channels), a.dtype)
    padded[:, padding:-padding, padding:-padding] = a
    return padded


def _columns(a: Array, k: int, stride: int) -> Array:
    """Each window of images (n, height, width, c) as a row (k·k·c): (n·p·q, k·k·c), im2col."""
    n, height, width, c = a.shape
    p, q = (height - k) // stride + 1, (width - k) // stride + 1
    # Not a.strides: NumPy lets the stride of an axis of length 1, such as a single channel, be anything.
    item = a.itemsize
    pixel, row, image = c * item, width * c * item, height * width * c * item
    if c < 4:
        # Few channels, the other way round: runs along the image's row are longer than k·c. BLAS takes both.
        windows = _view(a, (k, k, c, n, p, q), (row, pixel, item, image, stride * row, stride * pixel))
        return windows.reshape(k * k * c, n * p * q).T
    # k pixels of one image row lie side by side in memory, so they are copied in runs of k·c numbers.
    windows = _view(a, (n, p, q, k, k * c), (image, stride * row, stride * pixel, row, item))
    return windows.reshape(n * p * q, k * k * c)


def _reach(g: Array, k: int, stride: int, width: int) -> Array:
    """For each pixel of `width` the outputs (n, p, q, out) whose windows reach it: (n·p·width, k·out)."""
    n, p, q, out = g.shape
    spread = np.zeros((n, p, width + k - 1, out), g.dtype)
    spread[:, :, k - 1 : k - 1 + stride * q : stride] = g
    item = g.itemsize
    pixel, row = out * item, (width + k - 1) * out * item
    return _view(spread, (n, p, width, k * out), (p * row, row, pixel, item)).reshape(n * p * width, k * out)


def _view(a: Array, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """A contiguous array's memory in another shape: what as_strided gives, in a tenth of its time."""
    return np.ndarray(shape, a.dtype, a, 0, strides)
