"""Dilation is a convolution whose kernel has zeros between its weights; lists of outputs in another order."""

import numpy as np


def _larger(weight, dilation):
    reach = dilation * (len(weight) - 1) + 1
    kernel = np.zeros((reach, reach, *weight.shape[2:]))
    kernel[::dilation, ::dilation] = weight
    return kernel


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d(x, _larger(weight, dilation), bias, stride, padding)


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    dx, dkernel, dbias = conv2d_backward(g, x, _larger(weight, dilation), stride, padding)
    return dx, dkernel[::dilation, ::dilation], dbias


def conv2d(x, weight, bias, stride=1, padding=0):
    """All positions with a step of one, and then every stride-th of them; channels first inside."""
    a = np.pad(x.transpose(3, 0, 1, 2), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    k = len(weight)
    height, width = a.shape[2] - k + 1, a.shape[3] - k + 1
    y = sum(
        np.tensordot(a[:, :, i : i + height, j : j + width], weight[i, j], (0, 0))
        for i in reversed(range(k)) for j in reversed(range(k))
    )
    return (y + bias)[:, ::stride, ::stride]


def conv2d_backward(g, x, weight, stride=1, padding=0):
    """With a step of one there is a gradient at every position, most of them 0."""
    a = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    k = len(weight)
    height, width = a.shape[1] - k + 1, a.shape[2] - k + 1
    dense = np.zeros((len(x), height, width, g.shape[3]))
    dense[:, ::stride, ::stride] = g
    da, dweight = np.zeros(a.shape), np.empty(weight.shape)
    for i in range(k):
        for j in range(k):
            da[:, i : i + height, j : j + width] += np.einsum("npqo,co->npqc", dense, weight[i, j])
            dweight[i, j] = np.einsum("npqc,npqo->co", a[:, i : i + height, j : j + width], dense)
    keep = slice(padding, a.shape[1] - padding), slice(padding, a.shape[2] - padding)
    return da[:, keep[0], keep[1]], dweight, dense.sum(2).sum(1).sum(0)


def max_pool2d(x, size):
    return _largest(x, size)[0]


def max_pool2d_backward(g, x, size):
    dx = np.zeros(x.shape).ravel()
    dx[_largest(x, size)[1].ravel()] = g.ravel()
    return dx.reshape(x.shape)


def _largest(x, size):
    """The largest of each window, and its index in the flat array."""
    p, q = x.shape[1] // size, x.shape[2] // size
    index = np.arange(x.size).reshape(x.shape)
    best = x[:, : p * size : size, : q * size : size]
    where = index[:, : p * size : size, : q * size : size]
    for i in range(size):
        for j in range(size):
            here = np.s_[:, i : p * size : size, j : q * size : size]
            larger = x[here] > best
            best, where = np.where(larger, x[here], best), np.where(larger, index[here], where)
    return best, where


def batch_norm(x, gamma, beta, eps):
    """One affine map for each feature, of distances from the first value."""
    near = x[0, 0, 0]
    d = x - near
    mean = d.mean((0, 1, 2))
    scale = gamma * (((d - mean) ** 2).mean((0, 1, 2)) + eps) ** -0.5
    return (d - mean) * scale + beta


def batch_norm_backward(g, x, gamma, eps):
    d = x - x.mean((0, 1, 2))
    v = (d * d).mean((0, 1, 2)) + eps
    share = (g * d).mean((0, 1, 2)) / v
    dx = gamma / np.sqrt(v) * (g - g.mean((0, 1, 2)) - d * share)
    return dx, share * np.sqrt(v) * d[..., 0].size, g.sum((0, 1, 2))
