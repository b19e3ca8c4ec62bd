"""The Jacobian of x_hat as a matrix (m, m) for each feature: (I - 1 w' - x_hat (w x_hat)') * inverse."""

from __future__ import annotations

import numpy as np


def _normalise(x, share, eps):
    rows = x.reshape(-1, x.shape[-1])
    centred = rows - rows[0]            # about the first row, then about the mean
    centred = centred - share @ centred
    inverse = 1 / np.sqrt(share @ (centred * centred) + eps)
    return (centred * inverse).reshape(x.shape), inverse


def _through(g, x_hat, inverse, gamma, share):
    rows, normal = g.reshape(-1, g.shape[-1]), x_hat.reshape(-1, g.shape[-1])
    dx = np.empty(rows.shape)
    for k, n in enumerate(normal.T):
        jacobian = np.eye(len(n)) - np.outer(np.ones(len(n)), share) - np.outer(n, share * n)
        dx[:, k] = jacobian.T @ rows[:, k] * inverse[k] * gamma[k]
    return dx.reshape(g.shape)


def _even(a):
    m = a.size // a.shape[-1]
    return np.full(m, 1 / m)


def _uneven(weights, a):
    share = np.repeat(weights, a[0, ..., 0].size)
    return share / share.sum()


def forward(x, gamma, beta, eps):
    x_hat, inverse = _normalise(x, _even(x), eps)
    return x_hat * gamma + beta, (x_hat, inverse, gamma)


def parameter_gradients(g, cache):
    rows, normal = g.reshape(-1, g.shape[-1]), cache[0].reshape(-1, g.shape[-1])
    return np.diag(rows.T @ normal), rows.T @ np.ones(len(rows))


def input_gradient(g, cache):
    return _through(g, *cache, _even(g))


def backward(g, cache):
    return input_gradient(g, cache), *parameter_gradients(g, cache)


def weighted_forward(x, gamma, beta, eps, weights):
    x_hat, inverse = _normalise(x, _uneven(weights, x), eps)
    return x_hat * gamma + beta, (x_hat, inverse, gamma, weights)


def weighted_backward(g, cache):
    x_hat, inverse, gamma, weights = cache
    dx = _through(g, x_hat, inverse, gamma, _uneven(weights, g))
    return dx, *parameter_gradients(g, cache[:3])
