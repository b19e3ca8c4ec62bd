"""BatchNorm, and the two that need no mini-batch: LayerNorm and GroupNorm."""

from __future__ import annotations

import numpy as np

from minidl import ops
from minidl.engine.array import Array
from minidl.engine.parameter import Parameter
from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer, positive


class BatchNorm(Layer):
    """Batch normalization of the last axis, over all others (Ioffe & Szegedy 2015).

    In training mode the mini-batch's statistics normalise (Algorithm 1), and the running ones follow them:
    running = (1 - momentum)·running + momentum·batch. In evaluation mode the running statistics normalise (Algorithm 2).
    A batch is normalised with its biased variance (1/m'), the running variance takes the unbiased one, m'/(m'-1)
    times as large (Algorithm 2, step 10). For images m' = m·p·q, with one gamma and beta per feature map.

    Args:
        num_features: length of the last axis.
        momentum: weight of the new batch, as in PyTorch (Keras's `momentum` is 1 minus this); None keeps the plain
            average of all batches seen.
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
        super().__init__()
        positive(self, num_features=num_features)
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"BatchNorm expects momentum from 0 to 1, or None, got {momentum!r}")
        if not eps >= 0:
            raise ValueError(f"BatchNorm expects eps >= 0, got {eps!r}")
        self.num_features = num_features
        self.momentum = momentum
        self.eps = eps
        self.gamma = Parameter(np.ones(num_features, np.float32)) if affine else None
        self.beta = Parameter(np.zeros(num_features, np.float32)) if affine else None
        self.reset_statistics()

    def reset_statistics(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batch seen."""
        dtype = np.float32 if self.gamma is None else self.gamma.dtype
        self.buffer("running_mean", np.zeros(self.num_features, dtype))
        self.buffer("running_var", np.ones(self.num_features, dtype))
        self.buffer("batches_seen", np.zeros((), np.int64))

    def forward(self, x: Tensor) -> Tensor:
        """(..., num_features) to the same shape."""
        if x.ndim < 2 or x.shape[-1] != self.num_features:
            raise ValueError(
                f"{self!r} expects (batch, ..., {self.num_features}), got {x.shape}: "
                + (f"use BatchNorm({x.shape[-1]})" if x.ndim > 1 else "put examples into a batch")
            )
        if not self.training:
            return ops.batch_norm_inference(
                x, self.gamma, self.beta, self.running_mean, self.running_var, self.eps
            )
        count = x.size // self.num_features
        if count < 2:
            raise ValueError(
                f"{self!r} in training mode expects more than one value per feature, got {x.shape}: use drop_last=True "
                f"if this is the last short batch, or model.eval() for a single example"
            )
        y, mean, var = ops.batch_norm(x, self.gamma, self.beta, self.eps)
        self._follow(mean, var * (count / (count - 1)))
        return y

    def _follow(self, mean: Array, var: Array) -> None:
        self.batches_seen = np.asarray(self.batches_seen + 1)
        weight = 1 / int(self.batches_seen) if self.momentum is None else self.momentum
        self.running_mean = self.running_mean + weight * (mean - self.running_mean)
        self.running_var = self.running_var + weight * (var - self.running_var)

    def arguments(self) -> str:
        """Its size, and what differs from the usual."""
        text = f"{self.num_features}"
        text += f", momentum={self.momentum}" if self.momentum != 0.1 else ""
        text += f", eps={self.eps:g}" if self.eps != 1e-5 else ""
        return text + (", affine=False" if self.gamma is None else "")


class LayerNorm(Layer):
    """Normalise each example over its features, the last axis; gamma and beta as in BatchNorm (Ba et al. 2016)."""

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        positive(self, num_features=num_features)
        self.num_features = num_features
        self.eps = eps
        self.gamma = Parameter(np.ones(num_features, np.float32))
        self.beta = Parameter(np.zeros(num_features, np.float32))

    def forward(self, x: Tensor) -> Tensor:
        """(..., num_features) to the same shape."""
        if x.ndim < 2 or x.shape[-1] != self.num_features:
            raise ValueError(
                f"{self!r} expects (batch, ..., {self.num_features}), got {x.shape}: use LayerNorm({x.shape[-1]})"
            )
        return ops.layer_norm(x, self.gamma, self.beta, self.eps)

    def arguments(self) -> str:
        """Its size."""
        return f"{self.num_features}"


class GroupNorm(Layer):
    """Normalise each example over its positions and over groups of channels (Wu & He 2018)."""

    def __init__(self, groups: int, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        positive(self, groups=groups, num_features=num_features)
        if num_features % groups:
            raise ValueError(f"GroupNorm expects groups that divide num_features, got {groups} and {num_features}")
        self.groups = groups
        self.num_features = num_features
        self.eps = eps
        self.gamma = Parameter(np.ones(num_features, np.float32))
        self.beta = Parameter(np.zeros(num_features, np.float32))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, ..., num_features) to the same shape."""
        if x.ndim < 2 or x.shape[-1] != self.num_features:
            raise ValueError(
                f"{self!r} expects (batch, ..., {self.num_features}), got {x.shape}: "
                f"use GroupNorm({self.groups}, {x.shape[-1]})"
            )
        return ops.group_norm(x, self.groups, self.gamma, self.beta, self.eps)

    def arguments(self) -> str:
        """Its sizes."""
        return f"{self.groups}, {self.num_features}"
