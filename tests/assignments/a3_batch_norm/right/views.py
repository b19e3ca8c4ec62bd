"""Features first: views with `moveaxis`, sums along rows, results written into views of their arrays."""

from __future__ import annotations

import numpy as np


def _rows(a):
    """(features, m), a view where it can be one."""
    return np.moveaxis(a, -1, 0).reshape(a.shape[-1], -1)


def _back(rows, shape):
    return np.moveaxis(rows.reshape(shape[-1], *shape[:-1]), 0, -1)


def forward(x, gamma, beta, eps):
    rows = _rows(x)
    x_hat = rows - rows.mean(1, keepdims=True)
    inverse = 1 / np.sqrt(np.square(x_hat).mean(1) + eps)
    x_hat *= inverse[:, None]
    y = gamma[:, None] * x_hat
    y += beta[:, None]
    return _back(y, x.shape), (_back(x_hat, x.shape), inverse, gamma)


def parameter_gradients(g, cache):
    up, x_hat = _rows(g), _rows(cache[0])
    return np.array([a @ b for a, b in zip(up, x_hat, strict=True)]), up.sum(1)


def input_gradient(g, cache):
    x_hat, inverse, gamma = cache
    up, normal = _rows(g), _rows(x_hat)
    dx = up - up.mean(1, keepdims=True)
    dx -= normal * (up * normal).mean(1, keepdims=True)
    dx *= (gamma * inverse)[:, None]
    return _back(dx, g.shape)


def backward(g, cache):
    return input_gradient(g, cache), *parameter_gradients(g, cache)


def weighted_forward(x, gamma, beta, eps, weights):
    rows = _rows(x)
    each = np.repeat(weights, rows.shape[1] // len(weights))
    mean = np.average(rows, axis=1, weights=each)
    centred = rows - mean[:, None]
    inverse = 1 / np.sqrt(np.average(centred**2, axis=1, weights=each) + eps)
    x_hat = centred * inverse[:, None]
    y = gamma[:, None] * x_hat + beta[:, None]
    return _back(y, x.shape), (_back(x_hat, x.shape), inverse, gamma, weights)


def weighted_backward(g, cache):
    x_hat, inverse, gamma, weights = cache
    up, normal = _rows(g), _rows(x_hat)
    each = np.repeat(weights, up.shape[1] // len(weights))
    dgamma, dbeta = (up * normal).sum(1), up.sum(1)
    pull = each / each.sum() * (dbeta[:, None] + normal * dgamma[:, None])
    return _back((up - pull) * (gamma * inverse)[:, None], g.shape), dgamma, dbeta
