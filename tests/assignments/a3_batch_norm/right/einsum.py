"""On rows (m, features), with einsum for all sums."""

from __future__ import annotations

import numpy as np


def _rows(a):
    return a.reshape(-1, a.shape[-1])


def forward(x, gamma, beta, eps):
    rows = _rows(x)
    centred = rows - np.einsum("mk->k", rows) / len(rows)
    inverse = (np.einsum("mk,mk->k", centred, centred) / len(rows) + eps) ** -0.5
    x_hat = np.einsum("mk,k->mk", centred, inverse)
    y = np.einsum("mk,k->mk", x_hat, gamma) + beta
    return y.reshape(x.shape), (x_hat.reshape(x.shape), inverse, gamma)


def parameter_gradients(g, cache):
    return np.einsum("mk,mk->k", _rows(g), _rows(cache[0])), np.einsum("mk->k", _rows(g))


def input_gradient(g, cache):
    x_hat, inverse, gamma = cache
    dgamma, dbeta = parameter_gradients(g, cache)
    m = g.size / g.shape[-1]
    return np.einsum("k,k,...k->...k", gamma, inverse, g - (dbeta + x_hat * dgamma) / m)


def backward(g, cache):
    return input_gradient(g, cache), *parameter_gradients(g, cache)


def weighted_forward(x, gamma, beta, eps, weights):
    images = x.reshape(len(x), -1, x.shape[-1])
    share = weights / (weights.sum() * images.shape[1])
    centred = images - np.einsum("n,npk->k", share, images)
    inverse = (np.einsum("n,npk,npk->k", share, centred, centred) + eps) ** -0.5
    x_hat = np.einsum("npk,k->npk", centred, inverse).reshape(x.shape)
    return x_hat * gamma + beta, (x_hat, inverse, gamma, weights)


def weighted_backward(g, cache):
    x_hat, inverse, gamma, weights = cache
    images, normal = (a.reshape(len(g), -1, g.shape[-1]) for a in (g, x_hat))
    dgamma, dbeta = np.einsum("npk,npk->k", images, normal), np.einsum("npk->k", images)
    share = weights / (weights.sum() * images.shape[1])
    pull = np.einsum("n,npk->npk", share, dbeta + normal * dgamma)
    return ((images - pull) * (gamma * inverse)).reshape(g.shape), dgamma, dbeta
