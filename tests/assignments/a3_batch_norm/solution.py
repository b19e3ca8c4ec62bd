"""A3, the model solution: closed forms, over all axes but the last."""

from __future__ import annotations

import numpy as np

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]
WeightedCache = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> tuple[np.ndarray, Cache]:
    """Algorithm 1; two passes over x, so that a large mean does no harm."""
    axes = tuple(range(x.ndim - 1))
    centred = x - x.mean(axis=axes)
    var = (centred**2).mean(axis=axes)
    inverse = 1 / np.sqrt(var + eps)
    x_hat = centred * inverse
    return gamma * x_hat + beta, (x_hat, inverse, gamma)


def parameter_gradients(g: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray]:
    """Sums over all that shares one gamma and one beta."""
    x_hat, _, _ = cache
    shared = tuple(range(g.ndim - 1))
    dgamma = (g * x_hat).sum(axis=shared)
    dbeta = g.sum(axis=shared)
    return dgamma, dbeta


def input_gradient(g: np.ndarray, cache: Cache) -> np.ndarray:
    """dx = inverse * (h - mean(h) - x_hat * mean(h * x_hat)), with h = gamma * g."""
    x_hat, inverse, gamma = cache
    over = tuple(range(g.ndim - 1))
    h = gamma * g
    h_mean = h.mean(axis=over)
    along = (h * x_hat).mean(axis=over)
    return inverse * (h - h_mean - x_hat * along)


def backward(g: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta)."""
    return input_gradient(g, cache), *parameter_gradients(g, cache)


def weighted_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float, weights: np.ndarray
) -> tuple[np.ndarray, WeightedCache]:
    """Weighted mean and variance; each position of an example has the example's weight."""
    axes = tuple(range(x.ndim - 1))
    w = weights.reshape(-1, *[1] * (x.ndim - 1))
    total = weights.sum() * (x[..., 0].size / len(x))
    centred = x - (w * x).sum(axis=axes) / total
    centred = centred - (w * centred).sum(axis=axes) / total    # the first mean was rounded
    var = (w * centred**2).sum(axis=axes) / total
    inverse = 1 / np.sqrt(var + eps)
    x_hat = centred * inverse
    return gamma * x_hat + beta, (x_hat, inverse, gamma, weights)


def weighted_backward(g: np.ndarray, cache: WeightedCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dx = inverse * (h - w / W * (sum(h) + x_hat * sum(h * x_hat))), W the sum of all weights."""
    x_hat, inverse, gamma, weights = cache
    axes = tuple(range(g.ndim - 1))
    share = weights / (weights.sum() * (g[..., 0].size / len(g)))
    share = share.reshape(-1, *[1] * (g.ndim - 1))
    h = gamma * g
    dx = inverse * (h - share * (h.sum(axis=axes) + x_hat * (h * x_hat).sum(axis=axes)))
    dgamma = (g * x_hat).sum(axis=axes)
    dbeta = g.sum(axis=axes)
    return dx, dgamma, dbeta
