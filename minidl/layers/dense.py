"""Dense and Flatten: the layers of a multilayer perceptron."""

from __future__ import annotations

import math

import numpy as np

from minidl import init as initializers
from minidl import ops
from minidl.checks import whole
from minidl.engine.parameter import Parameter
from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer


class Dense(Layer):
    """Affine map x W + b on the last axis.

    Args:
        in_features: length of the last axis of the input.
        out_features: length of the last axis of the output.
        bias: False leaves b out, as before a batch normalization, whose beta takes its place.
        init: initialiser of the weight, a function or the name of one in `minidl.init`.

    Attributes:
        weight: (in_features, out_features).
        bias: (out_features,), zeros at first; or None.

    Example:
        >>> Dense(784, 100)(np.zeros((60, 784))).shape
        (60, 100)

    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: str | initializers.Initialiser = "glorot_uniform",
    ) -> None:
        super().__init__()
        self.in_features = whole("Dense", "in_features", in_features)
        self.out_features = whole("Dense", "out_features", out_features)
        self.init = initializers.resolve(init)
        self.weight = Parameter(np.zeros((in_features, out_features), np.float32))
        self.bias = Parameter(np.zeros(out_features, np.float32)) if bias else None
        self.initialize()

    def draw_weights(self, generator: np.random.Generator) -> None:
        """Draw the weight; the bias becomes zero."""
        self.weight.draw(self.init(generator, self.weight.shape))
        if self.bias is not None:
            self.bias.draw(np.zeros(self.out_features))

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_features) to (..., out_features)."""
        shape = x.shape
        if len(shape) < 2 or shape[-1] != self.in_features:
            fix = self._fix(shape)
            raise ValueError(f"{self!r} expects (batch, {self.in_features}), got {shape}: {fix}")
        return ops.dense(x, self.weight, self.bias)

    def _fix(self, shape: tuple[int, ...]) -> str:
        if len(shape) < 2:
            return "put examples into a batch, x[None] for a single one"
        flat = math.prod(shape[1:])
        if math.prod(shape) == self.in_features and shape[0] != 1:      # one image, perhaps after Flatten()
            return "put a single example into a batch, x[None]"
        if len(shape) > 2:
            return "put Flatten() before it" + (
                "" if flat == self.in_features else f", and use Dense({self._sizes(flat)})"
            )
        return f"use Dense({self._sizes(flat)})"

    def _sizes(self, in_features: int) -> str:
        return f"{in_features}, {self.out_features}" + ("" if self.bias is not None else ", bias=False")

    def arguments(self) -> str:
        """Its sizes."""
        return self._sizes(self.in_features)


class Flatten(Layer):
    """(batch, ...) to (batch, features): images become rows.

    Example:
        >>> Flatten()(np.zeros((60, 28, 28, 1))).shape
        (60, 784)

    """

    def forward(self, x: Tensor) -> Tensor:
        """(batch, ...) to (batch, features)."""
        if x.ndim < 2:
            raise ValueError(f"Flatten() expects (batch, ...), got {x.shape}: use x[None] for a single one")
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))
