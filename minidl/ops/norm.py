"""Normalisation: batch normalization in training and at test time, layer and group normalization.

Features lie on the last axis everywhere, so one op serves dense and convolutional layers: it normalises over
every axis but the last, for feature maps m' = m·p·q values each (Ioffe & Szegedy 2015, section 3.2).
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from minidl.engine.arguments import tensors
from minidl.engine.array import Array
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike
from minidl.ops.columns import (
    add_down,
    block_sums,
    by_blocks,
    column_groups,
    column_sums,
    is_one_block,
    tiled,
)


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
    y = _affine(distances, scale, None if beta is None else inputs[-1].data)

    def vjp(g: Array) -> list[Array | None]:
        # The six lines of section 3 in one: mean and variance depend on every x_i, which takes away from g
        # its mean and its share along x̂.   dx_i = gamma / √(var + eps) · (g_i - mean(g) - x̂_i · mean(g · x̂))
        g = g.reshape(rows.shape)
        dbeta, along = _sums_along(g, distances)
        dgamma = inverse * along
        dx = None
        if x.requires_grad:
            dx = _blend(g, distances, scale, inverse * dgamma / -m, dbeta / -m).reshape(x.shape)
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
    y = _affine(distances, scale, None if beta is None else inputs[-1].data)

    def vjp(g: Array) -> list[Array | None]:
        g = g.reshape(rows.shape)
        dx = (g * scale).reshape(x.shape) if x.requires_grad else None
        dbeta, along = _sums_along(g, distances)
        return _parts(dx, inverse * along, dbeta, gamma, beta)

    return record("batch_norm_inference", y.reshape(x.shape), inputs, vjp)


# (rows, mean, rest): rows - mean - rest, where `rest` is what the rounding of the mean left, so that the
# difference loses no digits. It is cheaper to compute again than to keep, but for few rows: there `rows` are
# the distances themselves, with None for mean and rest.
Distances: TypeAlias = "tuple[Array, Array | None, Array | None]"


def batch_statistics(rows: Array) -> tuple[Distances, Array, Array]:
    """The distances from the mean, mean and biased variance of (m, features).

    E[x²] - E[x]² would cancel, and a running sum of 73,728 numbers in float32 has forgotten half of them. So
    the columns are taken in groups, short and in the cache, and of each the mean and the squares about it.
    The groups' squares, and those of their distances from the common mean, add up to the variance
    (Chan, Golub & LeVeque 1983).
    """
    m = len(rows)
    if is_one_block(rows):
        pivot, rest, centred = _about_a_pivot(rows)
        centred -= rest
        return (centred, None, None), pivot + rest, add_down(centred * centred) / m
    pivots, rests, squares, counts = column_groups(_moments, rows)
    means = pivots.astype(np.float64) + rests       # so few of them that float64 costs nothing
    common = np.add.reduce(counts * means, axis=0) / m
    means -= common
    between = np.einsum("ij,ij,ij->j", counts, means, means)
    var = (np.add.reduce(squares, axis=0, dtype=np.float64) + between) / m
    mean = common.astype(rows.dtype)
    rest = (common - mean).astype(rows.dtype)
    return (rows, mean, rest), mean + rest, var.astype(rows.dtype)


def _moments(block: Array) -> tuple[Array, Array, Array, Array]:
    """Of each column a value in it, how far the mean is from that, the squares about the mean, the length."""
    n, width = block.shape
    pivot, rest, centred = _about_a_pivot(block)
    centred -= rest     # not Σ centred² - n·rest²: where the value is an outlier, that cancels
    return pivot, rest, np.einsum("ij,ij->j", centred, centred), np.full(width, n)


def _about_a_pivot(block: Array) -> tuple[Array, Array, Array]:
    """Of each column a value in it, how far the mean is from that, and how far all values are.

    The distances from a value of the column are as small as its spread, so their sum is precise; and of a
    constant column they are 0.
    """
    pivot = block[0]
    centred = block - pivot
    return pivot, add_down(centred) / len(block), centred


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


def _affine(distances: Distances, scale: Array, shift: Array | None) -> Array:
    """Computes (rows - mean - rest) · scale + shift."""
    rows, mean, rest = distances
    if rest is not None:        # a vector's work instead of a matrix's
        shift = -rest * scale if shift is None else shift - rest * scale
    wide_mean = None if mean is None else tiled(mean, rows)
    wide_shift = None if shift is None else tiled(shift, rows)
    wide_scale = tiled(scale, rows)

    def compute(block: Array, out: Array) -> None:
        np.multiply(_centred(block, wide_mean, out), wide_scale, out=out)
        if wide_shift is not None:
            out += wide_shift

    return by_blocks(compute, rows)


def _centred(block: Array, mean: Array | None, out: Array) -> Array:
    return block if mean is None else np.subtract(block, mean, out=out)


def _blend(g: Array, distances: Distances, scale: Array, share: Array, shift: Array) -> Array:
    """Computes scale · (g + share · (rows - mean - rest) + shift)."""
    rows, mean, rest = distances
    if rest is not None:
        shift = shift - rest * share
    wide_mean = None if mean is None else tiled(mean, rows)
    wide_scale, wide_share, wide_shift = [tiled(v, rows) for v in (scale, share, shift)]

    def compute(g: Array, block: Array, out: Array) -> None:
        np.multiply(_centred(block, wide_mean, out), wide_share, out=out)
        out += g
        out += wide_shift
        out *= wide_scale

    return by_blocks(compute, g, rows)


def _sums_along(g: Array, distances: Distances) -> tuple[Array, Array]:
    """Σ g and Σ g·(rows - mean - rest) down the columns."""
    rows, mean, rest = distances
    if mean is None:
        return add_down(g), add_down(g * rows)
    wide_mean = tiled(mean, rows)
    total, along = block_sums(
        lambda g, block: (add_down(g), np.einsum("ij,ij->j", g, block - wide_mean)), g, rows
    )
    return total, along if rest is None else along - rest * total


def _parts(
    dx: Array | None, dgamma: Array, dbeta: Array, gamma: TensorLike | None, beta: TensorLike | None
) -> list[Array | None]:
    """The gradients of those inputs that are there."""
    return [dx, *([] if gamma is None else [dgamma]), *([] if beta is None else [dbeta])]
