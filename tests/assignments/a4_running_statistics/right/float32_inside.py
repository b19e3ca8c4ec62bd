"""Rough centres in float32, and the distances from them in float64."""

from __future__ import annotations

import numpy as np


def initial_statistics(features):
    return np.zeros(features, np.float32), np.ones(features, np.float32)


def _moments(x):
    axes = tuple(range(x.ndim - 1))
    rough = x.astype(np.float32).mean(axis=axes, dtype=np.float32).astype(np.float64)
    distances = x - rough
    rest = distances.mean(axis=axes)
    m = x.size // x.shape[-1]
    return rough + rest, (np.square(distances - rest)).sum(axis=axes) / (m - 1)


def update(running_mean, running_var, x, momentum):
    mean, var = _moments(x)
    return np.average([running_mean, mean], axis=0, weights=[1 - momentum, momentum]), (
        (1.0 - momentum) * running_var + momentum * var
    )


def evaluation_forward(x, gamma, beta, running_mean, running_var, eps):
    inverse = np.reciprocal(np.sqrt(running_var + eps))
    return (x * inverse - running_mean * inverse) * gamma + beta


def evaluation_backward(g, x, gamma, running_mean, running_var, eps):
    axes = tuple(range(g.ndim - 1))
    inverse = np.reciprocal(np.sqrt(running_var + eps))
    return inverse * g * gamma, inverse * np.sum((x - running_mean) * g, axis=axes), np.sum(g, axis=axes)


def recalibrate(batches):
    moments = np.array([_moments(np.asarray(batch)) for batch in batches])
    mean, var = moments.mean(axis=0)
    return mean, var


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    std = np.sqrt(running_var + eps)
    new_weight = weight / std * gamma
    distance = -running_mean if bias is None else bias - running_mean
    return new_weight, distance / std * gamma + beta


def merge(count_a, mean_a, var_a, count_b, mean_b, var_b):
    rough = mean_a.astype(np.float32).astype(np.float64) if count_a else mean_b
    n = count_a + count_b
    rest = (count_a * (mean_a - rough) + count_b * (mean_b - rough)) / n
    second = (count_a * (var_a + (mean_a - rough) ** 2) + count_b * (var_b + (mean_b - rough) ** 2)) / n
    return n, rough + rest, second - rest**2


def population(counts, means, variances):
    inhabited = counts > 0
    counts, means, variances = counts[inhabited], means[inhabited], variances[inhabited]
    rough = means[0].astype(np.float32).astype(np.float64)
    n, share = counts.sum(), (counts / counts.sum())[:, np.newaxis]
    rest = np.sum(share * (means - rough), axis=0)
    second = np.sum(share * (variances + (means - rough) ** 2), axis=0)
    return rough + rest, (second - rest**2) * n / (n - 1)
