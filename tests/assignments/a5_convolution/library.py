"""A5 by the library's own ops: good for tasks 1 to 4, and for nothing in the last."""

from __future__ import annotations

import numpy as np

from minidl import Tape, Tensor, ops


def _gradients(op, g, *arrays):
    tensors = [Tensor(a, requires_grad=True) for a in arrays]
    with Tape() as tape:
        y = op(*tensors)
        loss = ops.sum(y * g)
    return tuple(tape.gradients(loss, tensors))


def conv2d(x, weight, bias, stride=1, padding=0):
    return ops.conv2d(x, weight, bias, stride, padding).data


def conv2d_backward(g, x, weight, stride=1, padding=0):
    bias = np.zeros(weight.shape[3])
    return _gradients(lambda x, w, b: ops.conv2d(x, w, b, stride, padding), g, x, weight, bias)


def max_pool2d(x, size):
    return ops.max_pool2d(x, size).data


def max_pool2d_backward(g, x, size):
    return _gradients(lambda x: ops.max_pool2d(x, size), g, x)[0]


def batch_norm(x, gamma, beta, eps):
    return ops.batch_norm(x, gamma, beta, eps)[0].data


def batch_norm_backward(g, x, gamma, eps):
    return _gradients(lambda *a: ops.batch_norm(*a, eps)[0], g, x, gamma, np.zeros_like(gamma))


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d(x, weight, bias, stride, padding)     # the library has no dilation


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    return conv2d_backward(g, x, weight, stride, padding)
