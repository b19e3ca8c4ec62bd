"""Normalisation: batch normalization in training and at test time, layer and group normalization.

Features lie on the last axis everywhere, so one op serves dense and convolutional layers: it normalises over
every axis but the last, for feature maps m' = m·p·q values each (Ioffe & Szegedy 2015, section 3.2).
"""

from __future__ import annotations

import math

import numpy as np

from minidl.engine.arguments import tensors
from minidl.engine.array import Array
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike
from minidl.ops.columns import column_sums
from minidl.ops.statistics import affine, batch_statistics, blend, sums_along


def batch_norm(
    x: TensorLike, gamma: TensorLike | None = None, beta: TensorLike | None = None, eps: float = 1e-5
) -> tuple[Tensor, Array, Array]:
    """Normalise each feature with the statistics of the mini-batch (Ioffe & Szegedy 2015, Algorithm 1).

    x̂ = (x - mean) / √(var + eps),  y = gamma·x̂ + beta, with the biased variance (1/m').

    Args:
        x: (batch, ..., features).
        gamma: (features,), or None for 1.
        beta: (features,), or None for 0.
        eps: added to the variance, inside the root.

    Returns:
        y, of x's shape, and the batch's mean and biased variance, plain arrays (features,).

    Raises:
        ValueError: one value per feature, whose variance is always 0; shapes that don't fit.

    Example:
        >>> y, mean, var = batch_norm([[1.0], [3.0]])
        >>> mean, var
        (array([2.], dtype=float32), array([1.], dtype=float32))

    """
    inputs = _inputs("batch_norm", x, gamma, beta)
    x = inputs[0]
    rows = _rows(x)
    m = len(rows)
    if m < 2:
        raise ValueError(
            f"batch_norm in training mode expects more than one value per feature, got {x.shape}: use a "
            f"larger batch, drop_last=True for the last short one, or evaluation mode for a single example"
        )
    distances, mean, var = batch_statistics(rows)
    inverse = 1 / np.sqrt(var + rows.dtype.type(eps))
    scale = inverse if gamma is None else inverse * inputs[1].data
    y = affine(distances, scale, None if beta is None else inputs[-1].data)

    def vjp(g: Array) -> list[Array | None]:
        # The six lines of section 3 in one: mean and variance depend on every x_i, which takes away from g
        # its mean and its share along x̂.   dx_i = gamma / √(var + eps) · (g_i - mean(g) - x̂_i · mean(g · x̂))
        g = g.reshape(rows.shape)
        dbeta, along = sums_along(g, distances)
        dgamma = inverse * along
        dx = None
        if x.requires_grad:
            dx = blend(g, distances, scale, inverse * dgamma / -m, dbeta / -m).reshape(x.shape)
        return _parts(dx, dgamma, dbeta, gamma, beta)

    return record("batch_norm", y.reshape(x.shape), inputs, vjp), mean, var


def batch_norm_inference(
    x: TensorLike,
    gamma: TensorLike | None,
    beta: TensorLike | None,
    mean: Array,
    var: Array,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise with fixed population statistics (Ioffe & Szegedy 2015, Algorithm 2, steps 8 to 12).

    Mean and variance are constants here, so the gradient is an affine map's: dx = gamma / √(var + eps) · g.

    Args:
        x: (batch, ..., features).
        gamma: (features,), or None for 1.
        beta: (features,), or None for 0.
        mean: plain array (features,).
        var: plain array (features,), the unbiased variance.
        eps: added to the variance, inside the root.

    Returns:
        y, of x's shape.

    Raises:
        ValueError: shapes that don't fit.

    Example:
        >>> batch_norm_inference([[1.0], [3.0]], [2.0], [5.0], np.array([1.0]), np.array([4.0]), eps=0.0).data
        array([[5.],
               [7.]], dtype=float32)

    """
    inputs = _inputs("batch_norm_inference", x, gamma, beta)
    x = inputs[0]
    rows = _rows(x)
    if mean.shape != x.shape[-1:] or var.shape != x.shape[-1:]:
        raise ValueError(
            f"batch_norm_inference expects mean and var {x.shape[-1:]} for x {x.shape}, "
            f"got {mean.shape} and {var.shape}"
        )
    inverse = (1 / np.sqrt(var + eps)).astype(x.dtype)
    mean = mean.astype(x.dtype)
    scale = inverse if gamma is None else inverse * inputs[1].data
    distances = rows, mean, None
    y = affine(distances, scale, None if beta is None else inputs[-1].data)

    def vjp(g: Array) -> list[Array | None]:
        g = g.reshape(rows.shape)
        dx = (g * scale).reshape(x.shape) if x.requires_grad else None
        dbeta, along = sums_along(g, distances)
        return _parts(dx, inverse * along, dbeta, gamma, beta)

    return record("batch_norm_inference", y.reshape(x.shape), inputs, vjp)


def layer_norm(
    x: TensorLike, gamma: TensorLike | None = None, beta: TensorLike | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalise each example over its features, the last axis (Ba, Kiros & Hinton 2016).

    Args:
        x: (batch, ..., features).
        gamma: (features,), or None for 1.
        beta: (features,), or None for 0.
        eps: added to the variance, inside the root.

    Returns:
        y, of x's shape.

    Raises:
        ValueError: shapes that don't fit.

    Example:
        >>> layer_norm([[1.0, 3.0], [10.0, 30.0]]).data.round(3)
        array([[-1.,  1.],
               [-1.,  1.]], dtype=float32)

    """
    inputs = _inputs("layer_norm", x, gamma, beta)
    shape = inputs[0].shape
    return _norm_per_example("layer_norm", inputs, (*shape[:-1], 1, 1, shape[-1]), gamma, beta, eps)


def group_norm(
    x: TensorLike,
    groups: int,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each example over its positions and the channels of each group (Wu & He 2018).

    Args:
        x: (batch, ..., channels); channels divisible by groups.
        groups: number of groups.
        gamma: (channels,), or None for 1.
        beta: (channels,), or None for 0.
        eps: added to the variance, inside the root.

    Returns:
        y, of x's shape.

    Raises:
        ValueError: channels that groups doesn't divide; shapes that don't fit.

    Example:
        >>> group_norm([[1.0, 3.0, 10.0, 30.0]], groups=2).data.round(3)
        array([[-1.,  1., -1.,  1.]], dtype=float32)

    """
    inputs = _inputs("group_norm", x, gamma, beta)
    shape = inputs[0].shape
    if len(shape) < 2 or groups < 1 or shape[-1] % groups:
        raise ValueError(
            f"group_norm expects (batch, ..., channels) with channels divisible by {groups}, got {shape}"
        )
    grouped = (shape[0], math.prod(shape[1:-1]), groups, shape[-1] // groups)
    return _norm_per_example("group_norm", inputs, grouped, gamma, beta, eps)


def _norm_per_example(
    name: str,
    inputs: tuple[Tensor, ...],
    grouped: tuple[int, ...],
    gamma: TensorLike | None,
    beta: TensorLike | None,
    eps: float,
) -> Tensor:
    """Normalise over positions and features of each group; `grouped` = (..., positions, groups, features)."""
    x = inputs[0]
    shape = _rows(x).shape
    axes = (-3, -1)
    centred = x.data.reshape(grouped)
    centred = centred - np.mean(centred, axis=axes, keepdims=True)
    centred -= np.mean(centred, axis=axes, keepdims=True)    # the first one was rounded
    var = np.mean(centred * centred, axis=axes, keepdims=True)
    inverse = 1 / np.sqrt(var + x.dtype.type(eps))
    x_hat = centred * inverse
    scale = 1 if gamma is None else inputs[1].data
    y = x_hat.reshape(shape) * scale
    if beta is not None:
        y += inputs[-1].data

    def vjp(g: Array) -> list[Array | None]:
        g = g.reshape(shape)
        h = (g * scale).reshape(grouped)
        mean = np.mean(h, axis=axes, keepdims=True)
        along = np.mean(h * x_hat, axis=axes, keepdims=True)
        dx = inverse * (h - mean - x_hat * along)
        dgamma, dbeta = column_sums(g * x_hat.reshape(shape)), column_sums(g)
        return _parts(dx.reshape(x.shape), dgamma, dbeta, gamma, beta)

    return record(name, y.reshape(x.shape), inputs, vjp)


def _rows(x: Tensor) -> Array:
    """The array as (m', features)."""
    a = x.data
    return a if a.ndim == 2 else a.reshape(math.prod(a.shape[:-1]), a.shape[-1])


def _inputs(
    name: str, x: TensorLike, gamma: TensorLike | None, beta: TensorLike | None
) -> tuple[Tensor, ...]:
    inputs = tensors(name, *[t for t in (x, gamma, beta) if t is not None])
    shape = inputs[0].shape
    if len(shape) < 2 or [t for t in inputs[1:] if t.shape != shape[-1:]]:
        shapes = ", ".join(str(t.shape) for t in inputs)
        raise ValueError(f"{name} expects x (batch, ..., features), gamma and beta (features,), got {shapes}")
    return inputs


def _parts(
    dx: Array | None, dgamma: Array, dbeta: Array, gamma: TensorLike | None, beta: TensorLike | None
) -> list[Array | None]:
    """The gradients of those inputs that are there."""
    return [dx, *([] if gamma is None else [dgamma]), *([] if beta is None else [dbeta])]
