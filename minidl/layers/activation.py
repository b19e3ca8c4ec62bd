"""Activation layers: the ops of the same names, as layers."""

from __future__ import annotations

from minidl import ops
from minidl.checks import number_in
from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer


class Sigmoid(Layer):
    """Logistic sigmoid, see `minidl.ops.sigmoid`."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as x."""
        return ops.sigmoid(x)


class ReLU(Layer):
    """max(x, 0), see `minidl.ops.relu`."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as x."""
        return ops.relu(x)


class Tanh(Layer):
    """Hyperbolic tangent, see `minidl.ops.tanh`."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as x."""
        return ops.tanh(x)


class LeakyReLU(Layer):
    """The input where it is positive, else slope·x, see `minidl.ops.leaky_relu`.

    Args:
        slope: factor of what isn't positive.

    """

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__()
        self.slope = number_in("LeakyReLU", "slope", slope, "(-inf, inf)")

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as x."""
        return ops.leaky_relu(x, self.slope)

    def arguments(self) -> str:
        """Its slope, unless it is the usual one."""
        return "" if self.slope == 0.01 else f"{self.slope:g}"


class GELU(Layer):
    """Gaussian error linear unit in its tanh form, see `minidl.ops.gelu`."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as x."""
        return ops.gelu(x)
