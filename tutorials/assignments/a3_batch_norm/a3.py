"""A3: batch normalization, forward and backward. The handout is README.md.

Plain NumPy: `import numpy` and the standard library are all that this file may import.

x and g have any number of axes: (batch, features) for dense layers, (batch, height, width, features) for
feature maps, and so on. The first axis is the batch, the last one the features; `gamma` and `beta` have the
shape (features,). m is the number of values that share one feature's statistics: all axes but the last.
"""

from __future__ import annotations

import numpy as np

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]
WeightedCache = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> tuple[np.ndarray, Cache]:
    """Task 1: batch normalization in training mode (Ioffe & Szegedy 2015, Algorithm 1).

    Args:
        x: (batch, ..., features); stays as it is.
        gamma: (features,), the scale.
        beta: (features,), the shift.
        eps: added to the variance, inside the root.

    Returns:
        y of x's shape, and what backward needs, the tuple (x_hat, inverse, gamma):
        x_hat of x's shape; inverse (features,), which is 1 / sqrt(var + eps); gamma as it came.

    """
    raise NotImplementedError("A3, task 1: forward(x, gamma, beta, eps) -> (y, (x_hat, inverse, gamma))")


def parameter_gradients(g: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray]:
    """Task 2: the gradients of gamma and beta.

    Args:
        g: gradient of the loss with respect to y, of y's shape.
        cache: (x_hat, inverse, gamma), as forward returned it.

    Returns:
        dgamma and dbeta, both (features,).

    """
    raise NotImplementedError("A3, task 2: parameter_gradients(g, cache) -> (dgamma, dbeta)")


def input_gradient(g: np.ndarray, cache: Cache) -> np.ndarray:
    """Task 3: the gradient of x. Mean and variance depend on every x.

    Args:
        g: gradient of the loss with respect to y, of y's shape.
        cache: (x_hat, inverse, gamma), as forward returned it.

    Returns:
        dx, of x's shape.

    """
    raise NotImplementedError("A3, task 3: input_gradient(g, cache) -> dx")


def backward(g: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta): tasks 2 and 3 together. It is complete as it stands."""
    dgamma, dbeta = parameter_gradients(g, cache)
    return input_gradient(g, cache), dgamma, dbeta


def weighted_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float, weights: np.ndarray
) -> tuple[np.ndarray, WeightedCache]:
    """Task 4: batch normalization whose mean and variance weigh each example.

    Args:
        x: (batch, ..., features).
        gamma: (features,).
        beta: (features,).
        eps: added to the variance, inside the root.
        weights: (batch,), zero or more each, not all of them zero; constants, so they have no gradient.

    Returns:
        y of x's shape, and the tuple (x_hat, inverse, gamma, weights).

    """
    raise NotImplementedError("A3, task 4: weighted_forward(x, gamma, beta, eps, weights) -> (y, cache)")


def weighted_backward(g: np.ndarray, cache: WeightedCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Task 4: the gradients of the weighted batch normalization.

    Args:
        g: gradient of the loss with respect to y, of y's shape.
        cache: (x_hat, inverse, gamma, weights), as weighted_forward returned it.

    Returns:
        (dx, dgamma, dbeta), of the shapes of x, gamma and beta.

    """
    raise NotImplementedError("A3, task 4: weighted_backward(g, cache) -> (dx, dgamma, dbeta)")
