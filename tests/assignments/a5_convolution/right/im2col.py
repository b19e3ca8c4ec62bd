"""Columns of all windows by index arrays, one matrix product, and np.add.at on the way back."""

import numpy as np


def _indices(x, kernel, stride, padding, dilation):
    height = (x.shape[1] + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    width = (x.shape[2] + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    offsets = dilation * np.arange(kernel)
    rows = (stride * np.arange(height))[:, None, None, None] + offsets[:, None]
    columns = (stride * np.arange(width))[:, None, None] + offsets
    return np.broadcast_arrays(rows, columns)


def _padded(x, padding):
    larger = np.zeros((x.shape[0], x.shape[1] + 2 * padding, x.shape[2] + 2 * padding, x.shape[3]))
    larger[:, padding : padding + x.shape[1], padding : padding + x.shape[2]] = x
    return larger


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    rows, columns = _indices(x, len(weight), stride, padding, dilation)
    windows = _padded(x, padding)[:, rows, columns]
    matrix = windows.reshape(len(x) * rows.shape[0] * rows.shape[1], -1)
    y = matrix @ weight.reshape(-1, weight.shape[3]) + bias
    return y.reshape(len(x), *rows.shape[:2], weight.shape[3])


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    rows, columns = _indices(x, len(weight), stride, padding, dilation)
    padded = _padded(x, padding)
    flat = g.reshape(-1, g.shape[3])
    dweight = padded[:, rows, columns].reshape(len(flat), -1).T @ flat
    dwindows = (flat @ weight.reshape(-1, g.shape[3]).T).reshape(len(x), *rows.shape, x.shape[3])
    dpadded = np.zeros(padded.shape)
    np.add.at(dpadded, (slice(None), rows, columns), dwindows)
    dx = dpadded[:, padding : padding + x.shape[1], padding : padding + x.shape[2], :]
    return dx, dweight.reshape(weight.shape), flat.sum(axis=0)


def conv2d(x, weight, bias, stride=1, padding=0):
    return dilated_conv2d(x, weight, bias, stride, padding)


def conv2d_backward(g, x, weight, stride=1, padding=0):
    return dilated_conv2d_backward(g, x, weight, stride, padding)


def _patches(x, size):
    p, q = x.shape[1] // size, x.shape[2] // size
    return [x[:, i : size * p : size, j : size * q : size] for i in range(size) for j in range(size)]


def max_pool2d(x, size):
    return np.max(_patches(x, size), axis=0)


def max_pool2d_backward(g, x, size):
    dx = np.zeros_like(x)
    first = np.argmax(_patches(x, size), axis=0)
    for k, part in enumerate(_patches(dx, size)):
        part[...] = g * (first == k)
    return dx


def batch_norm(x, gamma, beta, eps):
    rows = x.reshape(-1, x.shape[-1])
    y = gamma * (rows - rows.mean(0)) / np.sqrt(rows.var(0) + eps) + beta
    return y.reshape(x.shape)


def batch_norm_backward(g, x, gamma, eps):
    """The paper's section 3, line by line."""
    rows, gs = x.reshape(-1, x.shape[-1]), g.reshape(-1, x.shape[-1])
    m = len(rows)
    centred = rows - rows.mean(0)
    var = (centred**2).mean(0)
    dx_hat = gs * gamma
    dvar = (dx_hat * centred).sum(0) * -0.5 * (var + eps) ** -1.5
    dmean = -dx_hat.sum(0) / np.sqrt(var + eps) + dvar * (-2 * centred).mean(0)
    dx = dx_hat / np.sqrt(var + eps) + dvar * 2 * centred / m + dmean / m
    return dx.reshape(x.shape), (gs * centred / np.sqrt(var + eps)).sum(0), gs.sum(0)
