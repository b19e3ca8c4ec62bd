"""What noisy batch normalization computes without its noise: that is what is to be evaluated."""

from __future__ import annotations

import copy

from minidl.experiments.lab.layers import NoisyBatchNorm
from minidl.layers import Sequential


def noiseless(model: Sequential) -> Sequential:
    """A copy whose NoisyBatchNorms have no noise, in no mode, and its mean in gamma and beta.

    The noise multiplies by (1 + spread) / 2 on average: evaluated without that factor, and with statistics
    that were averaged over shifted layers, a network would do badly for reasons that aren't its training's.
    A model without them is copied as it is.

    Example:
        >>> import numpy as np
        >>> model = Sequential(NoisyBatchNorm(2), seed=0)
        >>> noiseless(model)[0].gamma.data
        array([1.125, 1.125], dtype=float32)

    """
    quiet = copy.deepcopy(model)
    for _, layer in quiet.named_layers():
        if isinstance(layer, NoisyBatchNorm):
            mean = (1 + layer.spread) / 2
            layer.shift, layer.spread, layer.around = 0.0, 1.0, 0.0
            for parameter in layer.parameters():
                parameter.data = parameter.data * parameter.dtype.type(mean)
    return quiet
