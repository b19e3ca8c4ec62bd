"""A class of moments that can be added; everything that averages goes through it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Count, mean and biased variance of some values."""

    count: int
    mean: np.ndarray
    var: np.ndarray

    @classmethod
    def of(cls, x):
        """Of a batch (..., features)."""
        rows = np.reshape(x, (-1, np.shape(x)[-1]))
        return cls(len(rows), np.mean(rows, 0), np.var(rows, 0))

    def unbiased(self):
        """1/(m-1) for 1/m."""
        return self.var * self.count / (self.count - 1)

    def __add__(self, other):
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        p, q = self.count / count, other.count / count
        apart = other.mean - self.mean
        return Moments(count, self.mean + q * apart, p * self.var + q * other.var + p * q * apart**2)


def initial_statistics(features):
    return np.full(features, 0.0), np.full(features, 1.0)


def _blend(old, new, weight):
    return old + weight * (new - old)


def update(running_mean, running_var, x, momentum):
    batch = Moments.of(x)
    return _blend(running_mean, batch.mean, momentum), _blend(running_var, batch.unbiased(), momentum)


def evaluation_forward(x, gamma, beta, running_mean, running_var, eps):
    weight, bias = fold(np.eye(len(gamma)), None, gamma, beta, running_mean, running_var, eps)
    return x @ weight + bias


def evaluation_backward(g, x, gamma, running_mean, running_var, eps):
    one, zero = np.ones_like(gamma), np.zeros_like(gamma)
    x_hat = evaluation_forward(x, one, zero, running_mean, running_var, eps)
    weight, _ = fold(np.eye(len(gamma)), None, gamma, zero, running_mean, running_var, eps)
    dgamma, dbeta = (np.reshape(a, (-1, len(gamma))).sum(0) for a in (g * x_hat, g))
    return g @ weight.T, dgamma, dbeta


def recalibrate(batches):
    found = [Moments.of(batch) for batch in batches]
    return np.mean([b.mean for b in found], 0), np.mean([b.unbiased() for b in found], 0)


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    scale = gamma / np.sqrt(running_var + eps)
    return scale * weight, scale * ((0 if bias is None else bias) - running_mean) + beta


def merge(count_a, mean_a, var_a, count_b, mean_b, var_b):
    whole = Moments(count_a, mean_a, var_a) + Moments(count_b, mean_b, var_b)
    return whole.count, whole.mean, whole.var


def population(counts, means, variances):
    whole = reduce(Moments.__add__, map(Moments, counts, means, variances))
    return whole.mean, whole.unbiased()
