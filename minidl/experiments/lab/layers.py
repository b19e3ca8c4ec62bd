"""Normalisations for the laboratory alone: batch normalization with noise, and a common mistake in a CNN."""

from __future__ import annotations

import numpy as np

from minidl import ops
from minidl.engine.tensor import Tensor
from minidl.layers import BatchNorm


class NoisyBatchNorm(BatchNorm):
    """Batch normalization whose outputs are shifted and scaled at random, anew at each training step.

    For each feature a mean from U(-shift, shift) and a scale from U(1, spread), and around these, for each
    example, a shift and a scale of its own. If stable distributions were what makes batch normalization work,
    this would have to hurt.

    Source: Santurkar et al. 2018, arXiv:1805.11604, section 2.1 and appendix, with its values.
    """

    shift, spread, around = 0.5, 1.25, 0.1

    def draw_noise(self, generator: np.random.Generator) -> None:
        """Take a generator over."""
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """(batch, ..., num_features) to the same shape."""
        y = super().forward(x)
        if not self.training:
            return y
        draw, features = self.generator, self.num_features
        means = draw.uniform(-self.shift, self.shift, features)
        scales = draw.uniform(1, self.spread, features)
        each = (x.shape[0], *(1,) * (x.ndim - 2), features)
        shifts = draw.uniform(means - self.around, means + self.around, each)
        factors = draw.normal(scales, self.around, each)
        return y * factors.astype(x.dtype) + shifts.astype(x.dtype)


class PerActivationBatchNorm(BatchNorm):
    """Batch normalization of each pixel of each feature map by itself, (height·width·channels) features.

    In a convolutional network a mistake: maps then treat different places differently (the paper, section
    3.2, has one gamma and beta a map).
    """

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, channels) to the same shape."""
        flat = ops.reshape(x, (x.shape[0], int(np.prod(x.shape[1:]))))
        return ops.reshape(super().forward(flat), x.shape)
