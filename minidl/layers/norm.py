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
    running = (1 - momentum)·running + momentum·batch. In evaluation mode the running statistics normalise
    (Algorithm 2). A batch is normalised with its biased variance (1/m'), the running variance takes the
    unbiased one, m'/(m'-1) times as large (Algorithm 2, step 10). For images m' = m·p·q, with one gamma and
    beta per feature map.

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
        super().__init__()
        positive(self, num_features=num_features)
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"BatchNorm expects momentum from 0 to 1, or None, got {momentum!r}")
        if not eps >= 0:
            raise ValueError(f"BatchNorm expects eps >= 0, got {eps!r}")
        self.num_features = num_features
        self.momentum = None if momentum is None else float(momentum)
        self.eps = float(eps)
        self.gamma = Parameter(np.ones(num_features, np.float32)) if affine else None
        self.beta = Parameter(np.zeros(num_features, np.float32)) if affine else None
        self.buffer("running_mean", np.zeros(num_features, np.float32))
        self.buffer("running_var", np.ones(num_features, np.float32))
        self.buffer("batches_seen", np.zeros((), np.int64))
        self.reset_weights()

    def reset_weights(self) -> None:
        """Start again: gamma 1, beta 0, no statistics."""
        _reset(self.gamma, self.beta)
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
        _check_features(self, x, self.num_features)
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
        self.batches_seen = np.asarray(self.batches_seen + 1)
        weight = 1 / int(self.batches_seen) if self.momentum is None else self.momentum
        for name, batch in (("running_mean", mean), ("running_var", var)):
            old = getattr(self, name)   # it isn't written into: a tape may hold it
            # Not old + weight·(batch - old): with weight 1 a small batch variance would drown in the old one.
            setattr(self, name, ((1 - weight) * old + weight * batch).astype(old.dtype, copy=False))

    def arguments(self) -> str:
        """Its size, and what differs from the usual."""
        text = f"{self.num_features}"
        text += f", momentum={self.momentum}" if self.momentum != 0.1 else ""
        text += f", eps={self.eps:g}" if self.eps != 1e-5 else ""
        return text + (", affine=False" if self.gamma is None else "")


class LayerNorm(Layer):
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
        super().__init__()
        positive(self, num_features=num_features)
        self.num_features = num_features
        self.eps = float(eps)
        self.gamma = Parameter(np.ones(num_features, np.float32))
        self.beta = Parameter(np.zeros(num_features, np.float32))
        self.reset_weights()

    def reset_weights(self) -> None:
        """Start again: gamma 1, beta 0."""
        _reset(self.gamma, self.beta)

    def forward(self, x: Tensor) -> Tensor:
        """(..., num_features) to the same shape."""
        _check_features(self, x, self.num_features)
        return ops.layer_norm(x, self.gamma, self.beta, self.eps)

    def arguments(self) -> str:
        """Its size."""
        return f"{self.num_features}"


class GroupNorm(Layer):
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
        super().__init__()
        positive(self, groups=groups, num_features=num_features)
        if num_features % groups:
            raise ValueError(f"GroupNorm expects {num_features} features to be divisible by {groups} groups")
        self.groups = groups
        self.num_features = num_features
        self.eps = float(eps)
        self.gamma = Parameter(np.ones(num_features, np.float32))
        self.beta = Parameter(np.zeros(num_features, np.float32))
        self.reset_weights()

    def reset_weights(self) -> None:
        """Start again: gamma 1, beta 0."""
        _reset(self.gamma, self.beta)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, ..., num_features) to the same shape."""
        _check_features(self, x, self.num_features)
        return ops.group_norm(x, self.groups, self.gamma, self.beta, self.eps)

    def arguments(self) -> str:
        """Its sizes."""
        return f"{self.groups}, {self.num_features}"


def _reset(gamma: Parameter | None, beta: Parameter | None) -> None:
    if gamma is not None:
        gamma.draw(np.ones(gamma.shape))
    if beta is not None:
        beta.draw(np.zeros(beta.shape))


def _check_features(layer: Layer, x: Tensor, n: int) -> None:
    if x.ndim < 2:
        raise ValueError(f"{layer!r} expects (batch, ..., {n}), got {x.shape}: put it into a batch, x[None]")
    if x.shape[-1] != n:
        sizes = f"{layer.groups}, {x.shape[-1]}" if isinstance(layer, GroupNorm) else f"{x.shape[-1]}"
        fix = f"use {type(layer).__name__}({sizes})"
        if x.ndim == 4 and x.shape[1] == n:
            fix = "put the channels last, x.transpose(0, 2, 3, 1)"
        raise ValueError(f"{layer!r} expects (batch, ..., {n}), got {x.shape}: {fix}")
