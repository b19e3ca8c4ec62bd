"""Activations: sigmoid, tanh, ReLU and their like. Each is a record of its own, fused with nothing."""

from __future__ import annotations

import math

import numpy as np

from minidl.engine.arguments import as_tensor
from minidl.engine.array import Array
from minidl.engine.blocks import elementwise
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike


def sigmoid(x: TensorLike) -> Tensor:
    """Logistic sigmoid, 1 / (1 + exp(-x)), without overflow for any x. Same shape as x.

    Example:
        >>> sigmoid([-1e4, 0.0, 1e4]).data
        array([0. , 0.5, 1. ], dtype=float32)

    """
    x = as_tensor(x)
    y = elementwise(stable_sigmoid, x.data)
    return record("sigmoid", y, (x,), lambda g: (
        elementwise(lambda g, y, out: np.multiply(g * y, 1 - y, out), g, y),
    ))


def stable_sigmoid(a: Array, out: Array | None = None) -> Array:
    """The sigmoid of a plain array, into `out` if there is one."""
    y: Array = np.negative(a, np.empty_like(a) if out is None else out)
    with np.errstate(over="ignore"):    # exp overflows to infinity, and 1 / infinity is the right limit, 0
        np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)
    return y


def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent."""
    x = as_tensor(x)
    y = elementwise(np.tanh, x.data)
    return record("tanh", y, (x,), lambda g: (
        elementwise(lambda g, y, out: np.multiply(g, 1 - y * y, out), g, y),
    ))


def relu(x: TensorLike) -> Tensor:
    """max(x, 0); the gradient at 0 is 0 (Nair & Hinton 2010). NaN stays, with gradient 1, as in PyTorch."""
    x = as_tensor(x)
    y = elementwise(lambda a, out: np.maximum(a, 0, out=out), x.data)
    return record("relu", y, (x,), lambda g: (
        elementwise(lambda g, y, out: np.multiply(g, y != 0, out), g, y),
    ))


def leaky_relu(x: TensorLike, slope: float = 0.01) -> Tensor:
    """The input where it is positive, else slope·x; the gradient at 0 is the slope (Maas et al. 2013)."""
    x = as_tensor(x)
    factor = np.where(x.data > 0, 1, slope).astype(x.dtype)
    return record("leaky_relu", x.data * factor, (x,), lambda g: (g * factor,))


def gelu(x: TensorLike) -> Tensor:
    """Gaussian error linear unit in its tanh form, x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).

    Source: Hendrycks & Gimpel 2016, arXiv:1606.08415.
    """
    x = as_tensor(x)
    a = x.data
    c = math.sqrt(2 / math.pi)
    t = np.tanh(c * (a + 0.044715 * (a * a * a)))      # products: NumPy's a**3 is many times as slow
    return record("gelu", 0.5 * a * (1 + t), (x,), lambda g: (
        g * (0.5 * (1 + t) + 0.5 * a * (1 - t * t) * c * (1 + 3 * 0.044715 * a * a)),
    ))
