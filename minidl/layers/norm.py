"""BatchNorm, and the two that need no mini-batch: LayerNorm and GroupNorm."""

from __future__ import annotations

import math

import numpy as np

from minidl import ops
from minidl.checks import number_in, whole
from minidl.engine.array import Array
from minidl.engine.parameter import Parameter
from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer


class Normalization(Layer):
    """What the normalisations share: a size, eps, gamma and beta."""

    gamma: Parameter | None
    beta: Parameter | None

    def __init__(self, num_features: int, eps: float, affine: bool = True) -> None:
        super().__init__()
        name = type(self).__name__
        self.num_features = whole(name, "num_features", num_features)
        self.eps = number_in(name, "eps", eps, "[0, inf)")
        self.gamma = Parameter(np.ones(self.num_features, np.float32)) if affine else None
        self.beta = Parameter(np.zeros(self.num_features, np.float32)) if affine else None

    def reset_weights(self) -> None:
        """Start again: gamma 1, beta 0."""
        for parameter, value in ((self.gamma, 1.0), (self.beta, 0.0)):
            if parameter is not None:
                parameter.draw(np.full(parameter.shape, value))

    def check_features(self, x: Tensor) -> None:
        """Raise unless the last axis of x is as long as it should be."""
        n, shape = self.num_features, x.shape
        if len(shape) < 2:
            fix = "put it into a batch, x[None]"
        elif shape[-1] == n:
            return
        elif len(shape) == 4 and shape[1] == n:
            fix = "put the channels last, x.transpose(0, 2, 3, 1)"
        else:
            fix = f"use {type(self).__name__}({self.sizes(shape[-1])})"
        raise ValueError(f"{self!r} expects (batch, ..., {n}), got {shape}: {fix}")

    def sizes(self, num_features: int) -> str:
        """The first arguments of its repr, for so many features."""
        return f"{num_features}"

    def arguments(self) -> str:
        """Its sizes, and what differs from the usual."""
        return self.sizes(self.num_features) + (f", eps={self.eps:g}" if self.eps != 1e-5 else "")


class BatchNorm(Normalization):
    """Batch normalization of the last axis, over all others (Ioffe & Szegedy 2015).

    In training mode the mini-batch's statistics normalise (Algorithm 1), and the running ones follow them:
    running = (1 - momentum)·running + momentum·batch; a batch with NaN or infinity in it leaves them as they
    are. In evaluation mode the running statistics normalise (Algorithm 2). A batch is normalised with its
    biased variance (1/m'), the running variance takes the unbiased one, m'/(m'-1) times as large (Algorithm
    2, step 10). For images m' = m·p·q, with one gamma and beta per feature map.

    Args:
        num_features: length of the last axis.
        momentum: weight of the new batch, as in PyTorch (Keras's `momentum` is 1 minus this); None keeps the
            plain average of all batches seen.
        eps: added to the variance, inside the root.
        affine: False leaves out gamma and beta.

    Attributes:
        gamma: (num_features,), ones at first; or None.
        beta: (num_features,), zeros at first; or None.
        running_mean: buffer (num_features,).
        running_var: buffer (num_features,).
        batches_seen: buffer, a whole number.

    Example:
        >>> layer = BatchNorm(3)
        >>> y = layer(np.random.default_rng(0).normal(5, 2, (100, 3)))
        >>> bool(abs(y.data.mean()) < 1e-6), bool(abs(y.data.std() - 1) < 1e-4)
        (True, True)

    """

    running_mean: Array
    running_var: Array
    batches_seen: Array

    def __init__(
        self, num_features: int, momentum: float | None = 0.1, eps: float = 1e-5, affine: bool = True
    ) -> None:
        super().__init__(num_features, eps, affine)
        if momentum is not None:
            momentum = number_in("BatchNorm", "momentum", momentum, "[0, 1]", " or None")
        self.momentum = momentum
        self.buffer("running_mean", np.zeros(self.num_features, np.float32))
        self.buffer("running_var", np.ones(self.num_features, np.float32))
        self.buffer("batches_seen", np.zeros((), np.int64))
        self.reset_weights()

    def reset_weights(self) -> None:
        """Start again: gamma 1, beta 0, no statistics."""
        super().reset_weights()
        self.reset_statistics()

    def reset_statistics(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batch seen."""
        self.running_mean = np.zeros_like(self.running_mean)
        self.running_var = np.ones_like(self.running_var)
        self.batches_seen = np.zeros_like(self.batches_seen)

    def is_untouched(self) -> bool:
        """Whether it has neither been trained nor loaded."""
        return super().is_untouched() and not self.batches_seen

    def forward(self, x: Tensor) -> Tensor:
        """(..., num_features) to the same shape."""
        self.check_features(x)
        if not self.training:
            return ops.batch_norm_inference(
                x, self.gamma, self.beta, self.running_mean, self.running_var, self.eps
            )
        count = x.size // self.num_features
        if count < 2:
            raise ValueError(
                f"{self!r} in training mode expects more than one value per feature, got {x.shape}: use "
                f"drop_last=True if this is the last short batch, or model.eval() for a single example"
            )
        y, mean, var = ops.batch_norm(x, self.gamma, self.beta, self.eps)
        self._follow(mean, var * (count / (count - 1)))
        return y

    def _follow(self, mean: Array, var: Array) -> None:
        if not math.isfinite(np.maximum.reduce(var)):       # NaN is the maximum of all that it is among
            return      # one NaN would stay in them for good; the loss of this batch tells
        seen = int(self.batches_seen) + 1
        weight = 1 / seen if self.momentum is None else self.momentum
        # At every step: so not through __setattr__, which looks whether it replaces a parameter.
        vars(self).update(
            batches_seen=np.array(seen, np.int64),
            running_mean=_average(self.running_mean, mean, weight),
            running_var=_average(self.running_var, var, weight),
        )

    def sizes(self, num_features: int) -> str:
        """Its size and, if it isn't the usual one, momentum."""
        return f"{num_features}" + (f", momentum={self.momentum}" if self.momentum != 0.1 else "")

    def arguments(self) -> str:
        """Its size, and what differs from the usual."""
        return super().arguments() + (", affine=False" if self.gamma is None else "")


def _average(old: Array, batch: Array, weight: float) -> Array:
    # Not old + weight·(batch - old): with weight 1 a small batch variance would drown in the old one. And a
    # new array: a tape may hold the old one.
    average = old * (1 - weight)
    average += weight * batch
    return average


class LayerNorm(Normalization):
    """Normalise each example over its features, the last axis (Ba, Kiros & Hinton 2016).

    Args:
        num_features: length of the last axis.
        eps: added to the variance, inside the root.

    Attributes:
        gamma: (num_features,), ones at first.
        beta: (num_features,), zeros at first.

    Example:
        >>> LayerNorm(2)([[1.0, 3.0], [10.0, 30.0]]).data.round(3)
        array([[-1.,  1.],
               [-1.,  1.]], dtype=float32)

    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__(num_features, eps)
        self.reset_weights()

    def forward(self, x: Tensor) -> Tensor:
        """(..., num_features) to the same shape."""
        self.check_features(x)
        return ops.layer_norm(x, self.gamma, self.beta, self.eps)


class GroupNorm(Normalization):
    """Normalise each example over its positions and the channels of each group (Wu & He 2018).

    Args:
        groups: number of groups; it divides num_features.
        num_features: length of the last axis.
        eps: added to the variance, inside the root.

    Attributes:
        gamma: (num_features,), ones at first.
        beta: (num_features,), zeros at first.

    Example:
        >>> GroupNorm(2, 4)([[1.0, 3.0, 10.0, 30.0]]).data.round(3)
        array([[-1.,  1., -1.,  1.]], dtype=float32)

    """

    def __init__(self, groups: int, num_features: int, eps: float = 1e-5) -> None:
        super().__init__(num_features, eps)
        self.groups = whole("GroupNorm", "groups", groups)
        if num_features % groups:
            raise ValueError(f"GroupNorm expects {num_features} features to be divisible by {groups} groups")
        self.reset_weights()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, ..., num_features) to the same shape."""
        self.check_features(x)
        return ops.group_norm(x, self.groups, self.gamma, self.beta, self.eps)

    def sizes(self, num_features: int) -> str:
        """The number of groups, and its size."""
        return f"{self.groups}, {num_features}"
