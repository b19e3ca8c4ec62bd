"""Loops over every index, as the formulas are written."""

import math

import numpy as np


def conv2d(x, weight, bias, stride=1, padding=0):
    return dilated_conv2d(x, weight, bias, stride, padding, 1)


def conv2d_backward(g, x, weight, stride=1, padding=0):
    return dilated_conv2d_backward(g, x, weight, stride, padding, 1)


def max_pool2d(x, size):
    n, height, width, channels = x.shape
    y = np.full((n, height // size, width // size, channels), -math.inf)
    for b, p, q, c in np.ndindex(*y.shape):
        for i in range(size):
            for j in range(size):
                y[b, p, q, c] = max(y[b, p, q, c], x[b, p * size + i, q * size + j, c])
    return y


def max_pool2d_backward(g, x, size):
    dx = np.zeros_like(x)
    for b, p, q, c in np.ndindex(*g.shape):
        best, where = -math.inf, None
        for i in range(size):
            for j in range(size):
                value = x[b, p * size + i, q * size + j, c]
                if value > best:
                    best, where = value, (b, p * size + i, q * size + j, c)
        dx[where] += g[b, p, q, c]
    return dx


def _statistics(x, c):
    values = [float(v) for v in x[..., c].ravel()]
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((v - mean) ** 2 for v in values) / len(values), len(values)


def batch_norm(x, gamma, beta, eps):
    y = np.empty(x.shape)
    for c in range(x.shape[3]):
        mean, var, _ = _statistics(x, c)
        for n, i, j in np.ndindex(*x.shape[:3]):
            y[n, i, j, c] = gamma[c] * (x[n, i, j, c] - mean) / math.sqrt(var + eps) + beta[c]
    return y


def batch_norm_backward(g, x, gamma, eps):
    dx, dgamma, dbeta = np.empty(x.shape), np.zeros(x.shape[3]), np.zeros(x.shape[3])
    for c in range(x.shape[3]):
        mean, var, m = _statistics(x, c)
        root = math.sqrt(var + eps)
        for n, i, j in np.ndindex(*x.shape[:3]):
            dgamma[c] += g[n, i, j, c] * (x[n, i, j, c] - mean) / root
            dbeta[c] += g[n, i, j, c]
        for n, i, j in np.ndindex(*x.shape[:3]):
            x_hat = (x[n, i, j, c] - mean) / root
            dx[n, i, j, c] = gamma[c] / (m * root) * (m * g[n, i, j, c] - dbeta[c] - x_hat * dgamma[c])
    return dx, dgamma, dbeta


def _size(length, kernel, stride, padding, dilation):
    return math.floor((length + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    n, height, width, channels = x.shape
    kernel, out = weight.shape[0], weight.shape[3]
    p = _size(height, kernel, stride, padding, dilation)
    q = _size(width, kernel, stride, padding, dilation)
    y = np.zeros((n, p, q, out))
    for b, r, s, o in np.ndindex(*y.shape):
        total = bias[o]
        for i in range(kernel):
            for j in range(kernel):
                row, column = r * stride + i * dilation - padding, s * stride + j * dilation - padding
                if 0 <= row < height and 0 <= column < width:
                    for c in range(channels):
                        total = total + x[b, row, column, c] * weight[i, j, c, o]
        y[b, r, s, o] = total
    return y


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    dx, dweight, dbias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(weight.shape[3])
    for b, r, s, o in np.ndindex(*g.shape):
        dbias[o] += g[b, r, s, o]
        for i, j, c in np.ndindex(*weight.shape[:3]):
            row, column = r * stride + i * dilation - padding, s * stride + j * dilation - padding
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                dx[b, row, column, c] += g[b, r, s, o] * weight[i, j, c, o]
                dweight[i, j, c, o] += g[b, r, s, o] * x[b, row, column, c]
    return dx, dweight, dbias
