"""The six lines of the paper's section 3, one after the other."""

from __future__ import annotations

import numpy as np


def forward(x, gamma, beta, eps):
    axes, m = _others(x), _count(x)
    mu = np.sum(x, axis=axes) / m
    distance = x - mu
    squares = distance**2
    var = np.sum(squares, axis=axes) / m
    root = np.sqrt(var + eps)
    inverse = 1.0 / root
    x_hat = distance * inverse
    scaled = gamma * x_hat
    return scaled + beta, (x_hat, inverse, gamma)


def parameter_gradients(g, cache):
    x_hat, _inverse, _gamma = cache
    return np.sum(g * x_hat, axis=_others(g)), np.sum(g, axis=_others(g))


def input_gradient(g, cache):
    x_hat, inverse, gamma = cache
    axes, m = _others(g), _count(g)
    distance = x_hat / inverse
    dx_hat = g * gamma
    dvar = np.sum(dx_hat * distance, axis=axes) * -0.5 * inverse**3
    dmu = np.sum(dx_hat * -inverse, axis=axes) + dvar * np.sum(-2 * distance, axis=axes) / m
    return dx_hat * inverse + dvar * 2 * distance / m + dmu / m


def backward(g, cache):
    return input_gradient(g, cache), *parameter_gradients(g, cache)


def weighted_forward(x, gamma, beta, eps, weights):
    axes, share = _others(x), _shares(weights, x)
    mu = np.sum(share * x, axis=axes)
    distance = x - mu
    var = np.sum(share * distance**2, axis=axes)
    inverse = 1.0 / np.sqrt(var + eps)
    x_hat = distance * inverse
    return gamma * x_hat + beta, (x_hat, inverse, gamma, weights)


def weighted_backward(g, cache):
    x_hat, inverse, gamma, weights = cache
    axes, share = _others(g), _shares(weights, g)
    distance = x_hat / inverse
    dx_hat = g * gamma
    dvar = np.sum(dx_hat * distance, axis=axes) * -0.5 * inverse**3
    dmu = -inverse * np.sum(dx_hat, axis=axes) - 2 * dvar * np.sum(share * distance, axis=axes)
    dx = dx_hat * inverse + dvar * 2 * share * distance + dmu * share
    return dx, np.sum(g * x_hat, axis=axes), np.sum(g, axis=axes)


def _others(a):
    return tuple(range(a.ndim - 1))


def _count(a):
    return a.size // a.shape[-1]


def _shares(weights, a):
    """weight / (sum of all weights), in a shape that multiplies a; the shares of all values sum to 1."""
    total = np.sum(weights) * (_count(a) / a.shape[0])
    return np.expand_dims(weights, tuple(range(1, a.ndim))) / total
