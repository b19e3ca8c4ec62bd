"""A4: running statistics, evaluation mode, recalibration, folding, merging. The handout is README.md.

Plain NumPy: `import numpy` and the standard library are all that this file may import.

x and g have any number of axes: (batch, features) for dense layers, (batch, height, width, features) for
feature maps, and so on. The first axis is the batch, the last one the features; gamma, beta and all
statistics have the shape (features,). m is the number of values that share one feature's statistics: all axes
but the last. No function changes what it is given.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def initial_statistics(features: int) -> tuple[np.ndarray, np.ndarray]:
    """Task 1: running mean and variance before the first batch.

    Args:
        features: how many.

    Returns:
        running_mean and running_var, both (features,), with which evaluation mode leaves x nearly as it is.

    """
    raise NotImplementedError("A4, task 1: initial_statistics(features) -> (running_mean, running_var)")


def update(
    running_mean: np.ndarray, running_var: np.ndarray, x: np.ndarray, momentum: float
) -> tuple[np.ndarray, np.ndarray]:
    """Task 1: the running statistics after one more batch.

    Args:
        running_mean: (features,); stays as it is.
        running_var: (features,); stays as it is.
        x: (batch, ..., features), two values per feature or more.
        momentum: weight of the new batch, from 0 to 1, as in PyTorch.

    Returns:
        New arrays running_mean and running_var; the variance takes the batch's unbiased one.

    """
    raise NotImplementedError("A4, task 1: update(running_mean, running_var, x, momentum) -> (mean, var)")


def evaluation_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float,
) -> np.ndarray:
    """Task 2: batch normalization in evaluation mode.

    Args:
        x: (batch, ..., features); a single example will do.
        gamma: (features,).
        beta: (features,).
        running_mean: (features,).
        running_var: (features,).
        eps: added to the variance, inside the root.

    Returns:
        y, of x's shape.

    """
    raise NotImplementedError("A4, task 2: evaluation_forward(x, gamma, beta, mean, var, eps) -> y")


def evaluation_backward(
    g: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Task 3: the gradients in evaluation mode.

    Args:
        g: gradient of the loss with respect to y, of y's shape.
        x: what went in, of the same shape.
        gamma: (features,).
        running_mean: (features,).
        running_var: (features,).
        eps: added to the variance, inside the root.

    Returns:
        (dx, dgamma, dbeta), of the shapes of x, gamma and beta.

    """
    raise NotImplementedError("A4, task 3: evaluation_backward(g, x, ...) -> (dx, dgamma, dbeta)")


def recalibrate(batches: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Task 4: population statistics with the weights frozen (Algorithm 2, step 10).

    Args:
        batches: arrays (batch, ..., features), all of one shape. They may come from a generator, so go
            through them once.

    Returns:
        The plain average of the batches' means, and that of their unbiased variances; both (features,).

    """
    raise NotImplementedError("A4, task 4: recalibrate(batches) -> (mean, var)")


def fold(
    weight: np.ndarray,
    bias: np.ndarray | None,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Task 5: one Dense layer for a Dense and the batch normalization behind it (Algorithm 2, step 11).

    Args:
        weight: (inputs, features) of the Dense x @ weight + bias.
        bias: (features,), or None for a Dense without one.
        gamma: (features,) of the batch normalization, as all that follows.
        beta: (features,).
        running_mean: (features,).
        running_var: (features,).
        eps: added to the variance, inside the root.

    Returns:
        New arrays weight (inputs, features) and bias (features,).

    """
    raise NotImplementedError("A4, task 5: fold(weight, bias, gamma, beta, ...) -> (weight, bias)")


def merge(
    count_a: int,
    mean_a: np.ndarray,
    var_a: np.ndarray,
    count_b: int,
    mean_b: np.ndarray,
    var_b: np.ndarray,
) -> tuple[int, np.ndarray, np.ndarray]:
    """Task 6: count, mean and biased variance of two shards put together, from those of each.

    Args:
        count_a: values per feature in the first shard; 0 for an empty one. Not both shards are empty.
        mean_a: (features,); of an empty shard any finite numbers.
        var_a: (features,), biased: the mean of the squared distances from mean_a.
        count_b: of the second shard, as all that follows.
        mean_b: (features,).
        var_b: (features,), biased.

    Returns:
        (count, mean, var) of all values; var is biased again.

    """
    raise NotImplementedError("A4, task 6: merge(count_a, mean_a, var_a, ...) -> (count, mean, var)")


def population(
    counts: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Task 6: mean and unbiased variance of all values of many shards.

    Args:
        counts: (shards,), whole numbers; some may be 0, their sum is 2 or more.
        means: (shards, features).
        variances: (shards, features), biased.

    Returns:
        mean and var, both (features,); var is unbiased: n/(n-1) times the biased one of all n values.

    """
    raise NotImplementedError("A4, task 6: population(counts, means, variances) -> (mean, var)")
