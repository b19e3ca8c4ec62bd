"""Sums down the columns of a matrix (m, features): what the statistics and gradients per feature are made of.

A column of 16 features is a slow thing to add down: short rows, and in float32 a running sum that forgets its
small terms. So several rows lie side by side in one wide row, and wide rows are added in blocks: each running
sum has few terms, and the same ones however many threads there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from minidl.engine.array import Array, read_only
from minidl.engine.blocks import BLOCK, block_size, map_blocks

T = TypeVar("T")

WIDTH = 2048        # numbers in a wide row, about: half of it is slower to add down, twice is no faster
LINE = 16384        # in a line of them, about: a vector shorter than its buffer, 8192, NumPy repeats slowly
FEW_ROWS = 256      # up to so many, rows aren't worth laying side by side
MANY_ROWS = 1024    # a running sum of more terms in float32 would forget its small ones


def column_sums(rows: Array) -> Array:
    """Σ down each column: (m, features) to (features,)."""
    if len(rows) <= FEW_ROWS:
        return add_down(rows)
    return block_sums(lambda block: (add_down(block),), rows)[0].astype(rows.dtype)


def add_down(block: Array) -> Array:
    """Σ down each column of one block: as a product with ones, two or three times as fast as a reduction."""
    rows = block.reshape(math.prod(block.shape[:-1]), block.shape[-1])
    if len(rows) > MANY_ROWS:       # a prime number of them, which don't lie side by side
        total: Array = np.add.reduce(rows, axis=0, dtype=np.float64).astype(rows.dtype)
        return total
    sums: Array = np.dot(_all(1.0, len(rows), rows.dtype), rows)
    return sums


def average_down(rows: Array) -> Array:
    """The mean of each column of one block."""
    means: Array = np.dot(_all(1 / len(rows), len(rows), rows.dtype), rows)
    return means


def block_sums(sums: Callable[..., tuple[Array, ...]], *arrays: Array) -> tuple[Array, ...]:
    """Call `sums` on wide blocks of matrices of one shape (m, features); add up what it returns, in float64.

    Args:
        sums: takes blocks (..., width), returns arrays (width,): sums over all axes but the last.
        arrays: (m, features) each.

    Returns:
        (features,) for each array that `sums` returns.

    """
    m, features = arrays[0].shape
    beside, _ = _layout(m, features)
    parts = zip(*_map_wide(sums, *arrays), strict=True)
    totals = [np.add.reduce(part, axis=0, dtype=np.float64) for part in parts]
    return tuple([add_down(total.reshape(beside, features)) for total in totals])


def by_blocks(compute: Callable[..., None], *arrays: Array) -> Array:
    """Call `compute(*blocks, out)` on wide blocks of matrices of one shape; returns the whole `out`."""
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    _map_wide(compute, *arrays, out)
    return out


def _map_wide(function: Callable[..., T], *arrays: Array) -> list[T]:
    """Call `function` on blocks (n, rows in a line, width) of matrices (m, features); results in order."""
    m, features = arrays[0].shape
    numbers = arrays[0].size
    beside, below = _layout(m, features)
    if beside * below == 1 and numbers <= BLOCK:
        return [function(*arrays)]
    lines = [a.reshape(-1, below, beside * features) for a in arrays]
    count = len(lines[0])
    size = block_size(count, numbers)
    return map_blocks(lambda start, stop: function(*[a[start:stop] for a in lines]), count, size, numbers)


def is_one_block(rows: Array) -> bool:
    """Whether they are so few that all are one block, none lies beside another, and a running sum will do."""
    return rows.size <= BLOCK and len(rows) <= MANY_ROWS and _layout(*rows.shape) == (1, 1)


def tiled(vector: Array, rows: Array) -> Array:
    """A vector (features,) as long as a line of the blocks of (m, features): (rows in a line, width)."""
    beside, below = _layout(*rows.shape)
    if beside * below == 1:
        return vector
    line = np.empty((below * beside, len(vector)), vector.dtype)
    line[:] = vector
    return line.reshape(below, -1)


@lru_cache(maxsize=128)
def _all(value: float, count: int, dtype: np.dtype[Any]) -> Array:
    return read_only(np.full(count, value, dtype))


@lru_cache(maxsize=1024)
def _layout(m: int, features: int) -> tuple[int, int]:
    """How many of m rows lie side by side in a wide row, and how many wide rows are a line."""
    if m <= FEW_ROWS or not features:
        return 1, 1
    beside = _divisor(m, WIDTH // features)
    if m * features < BLOCK:        # to tile vectors so far would cost more than it saves
        return beside, 1
    return beside, _divisor(m // beside, LINE // (beside * features))


def _divisor(m: int, most: int) -> int:
    return next(r for r in range(max(1, min(m, most)), 0, -1) if m % r == 0)
