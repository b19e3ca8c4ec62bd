"""A2, layers, losses and a gradient check: your submission. Fill in the functions; leave their names.

Arrays are NumPy arrays. What comes in as float32 goes out as float32, and float64 as float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


# ---- Task 1: Dense -----------------------------------------------------------------------------------------


def dense_forward(x: Array, W: Array, b: Array) -> Array:
    """A fully connected layer, y = x W + b.

    Args:
        x: (batch, in).
        W: (in, out).
        b: (out,).

    Returns:
        (batch, out).

    """
    raise NotImplementedError("A2, task 1: dense_forward")


def dense_backward(g: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
    """The gradients of x, W and b from the gradient g of the layer's output.

    Args:
        g: (batch, out).
        x: (batch, in), as it went in.
        W: (in, out).

    Returns:
        (dx, dW, db), of the shapes of x, W and b.

    """
    raise NotImplementedError("A2, task 1: dense_backward")


# ---- Task 2: sigmoid and ReLU ------------------------------------------------------------------------------


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), elementwise, for any shape.

    No overflow for any x, and right to the last digits also where the result is tiny.
    """
    raise NotImplementedError("A2, task 2: sigmoid")


def sigmoid_backward(g: Array, y: Array) -> Array:
    """The gradient of x from the gradient g of y = sigmoid(x). Only y is given."""
    raise NotImplementedError("A2, task 2: sigmoid_backward")


def relu(x: Array) -> Array:
    """max(x, 0), elementwise, for any shape."""
    raise NotImplementedError("A2, task 2: relu")


def relu_backward(g: Array, x: Array) -> Array:
    """The gradient of x from the gradient g of relu(x). At the kink, x = 0, the derivative counts as 0."""
    raise NotImplementedError("A2, task 2: relu_backward")


# ---- Task 3: softmax cross-entropy -------------------------------------------------------------------------


def cross_entropy(logits: Array, labels: Array) -> float:
    """The mean over the batch of -log softmax(logits)[label].

    Args:
        logits: (batch, classes), any finite numbers: 10,000 and -10,000 too, and float32 too.
        labels: whole numbers (batch,), from 0 to classes - 1.

    Returns:
        the loss.

    """
    raise NotImplementedError("A2, task 3: cross_entropy")


def cross_entropy_backward(logits: Array, labels: Array) -> Array:
    """The gradient of `cross_entropy(logits, labels)` with respect to the logits: (batch, classes)."""
    raise NotImplementedError("A2, task 3: cross_entropy_backward")


# ---- Task 4: your own gradient check -----------------------------------------------------------------------


def numeric_gradient(f: Callable[[Array], float], x: Array, h: float = 1e-5) -> Array:
    """The gradient of f at x by central differences, (f(x + h) - f(x - h)) / 2h for each element.

    Args:
        f: takes an array of x's shape, returns a number.
        x: float64, any shape. It is the same afterwards.
        h: the step.

    Returns:
        an array of x's shape.

    """
    raise NotImplementedError("A2, task 4: numeric_gradient")


def gradient_is_right(f: Callable[[Array], float], gradient: Array, x: Array) -> bool:
    """Whether `gradient` is the gradient of f at x.

    A gradient is right if it has x's shape and differs from the numeric one by no more than 1e-6 of the
    largest absolute value in either, in each element. Elements at a kink are left out of all this: those
    where the slope to the right, (f(x + h) - f(x)) / h, and the slope to the left, (f(x) - f(x - h)) / h,
    differ by more than 1e-3 of the largest absolute value of all these slopes; h is 1e-5. With NaN in an
    element that isn't left out, a gradient is wrong.

    Args:
        f: takes an array of x's shape, returns a number.
        gradient: what is to be checked.
        x: float64, any shape. It is the same afterwards.

    """
    raise NotImplementedError("A2, task 4: gradient_is_right")


# ---- Task 5: class-weighted cross-entropy ------------------------------------------------------------------


def weighted_cross_entropy(logits: Array, labels: Array, weights: Array) -> float:
    """The weighted mean of -log softmax(logits)[label]: an example weighs weights[label].

    It is the sum of weight times loss over the examples, divided by the sum of their weights.

    Args:
        logits: (batch, classes), any finite numbers, as for `cross_entropy`.
        labels: whole numbers (batch,).
        weights: (classes,), none negative, and not all zero for the labels that occur.

    Returns:
        the loss.

    """
    raise NotImplementedError("A2, task 5: weighted_cross_entropy")


def weighted_cross_entropy_backward(logits: Array, labels: Array, weights: Array) -> Array:
    """The gradient of `weighted_cross_entropy(logits, labels, weights)` with respect to the logits."""
    raise NotImplementedError("A2, task 5: weighted_cross_entropy_backward")
