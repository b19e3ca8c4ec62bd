"""Shifted data: raw moments about the first value, which lies near the others (Chan and others 1983)."""

from __future__ import annotations

import numpy as np


def initial_statistics(features):
    return np.array([0.0 for _ in range(features)]), np.array([1.0 for _ in range(features)])


def _moments(x):
    rows = x.reshape(-1, x.shape[-1])
    shifted = rows - rows[0]
    m = len(rows)
    first, second = shifted.sum(0), (shifted * shifted).sum(0)
    return rows[0] + first / m, (second - first * first / m) / (m - 1)


def update(running_mean, running_var, x, momentum):
    keep = 1 - momentum
    mean, var = _moments(x)
    return [keep * running_mean + momentum * mean, keep * running_var + momentum * var]


def evaluation_forward(x, gamma, beta, running_mean, running_var, eps):
    y = x.copy()
    y -= running_mean
    y /= np.sqrt(running_var + eps)
    y *= gamma
    y += beta
    return y


def evaluation_backward(g, x, gamma, running_mean, running_var, eps):
    zero, one = np.zeros_like(gamma), np.ones_like(gamma)
    x_hat = evaluation_forward(x, one, zero, running_mean, running_var, eps)
    dx = evaluation_forward(g, gamma, zero, zero, running_var, eps)
    axes = tuple(range(x.ndim))[:-1]
    return [dx, np.add.reduce(x_hat * g, axis=axes), np.add.reduce(g, axis=axes)]


def recalibrate(batches):
    means, variances = [], []
    for batch in batches:
        mean, var = _moments(batch)
        means.append(mean)
        variances.append(var)
    return np.array(means).T.mean(-1), np.array(variances).T.mean(-1)


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    rows = weight if bias is None else np.concatenate([weight, bias[np.newaxis]])
    zero = np.zeros_like(gamma)
    scaled = evaluation_forward(rows, gamma, zero, zero, running_var, eps)
    shift = evaluation_forward(zero[np.newaxis], gamma, beta, running_mean, running_var, eps)[0]
    if bias is None:
        return scaled, shift
    return scaled[:-1], scaled[-1] + shift


def merge(count_a, mean_a, var_a, count_b, mean_b, var_b):
    if count_a == 0:
        return count_b, mean_b, var_b
    n = count_a + count_b
    b = mean_b - mean_a
    first, second = count_b * b / n, (count_a * var_a + count_b * (var_b + b * b)) / n
    return n, mean_a + first, second - first * first


def population(counts, means, variances):
    near = means[int(np.argmax(counts > 0))]
    n = counts.sum()
    moved = means - near
    first = counts @ moved
    second = counts @ (variances + moved * moved)
    return near + first / n, (second - first * first / n) / (n - 1)
