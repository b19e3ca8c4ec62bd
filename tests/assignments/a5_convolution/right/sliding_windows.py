"""Views of windows and einsum; the gradient of x is a convolution of the spread gradient."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _views(x, kernel, stride, padding, dilation=1):
    padded = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    reach = dilation * (kernel - 1) + 1
    views = sliding_window_view(padded, (reach, reach), axis=(1, 2))
    return views[:, ::stride, ::stride, :, ::dilation, ::dilation]


def conv2d(x, weight, bias, stride=1, padding=0):
    return np.einsum("npqcij,ijco->npqo", _views(x, len(weight), stride, padding), weight) + bias


def conv2d_backward(g, x, weight, stride=1, padding=0):
    return dilated_conv2d_backward(g, x, weight, stride, padding, 1)


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    views = _views(x, len(weight), stride, padding, dilation)
    return np.einsum("npqcij,ijco->npqo", views, weight, optimize=True) + bias


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    views = _views(x, len(weight), stride, padding, dilation)
    dweight = np.einsum("npqcij,npqo->ijco", views, g)
    reach = dilation * (len(weight) - 1)
    height, width = x.shape[1] + 2 * padding, x.shape[2] + 2 * padding
    spread = np.zeros((len(x), height + reach, width + reach, g.shape[3]))
    rows = np.arange(g.shape[1]) * stride + reach
    columns = np.arange(g.shape[2]) * stride + reach
    spread[:, rows[:, None], columns] = g
    full = _views(spread, len(weight), 1, 0, dilation)
    dx = np.einsum("npqoij,ijco->npqc", full, weight[::-1, ::-1])
    return dx[:, padding : height - padding, padding : width - padding], dweight, np.einsum("npqo->o", g)


def max_pool2d(x, size):
    windows = sliding_window_view(x, (size, size), axis=(1, 2))
    return windows[:, ::size, ::size].max(axis=(4, 5))


def max_pool2d_backward(g, x, size):
    dx = np.zeros(x.shape)
    windows = sliding_window_view(x, (size, size), axis=(1, 2))[:, ::size, ::size]
    first = windows.reshape(*g.shape, size * size).argmax(axis=-1)
    n, p, q, c = np.indices(g.shape)
    dx[n, p * size + first // size, q * size + first % size, c] = g
    return dx


def _normal(x, eps):
    mean = np.einsum("nhwc->c", x) / x[..., 0].size
    centred = x - mean
    var = np.einsum("nhwc,nhwc->c", centred, centred) / x[..., 0].size
    return centred / np.sqrt(var + eps), 1 / np.sqrt(var + eps)


def batch_norm(x, gamma, beta, eps):
    return np.einsum("c,nhwc->nhwc", gamma, _normal(x, eps)[0]) + beta


def batch_norm_backward(g, x, gamma, eps):
    normal, inverse = _normal(x, eps)
    dgamma = np.einsum("nhwc,nhwc->c", g, normal)
    dbeta = np.einsum("nhwc->c", g)
    m = x[..., 0].size
    return gamma * inverse / m * (m * g - normal * dgamma - dbeta), dgamma, dbeta
