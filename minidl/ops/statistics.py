"""Batch normalization's arithmetic on plain matrices (m, features): statistics, and maps of each feature."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from minidl.engine.array import Array
from minidl.ops.columns import add_down, block_sums, by_blocks, column_groups, is_one_block, tiled

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
    # So few of them that float64 costs nothing; and as far from one value, as small as the spread again.
    origin = pivots[0].astype(np.float64)
    means = pivots - origin + rests
    common = np.add.reduce(counts * means, axis=0) / m
    means -= common
    between = np.einsum("ij,ij,ij->j", counts, means, means)
    var = (np.add.reduce(squares, axis=0, dtype=np.float64) + between) / m
    mean = (origin + common).astype(rows.dtype)
    rest = (origin - mean + common).astype(rows.dtype)
    return (rows, mean, rest), mean, var.astype(rows.dtype)


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
    total, along = block_sums(
        lambda g, block: (add_down(g), np.einsum("ij,ij->j", g, block - wide_mean)), g, rows
    )
    return total, along if rest is None else along - rest * total
