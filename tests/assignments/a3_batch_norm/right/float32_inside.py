"""A rough mean in float32 first, then the distances from it in x's own dtype; no `mean` or `var` of NumPy."""

from __future__ import annotations

import numpy as np


def _rough(x, share):
    """A mean to seven digits: what it is off by, the distances from it tell exactly."""
    axes = tuple(range(x.ndim - 1))
    terms = share.astype(np.float32) * x.astype(np.float32)
    return np.sum(terms, axis=axes, dtype=np.float32).astype(x.dtype)


def _normalise(x, gamma, beta, eps, share):
    axes = tuple(range(x.ndim - 1))
    distances = x - _rough(x, share)
    distances = distances - np.sum(share * distances, axis=axes)
    var = np.sum(share * distances * distances, axis=axes)
    inverse = np.reciprocal(np.sqrt(var + eps))
    x_hat = distances * inverse
    return x_hat * gamma + beta, (x_hat, inverse, gamma)


def _gradient(g, x_hat, inverse, gamma, share):
    axes = tuple(range(g.ndim - 1))
    return gamma * inverse * (g - share * (np.sum(g, axis=axes) + x_hat * np.sum(g * x_hat, axis=axes)))


def _equal(x):
    return np.full((*x.shape[:-1], 1), x.shape[-1] / x.size, dtype=x.dtype)


def _weighted(weights, x):
    share = np.zeros((*x.shape[:-1], 1), dtype=x.dtype)
    share += weights.reshape(-1, *[1] * (x.ndim - 1))
    return share / share.sum()


def forward(x, gamma, beta, eps):
    return _normalise(x, gamma, beta, eps, _equal(x))


def parameter_gradients(g, cache):
    axes = tuple(range(g.ndim - 1))
    return np.sum(g * cache[0], axis=axes), np.sum(g, axis=axes)


def input_gradient(g, cache):
    return _gradient(g, *cache, _equal(g))


def backward(g, cache):
    return input_gradient(g, cache), *parameter_gradients(g, cache)


def weighted_forward(x, gamma, beta, eps, weights):
    y, cache = _normalise(x, gamma, beta, eps, _weighted(weights, x))
    return y, (*cache, weights)


def weighted_backward(g, cache):
    x_hat, inverse, gamma, weights = cache
    dx = _gradient(g, x_hat, inverse, gamma, _weighted(weights, g))
    return dx, *parameter_gradients(g, (x_hat, inverse, gamma))
