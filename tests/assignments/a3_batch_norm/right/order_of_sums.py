"""One axis after the other, last position first; the batch is summed backwards."""

from __future__ import annotations

import numpy as np


def _sum(a):
    while a.ndim > 1:
        a = a[::-1].sum(axis=0)
    return a


def _mean(a):
    while a.ndim > 1:
        a = a[::-1].mean(axis=0)
    return a


def forward(x, gamma, beta, eps):
    centred = x - _mean(x)
    centred = centred - _mean(centred)
    inverse = 1 / np.sqrt(_mean(centred * centred) + eps)
    scale = gamma * inverse
    return scale * centred + beta, (centred * inverse, inverse, gamma)


def parameter_gradients(g, cache):
    return _sum(g * cache[0]), _sum(g)


def input_gradient(g, cache):
    x_hat, inverse, gamma = cache
    h = g * gamma
    return inverse * ((h - _mean(h)) - x_hat * _mean(x_hat * h))


def backward(g, cache):
    dx = input_gradient(g, cache)
    dgamma, dbeta = parameter_gradients(g, cache)
    return dx, dgamma, dbeta


def weighted_forward(x, gamma, beta, eps, weights):
    w = weights[(..., *[None] * (x.ndim - 1))]
    positions = np.prod(x.shape[1:-1])
    centred = x - _sum(w * (x - x[0, ..., :])) / (positions * weights.sum())
    for _ in range(3):
        centred = centred - _sum(w * centred) / (positions * weights.sum())
    inverse = 1 / np.sqrt(_sum(w * centred * centred) / (positions * weights.sum()) + eps)
    return gamma * inverse * centred + beta, (centred * inverse, inverse, gamma, weights)


def weighted_backward(g, cache):
    x_hat, inverse, gamma, weights = cache
    w = weights[(..., *[None] * (g.ndim - 1))] / (np.prod(g.shape[1:-1]) * weights.sum())
    dgamma, dbeta = parameter_gradients(g, cache[:3])
    return inverse * gamma * (g - w * dbeta - w * x_hat * dgamma), dgamma, dbeta
