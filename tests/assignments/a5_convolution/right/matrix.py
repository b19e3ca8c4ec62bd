"""A convolution is a matrix: built from what it does to unit images; its transpose is the way back."""

import numpy as np


def _size(length, kernel, stride, padding, dilation):
    return (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def _matrix(shape, weight, stride, padding, dilation):
    """(height, width, channels, p, q, out): what each pixel has to do with each output."""
    _, height, width, channels = shape
    kernel, _, _, out = weight.shape
    p, q = (_size(length, kernel, stride, padding, dilation) for length in (height, width))
    matrix = np.zeros((height, width, channels, p, q, out))
    for r in range(p):
        for s in range(q):
            for i in range(kernel):
                for j in range(kernel):
                    row, column = r * stride + i * dilation - padding, s * stride + j * dilation - padding
                    if 0 <= row < height and 0 <= column < width:
                        matrix[row, column, :, r, s] += weight[i, j]
    return matrix


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    return np.tensordot(x, _matrix(x.shape, weight, stride, padding, dilation), 3) + bias


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    matrix = _matrix(x.shape, weight, stride, padding, dilation)
    dx = np.tensordot(g, matrix, axes=((1, 2, 3), (3, 4, 5)))
    dweight = np.zeros_like(weight)
    for place in np.ndindex(*weight.shape):
        unit = np.zeros_like(weight)
        unit[place] = 1
        dweight[place] = (g * dilated_conv2d(x, unit, np.zeros(g.shape[3]), stride, padding, dilation)).sum()
    return dx, dweight, g.reshape(-1, g.shape[-1]).sum(0)


def conv2d(x, weight, bias, stride=1, padding=0):
    return dilated_conv2d(x, weight, bias, stride, padding, dilation=1)


def conv2d_backward(g, x, weight, stride=1, padding=0):
    return dilated_conv2d_backward(g, x, weight, stride, padding, dilation=1)


def _cut(x, size):
    n, height, width, channels = x.shape
    return x[:, : height - height % size, : width - width % size].reshape(
        n, height // size, size, width // size, size, channels
    )


def max_pool2d(x, size):
    return np.maximum.reduce(np.maximum.reduce(_cut(x, size), axis=4), axis=2)


def max_pool2d_backward(g, x, size):
    cut = _cut(x, size)
    n, p, _, q, _, channels = cut.shape
    largest = cut == cut.max(axis=(2, 4), keepdims=True)
    # The first of several has none in front of it, when they are counted in row-major order.
    flat = largest.transpose(0, 1, 3, 5, 2, 4).reshape(n, p, q, channels, -1)
    first = flat & (np.cumsum(flat, axis=-1) == 1)
    first = first.reshape(n, p, q, channels, size, size).transpose(0, 1, 4, 2, 5, 3)
    dx = np.zeros(x.shape)
    spread = first * g[:, :, None, :, None]
    dx[:, : p * size, : q * size] = spread.reshape(n, p * size, q * size, channels)
    return dx


def _to_maps(x):
    return np.moveaxis(x, -1, 0).reshape(x.shape[-1], -1)


def _from_maps(maps, shape):
    return np.moveaxis(maps.reshape(shape[-1], *shape[:-1]), 0, -1)


def batch_norm(x, gamma, beta, eps):
    maps = _to_maps(x)
    y = (maps - maps.mean(1, keepdims=True)) / np.sqrt(maps.var(1, keepdims=True) + eps)
    return _from_maps(y * gamma[:, None] + beta[:, None], x.shape)


def batch_norm_backward(g, x, gamma, eps):
    """The Jacobian's product, with the projection written out as a matrix for each map."""
    maps, gs = _to_maps(x), _to_maps(g)
    m = maps.shape[1]
    dx, dgamma = np.empty(maps.shape), np.empty(len(maps))
    for c, values in enumerate(maps):
        root = np.sqrt(values.var() + eps)
        normal = (values - values.mean()) / root
        jacobian = np.eye(m) - np.full((m, m), 1 / m) - np.outer(normal, normal) / m
        dx[c] = jacobian @ gs[c] * gamma[c] / root
        dgamma[c] = normal @ gs[c]
    return _from_maps(dx, x.shape), dgamma, gs.sum(1)
