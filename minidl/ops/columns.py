"""Sums down the columns of a matrix (m, features): what the statistics and gradients per feature are made of.

A column of 16 features is a slow thing to add down: short rows, and in float32 a running sum that forgets its
small terms. So several rows lie side by side in one wide row, and wide rows are added in blocks: each running
sum has few terms, and the same ones however many threads there are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from minidl.engine.array import Array, read_only
from minidl.engine.blocks import BLOCK, map_blocks

T = TypeVar("T")

WIDTH = 2048        # numbers in a wide row, about: half of it is slower, and twice as much isn't faster
FEW_ROWS = 256      # up to so many, rows aren't worth laying side by side


def column_sums(rows: Array) -> Array:
    """Σ down each column: (m, features) to (features,)."""
    if len(rows) <= FEW_ROWS:
        return add_down(rows)
    return block_sums(lambda block: (add_down(block),), rows)[0]


def add_down(block: Array) -> Array:
    """Σ down each column of one block: as a product with ones, two or three times as fast as a reduction."""
    sums: Array = np.dot(_ones(len(block), block.dtype), block)
    return sums


def block_sums(sums: Callable[..., tuple[Array, ...]], *arrays: Array) -> tuple[Array, ...]:
    """Call `sums` on wide blocks of matrices of one shape (m, features); add up what it returns.

    Args:
        sums: takes blocks (r, width), returns arrays (width,).
        arrays: (m, features) each.

    Returns:
        (features,) for each array that `sums` returns.

    """
    return tuple([np.add.reduce(groups, axis=0) for groups in column_groups(sums, *arrays)])


def column_groups(function: Callable[..., tuple[Array, ...]], *arrays: Array) -> list[Array]:
    """Call `function` on wide blocks of matrices of one shape (m, features).

    Args:
        function: takes blocks (r, width), returns arrays (width,): a result for each column of the block.
        arrays: (m, features) each.

    Returns:
        (groups, features) for each array that `function` returns: a column of a block is a group.

    """
    m, features = arrays[0].shape
    parts = _map_wide(function, *arrays)
    groups = len(parts) * _side_by_side(m, features)
    return [np.concatenate(results).reshape(groups, features) for results in zip(*parts, strict=True)]


def by_blocks(compute: Callable[..., None], *arrays: Array) -> Array:
    """Call `compute(*blocks, out)` on wide blocks of matrices of one shape; returns the whole `out`."""
    out = np.empty(arrays[0].shape, arrays[0].dtype)
    _map_wide(compute, *arrays, out)
    return out


def _map_wide(function: Callable[..., T], *arrays: Array) -> list[T]:
    """Call `function` on blocks of wide rows of matrices of one shape (m, features); results in order."""
    m, features = arrays[0].shape
    r = _side_by_side(m, features)
    if r == 1 and arrays[0].size <= BLOCK:
        return [function(*arrays)]
    wide = [a.reshape(-1, r * features) for a in arrays]
    size = max(1, BLOCK // (r * features))
    return map_blocks(lambda start, stop: function(*[a[start:stop] for a in wide]), m // r, size)


def is_one_block(rows: Array) -> bool:
    """Whether they are so few that all are one block, and none lies beside another."""
    return rows.size <= BLOCK and _side_by_side(*rows.shape) == 1


def tiled(vector: Array, rows: Array) -> Array:
    """A vector (features,) as long as one of the wide rows of (m, features)."""
    r = _side_by_side(*rows.shape)
    return vector if r == 1 else np.tile(vector, r)


@lru_cache(maxsize=64)
def _ones(count: int, dtype: np.dtype[Any]) -> Array:
    return read_only(np.ones(count, dtype))


@lru_cache(maxsize=1024)
def _side_by_side(m: int, features: int) -> int:
    """How many rows lie side by side: the largest divisor of m that makes a row no wider than WIDTH."""
    if m <= FEW_ROWS or not features:
        return 1
    most = max(1, min(m, WIDTH // features))
    return next(r for r in range(most, 0, -1) if m % r == 0)
