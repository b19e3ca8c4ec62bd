"""On rows (m, features), with einsum and products of matrices for all sums."""

from __future__ import annotations

import numpy as np


def initial_statistics(features):
    return np.zeros((features,)), np.ones((features,))


def _moments(x):
    rows = x.reshape(-1, x.shape[-1])
    m = len(rows)
    mean = np.einsum("mk->k", rows) / m
    distances = rows - mean
    return mean, np.einsum("mk,mk->k", distances, distances) / (m - 1)


def update(running_mean, running_var, x, momentum):
    mean, var = _moments(x)
    blend = np.array([1 - momentum, momentum])
    return blend @ np.stack([running_mean, mean]), blend @ np.stack([running_var, var])


def evaluation_forward(x, gamma, beta, running_mean, running_var, eps):
    scale = gamma * (running_var + eps) ** -0.5
    return np.einsum("...k,k->...k", x - running_mean, scale) + beta


def evaluation_backward(g, x, gamma, running_mean, running_var, eps):
    inverse = (running_var + eps) ** -0.5
    rows, centred = g.reshape(-1, len(gamma)), (x - running_mean).reshape(-1, len(gamma))
    dgamma = np.einsum("mk,mk,k->k", rows, centred, inverse)
    return np.einsum("...k,k,k->...k", g, gamma, inverse), dgamma, np.einsum("mk->k", rows)


def recalibrate(batches):
    means, variances = zip(*[_moments(batch) for batch in batches], strict=True)
    return [np.einsum("bk->k", np.stack(found)) / len(found) for found in (means, variances)]


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    scale = np.diag(gamma * (running_var + eps) ** -0.5)
    shift = beta - running_mean @ scale
    return weight @ scale, shift if bias is None else bias @ scale + shift


def merge(count_a, mean_a, var_a, count_b, mean_b, var_b):
    count = count_a + count_b
    share = np.array([count_a, count_b]) / count
    distances = np.stack([np.zeros_like(mean_a), mean_b - mean_a])
    middle = share @ distances
    var = share @ np.stack([var_a, var_b]) + share @ (distances - middle) ** 2
    return count, mean_a + middle, var


def population(counts, means, variances):
    n = counts.sum()
    near = means[counts.argmax()]
    middle = np.einsum("s,sk->k", counts, means - near) / n
    squares = np.einsum("s,sk->k", counts, variances + (means - near - middle) ** 2)
    return near + middle, squares / (n - 1)
