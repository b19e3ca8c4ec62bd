"""Dropout: switches units off at random while training."""

from __future__ import annotations

import numpy as np

from minidl import ops
from minidl.checks import number_in
from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer


class Dropout(Layer):
    """Set each value to 0 with probability `rate` in training, and scale the others by 1 / (1 - rate).

    In evaluation mode it does nothing.

    Args:
        rate: probability from 0 to below 1.

    Attributes:
        generator: draws the masks; `initialize(seed)` seeds it, checkpoints keep it.

    Source: Srivastava et al. 2014, "Dropout", JMLR 15, in the "inverted" form, which scales in training.

    Example:
        >>> y = Dropout(0.5).initialize(seed=0)(np.ones(1000)).data
        >>> sorted({float(value) for value in y})
        [0.0, 2.0]

    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = number_in("Dropout", "rate", rate, "[0, 1)")
        self.generator = np.random.default_rng()

    def draw_noise(self, generator: np.random.Generator) -> None:
        """Take over a generator of masks."""
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as x."""
        if not self.training or self.rate == 0:
            return x
        kept = self.generator.random(x.shape, np.float32) >= self.rate
        return ops.multiply(x, kept * x.dtype.type(1 / (1 - self.rate)))

    def arguments(self) -> str:
        """Its rate."""
        return f"{self.rate:g}"
