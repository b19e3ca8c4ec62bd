"""Batch normalization's arithmetic on plain matrices (m, features): statistics, and maps of each feature."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from minidl.engine.array import Array
from minidl.ops.columns import add_down, average_down, block_sums, by_blocks, column_sums, is_one_block, tiled

# (rows, mean, rest): rows - mean - rest, where `rest` is what the rounding of the mean left, so that the
# difference loses no digits. It is cheaper to compute again than to keep, but for few rows: there `rows` are
# the distances themselves, with None for mean and rest.
Distances: TypeAlias = "tuple[Array, Array | None, Array | None]"


def batch_statistics(rows: Array) -> tuple[Distances, Array, Array]:
    """The distances from the mean, mean and biased variance of (m, features).

    E[x²] - E[x]² would cancel. So a value near the mean comes first, and then the squares about that value.
    The mean of the distances from it, the rest, corrects both (Chan, Golub & LeVeque 1983, "Algorithms for
    computing the sample variance": shifted data, and the corrected two-pass algorithm).
    """
    m = len(rows)
    if is_one_block(rows):
        near = rows[0]
        centred = rows - near
        rest = average_down(centred)
        centred -= rest
        return (centred, None, None), near + rest, average_down(centred * centred)
    near = column_sums(rows) / m
    # Sums are rounded. Of a constant column the distances shall be 0, so there its first value is the mean.
    near = np.where(abs(near - rows[0]) <= 1e-4 * abs(near), rows[0], near)
    rest, var = _moments_about(near, rows)
    # An outlier after all, 10 standard deviations away: then var is what two large numbers left.
    far = rest * rest > 100 * var
    if far.any():
        near = np.where(far, (near + rest).astype(rows.dtype), near)
        rest, var = _moments_about(near, rows)
    mean = (near + rest).astype(rows.dtype)
    var = np.maximum(var, 0).astype(rows.dtype)
    return (rows, mean, (near - mean.astype(np.float64) + rest).astype(rows.dtype)), mean, var


def _moments_about(near: Array, rows: Array) -> tuple[Array, Array]:
    """How far the mean of each column is from a value near it, and the variance; in float64."""
    wide_near = tiled(near, rows)

    def sums(block: Array) -> tuple[Array, Array]:
        centred = block - wide_near
        return add_down(centred), add_down(np.multiply(centred, centred, out=centred))

    rest, square = [total / len(rows) for total in block_sums(sums, rows)]
    return rest, square - rest * rest


def affine(distances: Distances, scale: Array, shift: Array | None) -> Array:
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


def blend(g: Array, distances: Distances, scale: Array, share: Array, shift: Array) -> Array:
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


def sums_along(g: Array, distances: Distances) -> tuple[Array, Array]:
    """Σ g and Σ g·(rows - mean - rest) down the columns."""
    rows, mean, rest = distances
    if mean is None:
        return add_down(g), add_down(g * rows)
    wide_mean = tiled(mean, rows)

    def sums(g: Array, block: Array) -> tuple[Array, Array]:
        products = block - wide_mean
        products *= g
        return add_down(g), add_down(products)

    total, along = [total.astype(rows.dtype) for total in block_sums(sums, g, rows)]
    return total, along if rest is None else along - rest * total
