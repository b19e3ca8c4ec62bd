"""Moving averages as steps towards the batch, running + momentum * (batch - running); Welford's sums."""

from __future__ import annotations

import numpy as np


def initial_statistics(features):
    one = np.ones(features)
    return one - one, one


def _welford(x):
    count, mean, squares = 0, np.zeros(x.shape[-1]), np.zeros(x.shape[-1])
    for row in x.reshape(-1, x.shape[-1]):
        count += 1
        step = row - mean
        mean = mean + step / count
        squares = squares + step * (row - mean)
    return mean, squares / (count - 1)


def update(running_mean, running_var, x, momentum):
    mean, var = _welford(x)
    return running_mean + momentum * (mean - running_mean), running_var + momentum * (var - running_var)


def evaluation_forward(x, gamma, beta, running_mean, running_var, eps):
    x_hat = np.divide(np.subtract(x, running_mean), np.sqrt(np.add(running_var, eps)))
    return np.add(np.multiply(x_hat, gamma), beta)


def evaluation_backward(g, x, gamma, running_mean, running_var, eps):
    std = np.sqrt(running_var + eps)
    dbeta, dgamma = g, g * (x - running_mean)
    while dbeta.ndim > 1:
        dbeta, dgamma = dbeta.sum(0), dgamma.sum(0)
    return g * (gamma / std), dgamma / std, dbeta


def recalibrate(batches):
    mean = var = 0.0
    for seen, batch in enumerate(batches, start=1):
        batch_mean, batch_var = _welford(batch)
        mean = mean + (batch_mean - mean) / seen
        var = var + (batch_var - var) / seen
    return mean, var


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    nothing = np.zeros((1, len(weight)))
    before = np.zeros(len(gamma)) if bias is None else bias

    def both(x):
        return evaluation_forward(x @ weight + before, gamma, beta, running_mean, running_var, eps)

    new_bias = both(nothing)[0]
    scale = gamma / np.sqrt(running_var + eps)
    return weight * scale, new_bias


def merge(count_a, mean_a, var_a, count_b, mean_b, var_b):
    if count_a < count_b:
        count_a, mean_a, var_a, count_b, mean_b, var_b = count_b, mean_b, var_b, count_a, mean_a, var_a
    ratio = count_b / (count_a + count_b)
    apart = mean_b - mean_a
    var = var_a + ratio * (var_b - var_a) + ratio * (1 - ratio) * apart * apart
    return count_a + count_b, mean_a + ratio * apart, var


def population(counts, means, variances):
    shards = [(int(c), m, v) for c, m, v in zip(counts, means, variances, strict=True) if c > 0]
    while len(shards) > 1:      # a tree, as several machines would merge
        shards.append(merge(*shards.pop(0), *shards.pop(0)))
    ((count, mean, var),) = shards
    return mean, var * (count / (count - 1))
