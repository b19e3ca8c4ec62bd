"""Loops over features and values, in Python's own arithmetic."""

from __future__ import annotations

import math

import numpy as np


def initial_statistics(features):
    return [0.0] * features, [1.0] * features


def _moments(x, k):
    values = [float(v) for v in x[..., k].ravel()]
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)


def update(running_mean, running_var, x, momentum):
    new_mean, new_var = [], []
    for k, (old_mean, old_var) in enumerate(zip(running_mean, running_var, strict=True)):
        mean, var = _moments(x, k)
        new_mean.append(old_mean * (1 - momentum) + mean * momentum)
        new_var.append(old_var * (1 - momentum) + var * momentum)
    return np.array(new_mean), np.array(new_var)


def evaluation_forward(x, gamma, beta, running_mean, running_var, eps):
    y = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        k = place[-1]
        y[place] = gamma[k] * (x[place] - running_mean[k]) / math.sqrt(running_var[k] + eps) + beta[k]
    return y


def evaluation_backward(g, x, gamma, running_mean, running_var, eps):
    dx, dgamma, dbeta = np.zeros(g.shape), [0.0] * len(gamma), [0.0] * len(gamma)
    for place in np.ndindex(g.shape):
        k = place[-1]
        std = math.sqrt(running_var[k] + eps)
        dx[place] = gamma[k] * g[place] / std
        dgamma[k] += g[place] * (x[place] - running_mean[k]) / std
        dbeta[k] += g[place]
    return dx, dgamma, dbeta


def recalibrate(batches):
    totals, count = None, 0
    for batch in batches:
        moments = [_moments(batch, k) for k in range(batch.shape[-1])]
        if totals is None:
            totals = [[0.0, 0.0] for _ in moments]
        for total, (mean, var) in zip(totals, moments, strict=True):
            total[0] += mean
            total[1] += var
        count += 1
    return [mean / count for mean, _ in totals], [var / count for _, var in totals]


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    rows, columns = weight.shape
    new_weight, new_bias = np.zeros((rows, columns)), np.zeros(columns)
    for j in range(columns):
        scale = gamma[j] / math.sqrt(running_var[j] + eps)
        for i in range(rows):
            new_weight[i, j] = weight[i, j] * scale
        new_bias[j] = beta[j] - running_mean[j] * scale
        if bias is not None:
            new_bias[j] += bias[j] * scale
    return new_weight, new_bias


def merge(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    mean, var = [], []
    for ma, va, mb, vb in zip(mean_a, var_a, mean_b, var_b, strict=True):
        mean.append(ma + (mb - ma) * count_b / n)
        squares = count_a * va + count_b * vb + (mb - ma) ** 2 * count_a * count_b / n
        var.append(squares / n)
    return n, np.array(mean), np.array(var)


def population(counts, means, variances):
    n, mean, var = 0, means[0] * 0, means[0] * 0
    for count, shard_mean, shard_var in zip(counts.tolist(), means, variances, strict=True):
        if count:
            n, mean, var = merge(n, mean, var, count, shard_mean, shard_var)
    return mean, var * n / (n - 1)
