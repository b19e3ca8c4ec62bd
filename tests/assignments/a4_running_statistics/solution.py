"""A4, the model solution."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def initial_statistics(features: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean 0, variance 1: with them batch normalization changes nothing."""
    running_mean = np.zeros(features)
    running_var = np.ones(features)
    return running_mean, running_var


def update(
    running_mean: np.ndarray, running_var: np.ndarray, x: np.ndarray, momentum: float
) -> tuple[np.ndarray, np.ndarray]:
    """running = (1 - momentum) * running + momentum * batch, with the unbiased variance."""
    axes = tuple(range(x.ndim - 1))
    m = x.size / x.shape[-1]
    mean = x.mean(axis=axes)
    var = ((x - mean) ** 2).sum(axis=axes) / (m - 1)
    new_mean = (1 - momentum) * running_mean + momentum * mean
    new_var = (1 - momentum) * running_var + momentum * var
    return new_mean, new_var


def evaluation_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float,
) -> np.ndarray:
    """An affine map for each feature; the batch doesn't matter."""
    std = np.sqrt(running_var + eps)
    return gamma * (x - running_mean) / std + beta


def evaluation_backward(
    g: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and variance are constants."""
    over = tuple(range(g.ndim - 1))
    inverse = 1 / np.sqrt(running_var + eps)
    x_hat = (x - running_mean) * inverse
    dx = gamma * inverse * g
    dgamma = (g * x_hat).sum(axis=over)
    dbeta = g.sum(axis=over)
    return dx, dgamma, dbeta


def recalibrate(batches: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Averages of the batches' means and of their unbiased variances (Algorithm 2, step 10)."""
    means, variances = [], []
    for batch in batches:
        rows = batch.reshape(-1, batch.shape[-1])
        means.append(rows.mean(axis=0))
        variances.append(rows.var(axis=0, ddof=1))
    return np.mean(means, axis=0), np.mean(variances, axis=0)


def fold(
    weight: np.ndarray,
    bias: np.ndarray | None,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float,
) -> tuple[np.ndarray, np.ndarray]:
    """scale * (x W + b - mean) + beta = x (W * scale) + scale * (b - mean) + beta."""
    scale = gamma / np.sqrt(running_var + eps)
    before = 0 if bias is None else bias
    return weight * scale, scale * (before - running_mean) + beta


def merge(
    count_a: int,
    mean_a: np.ndarray,
    var_a: np.ndarray,
    count_b: int,
    mean_b: np.ndarray,
    var_b: np.ndarray,
) -> tuple[int, np.ndarray, np.ndarray]:
    """Variance within the shards, and that between their means (Chan, Golub & LeVeque 1983)."""
    count = count_a + count_b
    share_a, share_b = count_a / count, count_b / count
    delta = mean_b - mean_a
    mean = mean_a + share_b * delta
    within = share_a * var_a + share_b * var_b
    between = share_a * share_b * delta**2
    return count, mean, within + between


def population(
    counts: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All shards at once; then the unbiased variance of the whole."""
    n = counts.sum()
    share = (counts / n)[:, None]
    anchor = means[np.argmax(counts)]
    overall = anchor + (share * (means - anchor)).sum(axis=0)
    spread = (share * (variances + (means - overall) ** 2)).sum(axis=0)
    return overall, spread * (n / (n - 1))
