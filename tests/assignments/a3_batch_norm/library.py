"""A3 by the library's own ops: good for tasks 1 to 3, and for nothing in the last."""

from __future__ import annotations

import numpy as np

from minidl import Tape, Tensor, ops


def forward(x, gamma, beta, eps):
    y, mean, var = ops.batch_norm(x, gamma, beta, eps)
    inverse = 1 / np.sqrt(var + eps)
    return y.data, ((x - mean) * inverse, inverse, gamma)


def _gradients(g, cache):
    """Through the library's op, at an x that has this cache: x_hat / inverse, of mean zero."""
    x_hat, inverse, gamma = cache
    x = x_hat / inverse
    eps = float(np.mean(inverse**-2.0 - x.var(axis=tuple(range(x.ndim - 1)))))
    leaves = [Tensor(a, requires_grad=True) for a in (x, gamma, np.zeros_like(gamma))]
    with Tape() as tape:
        y = ops.batch_norm(*leaves, eps)[0]
    return tape.gradients(y, leaves, gradient=g)


def parameter_gradients(g, cache):
    return tuple(_gradients(g, cache)[1:])


def input_gradient(g, cache):
    return _gradients(g, cache)[0]


def weighted_forward(x, gamma, beta, eps, weights):
    y, cache = forward(x, gamma, beta, eps)
    return y, (*cache, weights)


def weighted_backward(g, cache):
    return tuple(_gradients(g, cache[:3]))
