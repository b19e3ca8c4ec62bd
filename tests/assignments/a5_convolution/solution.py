"""A5, the model solution: sums over the kernel's offsets, closed forms for batch normalization."""

from __future__ import annotations

import numpy as np


def conv2d(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int = 1, padding: int = 0
) -> np.ndarray:
    """y[n, p, q, o] = bias[o] + sum over i, j, c of padded[n, p*s + i, q*s + j, c] * weight[i, j, c, o]."""
    kernel = len(weight)
    padded = _pad(x, padding)
    height = (padded.shape[1] - kernel) // stride + 1
    width = (padded.shape[2] - kernel) // stride + 1
    y = np.zeros((len(x), height, width, weight.shape[3])) + bias
    for i in range(kernel):
        for j in range(kernel):
            seen = padded[:, i : i + stride * height : stride, j : j + stride * width : stride]
            y += seen @ weight[i, j]
    return y


def conv2d_backward(
    g: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each offset (i, j) gives back what the forward pass took from it: a product with weight[i, j].T."""
    padded = _pad(x, padding)
    dpadded, dweight = np.zeros(padded.shape), np.zeros(weight.shape)
    for i in range(len(weight)):
        for j in range(len(weight)):
            rows = slice(i, i + stride * g.shape[1], stride)
            columns = slice(j, j + stride * g.shape[2], stride)
            dpadded[:, rows, columns] += g @ weight[i, j].T
            dweight[i, j] = np.tensordot(padded[:, rows, columns], g, axes=([0, 1, 2], [0, 1, 2]))
    dx = dpadded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]
    dbias = g.sum(axis=(0, 1, 2))
    return dx, dweight, dbias


def max_pool2d(x: np.ndarray, size: int) -> np.ndarray:
    """The largest of each window."""
    return _windows(x, size).max(axis=3)


def max_pool2d_backward(g: np.ndarray, x: np.ndarray, size: int) -> np.ndarray:
    """The whole gradient of an output goes to the first of its window's largest values."""
    windows = _windows(x, size)
    first = windows.argmax(axis=3)
    dx = np.zeros(x.shape)
    for k in range(size * size):
        i, j = divmod(k, size)
        part = np.where(first == k, g, 0)
        dx[:, i : size * g.shape[1] : size, j : size * g.shape[2] : size] = part
    return dx


def batch_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> np.ndarray:
    """Algorithm 1, with the mean and variance of each feature map over images and positions."""
    mean = x.mean(axis=(0, 1, 2))
    centred = x - mean
    var = (centred * centred).mean(axis=(0, 1, 2))
    inverse = 1 / np.sqrt(var + eps)
    x_hat = centred * inverse
    return gamma * x_hat + beta


def batch_norm_backward(
    g: np.ndarray, x: np.ndarray, gamma: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dx = gamma / sqrt(var + eps) * (g - mean(g) - x_hat * mean(g * x_hat))."""
    over = (0, 1, 2)
    m = x.shape[0] * x.shape[1] * x.shape[2]
    distance = x - x.mean(axis=over)
    sigma = np.sqrt((distance**2).mean(axis=over) + eps)
    normal = distance / sigma
    dgamma = (g * normal).sum(axis=over)
    dbeta = g.sum(axis=over)
    dx = gamma / sigma * (g - dbeta / m - normal * dgamma / m)
    return dx, dgamma, dbeta


def dilated_conv2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> np.ndarray:
    """As `conv2d`, but the kernel's weights look at pixels that lie `dilation` apart."""
    a = _pad(x, padding)
    reach = dilation * (len(weight) - 1) + 1
    p, q = (a.shape[1] - reach) // stride + 1, (a.shape[2] - reach) // stride + 1
    y = np.zeros((len(x), p, q, weight.shape[3]))
    for i in range(len(weight)):
        for j in range(len(weight)):
            top, left = i * dilation, j * dilation
            y += a[:, top : top + stride * p : stride, left : left + stride * q : stride] @ weight[i, j]
    return y + bias


def dilated_conv2d_backward(
    g: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `conv2d_backward`, with the same distances between the pixels."""
    a = _pad(x, padding)
    da, dw = np.zeros(a.shape), np.zeros(weight.shape)
    p, q = g.shape[1:3]
    for i in range(len(weight)):
        for j in range(len(weight)):
            down, across = i * dilation, j * dilation
            at = np.s_[:, down : down + stride * p : stride, across : across + stride * q : stride]
            da[at] += g @ weight[i, j].T
            dw[i, j] = np.einsum("npqc,npqo->co", a[at], g)
    return da[:, padding:][:, : x.shape[1], padding:][:, :, : x.shape[2]], dw, g.sum(axis=(0, 1, 2))


def _pad(x: np.ndarray, padding: int) -> np.ndarray:
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def _windows(x: np.ndarray, size: int) -> np.ndarray:
    """(batch, p, q, size * size, channels): the pixels of each window in row-major order."""
    n, height, width, channels = x.shape
    p, q = height // size, width // size
    whole = x[:, : p * size, : q * size].reshape(n, p, size, q, size, channels)
    return whole.transpose(0, 1, 3, 2, 4, 5).reshape(n, p, q, size * size, channels)
