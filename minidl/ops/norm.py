"""Normalisation: batch normalization in training and at test time, layer and group normalization.

Features lie on the last axis everywhere, so one op serves dense and convolutional layers: it normalises over
every axis but the last, for feature maps m' = m·p·q values each (Ioffe & Szegedy 2015, section 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minidl.engine.arguments import tensors
from minidl.engine.array import Array
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike


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
    mean, var, x_hat = batch_statistics(rows)
    inverse = 1 / np.sqrt(var + x.dtype.type(eps))
    x_hat *= inverse
    scale = inverse if gamma is None else inverse * inputs[1].data
    y = _affine(x_hat, inputs, gamma, beta)

    def vjp(g: Array) -> list[Array | None]:
        # The six lines of section 3 in one: mean and variance depend on every x_i, which takes away from g
        # its mean and its share along x̂.   dx_i = gamma / √(var + eps) · (g_i - mean(g) - x̂_i · mean(g · x̂))
        g = g.reshape(rows.shape)
        dbeta = _column_sums(g)
        dgamma = _column_dots(g, x_hat)
        dx = None
        if x.requires_grad:
            dx = x_hat * (dgamma / -m)
            dx += g
            dx -= dbeta / m
            dx *= scale
            dx = dx.reshape(x.shape)
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
    x_hat = rows - mean.astype(x.dtype)
    x_hat *= inverse
    scale = inverse if gamma is None else inverse * inputs[1].data
    y = _affine(x_hat, inputs, gamma, beta)

    def vjp(g: Array) -> list[Array | None]:
        g = g.reshape(rows.shape)
        dx = (g * scale).reshape(x.shape) if x.requires_grad else None
        return _parts(dx, _column_dots(g, x_hat), _column_sums(g), gamma, beta)

    return record("batch_norm_inference", y.reshape(x.shape), inputs, vjp)


def batch_statistics(rows: Array) -> tuple[Array, Array, Array]:
    """Mean, biased variance and centred copy of rows (m, features), by the corrected two-pass algorithm.

    E[x²] - E[x]² would cancel, and in float32 even the mean of 10,000 ± 1 is off by hundredths. So the mean
    of the centred values, nearly 0 and therefore precise, corrects the first (Chan, Golub & LeVeque 1983).
    """
    m = len(rows)
    mean = _column_sums(rows) / m
    centred = rows - mean
    correction = _column_sums(centred) / m
    mean += correction
    centred -= correction
    var = _column_dots(centred, centred) / m
    return mean, var, centred


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
    y = _affine(x_hat.reshape(shape), inputs, gamma, beta)

    def vjp(g: Array) -> list[Array | None]:
        g = g.reshape(shape)
        h = (g * scale).reshape(grouped)
        mean = np.mean(h, axis=axes, keepdims=True)
        along = np.mean(h * x_hat, axis=axes, keepdims=True)
        dx = inverse * (h - mean - x_hat * along)
        dgamma, dbeta = _column_dots(g, x_hat.reshape(shape)), _column_sums(g)
        return _parts(dx.reshape(x.shape), dgamma, dbeta, gamma, beta)

    return record(name, y.reshape(x.shape), inputs, vjp)


def _rows(x: Tensor) -> Array:
    """The array as (m', features)."""
    return x.data.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _inputs(
    name: str, x: TensorLike, gamma: TensorLike | None, beta: TensorLike | None
) -> tuple[Tensor, ...]:
    inputs = tensors(name, *[t for t in (x, gamma, beta) if t is not None])
    x = inputs[0]
    if x.ndim < 2 or any(t.shape != x.shape[-1:] for t in inputs[1:]):
        shapes = ", ".join(str(t.shape) for t in inputs)
        raise ValueError(f"{name} expects x (batch, ..., features), gamma and beta (features,), got {shapes}")
    return inputs


def _affine(
    x_hat: Array, inputs: tuple[Tensor, ...], gamma: TensorLike | None, beta: TensorLike | None
) -> Array:
    y = x_hat.copy() if gamma is None else x_hat * inputs[1].data
    if beta is not None:
        y += inputs[-1].data
    return y


def _parts(
    dx: Array | None, dgamma: Array, dbeta: Array, gamma: TensorLike | None, beta: TensorLike | None
) -> list[Array | None]:
    """The gradients of those inputs that are there."""
    return [dx, *([] if gamma is None else [dgamma]), *([] if beta is None else [dbeta])]


def _column_sums(rows: Array) -> Array:
    return _down_columns(lambda a: np.add.reduce(a, axis=0), rows)


def _column_dots(a: Array, b: Array) -> Array:
    """Σ a·b down each column, without the array of the products."""
    return _down_columns(lambda a, b: np.einsum("ij,ij->j", a, b), a, b)


def _down_columns(reduce: Callable[..., Array], *arrays: Array) -> Array:
    """A sum down the columns of (m, features), with several rows side by side in one.

    Few long rows are faster to add than many short ones, and more precise: each running sum has fewer terms.
    """
    m, features = arrays[0].shape
    side_by_side = max(1, min(m, 2048 // max(1, features)))
    whole = m - m % side_by_side
    wide = reduce(*[a[:whole].reshape(-1, side_by_side * features) for a in arrays])
    sums: Array = np.add.reduce(wide.reshape(side_by_side, features), axis=0)
    if whole < m:
        sums += reduce(*[a[whole:] for a in arrays])
    return sums
