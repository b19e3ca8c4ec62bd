"""One table of cases for the layers: how each is made, and the shape of an input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minidl.engine.array import Array
from minidl.layers import (
    GELU,
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
)


@dataclass(frozen=True)
class Case:
    """A layer's class, a function that makes one, and its input."""

    kind: type[Layer]
    make: Callable[[], Layer]
    shape: tuple[int, ...]

    def layer(self) -> Layer:
        """One with random parameters and running statistics far from any batch's."""
        layer = self.make()
        rng = np.random.default_rng(5)
        for parameter in layer.parameters():
            parameter.data = rng.uniform(0.4, 1.5, parameter.shape).astype(parameter.dtype)
            parameter.data = parameter.data * rng.choice([-1, 1], parameter.shape).astype(parameter.dtype)
        for _, inner in layer.named_layers():
            if isinstance(inner, BatchNorm):
                inner.running_mean = rng.normal(5, 2, inner.num_features).astype(np.float32)
                inner.running_var = rng.uniform(4, 9, inner.num_features).astype(np.float32)
        return layer

    def input(self) -> Array:
        """Values apart from each other and from 0, with a mean that depends on the position."""
        rng = np.random.default_rng(6)
        n = int(np.prod(self.shape))
        values = rng.permutation((np.arange(n) - n // 2 + 0.5) * 0.07).reshape(self.shape)
        return np.asarray(values + 0.07 * n * rng.integers(-1, 2, self.shape[1:]))

    def __str__(self) -> str:
        return f"{self.kind.__name__}-{'x'.join(map(str, self.shape))}"


CASES = [
    Case(Dense, lambda: Dense(3, 2), (5, 3)), Case(Dense, lambda: Dense(3, 2, bias=False), (2, 2, 3)),
    Case(Conv2D, lambda: Conv2D(2, 3, 3), (2, 5, 4, 2)),
    Case(Conv2D, lambda: Conv2D(1, 2, 2, stride=2, padding=1, bias=False), (2, 4, 3, 1)),
    Case(BatchNorm, lambda: BatchNorm(3), (6, 3)), Case(BatchNorm, lambda: BatchNorm(2), (4, 2, 3, 2)),
    Case(BatchNorm, lambda: BatchNorm(3, momentum=None, eps=0.1, affine=False), (5, 3)),
    Case(LayerNorm, lambda: LayerNorm(6), (4, 6)), Case(LayerNorm, lambda: LayerNorm(4, eps=0.1), (2, 3, 4)),
    Case(GroupNorm, lambda: GroupNorm(2, 8), (3, 8)), Case(GroupNorm, lambda: GroupNorm(2, 4), (2, 2, 3, 4)),
    Case(MaxPool2D, lambda: MaxPool2D(2), (2, 5, 4, 2)), Case(AvgPool2D, lambda: AvgPool2D(2), (2, 5, 4, 2)),
    Case(Flatten, lambda: Flatten(), (3, 2, 4)), Case(Dropout, lambda: Dropout(0.4), (4, 5)),
    Case(Sigmoid, Sigmoid, (3, 4)), Case(ReLU, ReLU, (3, 4)), Case(Tanh, Tanh, (3, 4)),
    Case(GELU, GELU, (3, 4)),
    Case(LeakyReLU, lambda: LeakyReLU(0.2), (3, 4)),
    Case(Sequential, lambda: Sequential(Dense(3, 4, bias=False), BatchNorm(4), Tanh(), Dense(4, 2)), (6, 3)),
    Case(Sequential, lambda: Sequential(
        Conv2D(1, 2, 2, bias=False), BatchNorm(2), Sigmoid(), AvgPool2D(2), Flatten(), Dense(8, 2)
    ), (4, 5, 5, 1)),
    Case(Sequential, lambda: Sequential(Sequential(Dense(3, 3), Dropout(0.5)), LayerNorm(3)), (6, 3)),
]
