"""Features first; evaluation mode as one scale and one shift; results are views of larger arrays."""

from __future__ import annotations

import numpy as np


def initial_statistics(features):
    both = np.zeros((2, features))
    both[1] = 1
    return both[0], both[1]


def _rows(a):
    return np.moveaxis(a, -1, 0).reshape(a.shape[-1], -1)


def update(running_mean, running_var, x, momentum):
    rows = _rows(x)
    new = np.stack([running_mean, running_var])
    new *= 1 - momentum
    new[0] += momentum * rows.mean(1)
    new[1] += momentum * rows.var(1, ddof=1)
    return new[0], new[1]


def _affine(gamma, beta, running_mean, running_var, eps):
    scale = gamma / np.sqrt(running_var + eps)
    return scale, beta - scale * running_mean


def evaluation_forward(x, gamma, beta, running_mean, running_var, eps):
    scale, shift = _affine(gamma, beta, running_mean, running_var, eps)
    return scale * x + shift


def evaluation_backward(g, x, gamma, running_mean, running_var, eps):
    scale, _ = _affine(gamma, np.zeros_like(gamma), running_mean, running_var, eps)
    up, inputs = _rows(g), _rows(x)
    dbeta = up.sum(1)
    dgamma = (np.sum(up * inputs, 1) - running_mean * dbeta) / np.sqrt(running_var + eps)
    return g * scale, dgamma, dbeta


def recalibrate(batches):
    rows = np.stack([_rows(batch) for batch in batches])
    return rows.mean(2).mean(0), rows.var(2, ddof=1).mean(0)


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    scale, shift = _affine(gamma, beta, running_mean, running_var, eps)
    extended = np.vstack([weight, np.zeros(len(scale)) if bias is None else bias])
    extended *= scale
    extended[-1] += shift
    return extended[:-1], extended[-1]


def merge(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    mean = (count_a * mean_a + count_b * mean_b) / n
    var = (count_a * (var_a + (mean_a - mean) ** 2) + count_b * (var_b + (mean_b - mean) ** 2)) / n
    return n, mean, var


def population(counts, means, variances):
    mean = np.average(means, axis=0, weights=counts)
    biased = np.average(variances + (means - mean) ** 2, axis=0, weights=counts)
    return mean, biased / (1 - 1 / counts.sum())
