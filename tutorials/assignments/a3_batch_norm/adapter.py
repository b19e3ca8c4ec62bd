"""Makes an op of two functions on plain arrays, and a layer of the op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minidl as dl


def as_op(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., dl.Tensor]:
    """An op `batch_norm(x, gamma, beta, eps)` on tensors: forward computes, the tape calls backward."""

    def batch_norm(x: dl.Tensor, gamma: dl.Tensor, beta: dl.Tensor, eps: float) -> dl.Tensor:
        y, cache = forward(x.data, gamma.data, beta.data, eps)

        def vjp(g: np.ndarray) -> list[np.ndarray]:
            return [np.asarray(gradient, g.dtype) for gradient in backward(g, cache)]

        return dl.record("my_batch_norm", np.asarray(y, x.dtype), (x, gamma, beta), vjp)

    return batch_norm


class MyBatchNorm(dl.layers.BatchNorm):
    """The library's layer, but in training mode it normalises with `op`; test time stays the library's."""

    op: Callable[..., dl.Tensor]

    def __init__(self, num_features: int, op: Callable[..., dl.Tensor]) -> None:
        super().__init__(num_features)
        self.op = op

    def forward(self, x: dl.Tensor) -> dl.Tensor:
        """(..., num_features) to the same shape."""
        if not self.training:
            return super().forward(x)
        others = tuple(range(x.ndim - 1))
        m = x.size / self.num_features
        mean, var = x.data.mean(others), x.data.var(others) * m / (m - 1)
        self.running_mean = (0.9 * self.running_mean + 0.1 * mean).astype(np.float32)
        self.running_var = (0.9 * self.running_var + 0.1 * var).astype(np.float32)
        return self.op(x, self.gamma, self.beta, self.eps)
