"""A2 made of the library's own ops, losses and gradient check: what a wrapper would get."""

from __future__ import annotations

import numpy as np

import minidl as dl


def _pull(f, g, *arrays):
    leaves = [dl.Tensor(a, requires_grad=True) for a in arrays]
    with dl.Tape() as tape:
        y = f(*leaves)
    return y.data, tape.gradients(y, leaves, gradient=g)


def dense_forward(x, W, b):
    return dl.ops.dense(dl.Tensor(x), dl.Tensor(W), dl.Tensor(b)).data


def dense_backward(g, x, W):
    return tuple(_pull(dl.ops.dense, g, x, W, np.zeros_like(W[0]))[1])


def sigmoid(x):
    return dl.ops.sigmoid(dl.Tensor(x)).data


def sigmoid_backward(g, y):
    return _pull(dl.ops.sigmoid, g, np.log(y / (1 - y)))[1][0]


def relu(x):
    return dl.ops.relu(dl.Tensor(x)).data


def relu_backward(g, x):
    return _pull(dl.ops.relu, g, x)[1][0]


def cross_entropy(logits, labels):
    return dl.losses.cross_entropy(dl.Tensor(logits), labels).item()


def cross_entropy_backward(logits, labels):
    return _pull(lambda z: dl.losses.cross_entropy(z, labels), None, logits)[1][0]


def _op(f, gradient):
    def op(t):
        a = t.data
        return dl.record("f", np.asarray(f(a), np.float64), (t,), lambda g: (g * gradient,))
    return op


def numeric_gradient(f, x, h=1e-5):
    raise NotImplementedError("the library's gradcheck returns errors, and no gradient")


def gradient_is_right(f, gradient, x):
    try:
        dl.gradcheck(_op(f, gradient), x)
    except (AssertionError, ValueError):
        return False
    return True


def weighted_cross_entropy(logits, labels, weights):
    return cross_entropy(logits, labels)


def weighted_cross_entropy_backward(logits, labels, weights):
    return cross_entropy_backward(logits, labels)
