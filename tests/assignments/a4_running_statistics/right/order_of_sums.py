"""One axis after the other, from the end; sums of squares rather than variances."""

from __future__ import annotations

import numpy as np


def initial_statistics(features):
    return np.zeros(features, np.int64), np.ones(features, np.int64)


def _sum(a):
    while a.ndim > 1:
        a = a[::-1].sum(axis=-2)
    return a


def _moments(x):
    m = np.prod(x.shape[:-1])
    mean = _sum(x) / m
    return mean, _sum((x - mean) ** 2) / (m - 1)


def update(running_mean, running_var, x, momentum):
    mean, var = _moments(x)
    return momentum * mean + (1 - momentum) * running_mean, momentum * var + (1 - momentum) * running_var


def evaluation_forward(x, gamma, beta, running_mean, running_var, eps):
    return beta - gamma * (running_mean - x) / (running_var + eps) ** 0.5


def evaluation_backward(g, x, gamma, running_mean, running_var, eps):
    std = (running_var + eps) ** 0.5
    return gamma * g / std, _sum(g * ((x - running_mean) / std)), _sum(g)


def recalibrate(batches):
    moments = [_moments(batch) for batch in batches][::-1]
    return sum(mean for mean, _ in moments) / len(moments), sum(var for _, var in moments) / len(moments)


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    std = (running_var + eps) ** 0.5
    bias = np.zeros_like(beta) if bias is None else bias
    return (weight.T * (gamma / std)[:, None]).T, beta + gamma * (bias - running_mean) / std


def merge(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_b + count_a
    apart = mean_a - mean_b
    squares = var_b * count_b + var_a * count_a + apart * apart * (count_a * (count_b / n))
    return n, mean_b + apart * (count_a / n), squares / n


def population(counts, means, variances):
    n, mean, squares = counts[-1], means[-1], variances[-1] * counts[-1]
    for count, shard_mean, shard_var in zip(counts[-2::-1], means[-2::-1], variances[-2::-1], strict=True):
        apart = shard_mean - mean
        squares = squares + shard_var * count + apart**2 * count * n / (n + count)
        n = n + count
        mean = mean + apart * count / n
    return mean, squares / (n - 1)
