"""Undoing of broadcasts: the one place where a gradient is summed back to its input's shape."""

from __future__ import annotations

import numpy as np

from minidl.engine.array import Array


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which an input was broadcast.

    Example:
        >>> unbroadcast(np.ones((5, 3)), (1, 3))
        array([[5., 5., 5.]])

    """
    if g.shape == shape:
        return g
    added = g.ndim - len(shape)
    stretched = [added + i for i, n in enumerate(shape) if n == 1 and g.shape[added + i] != 1]
    return np.asarray(g.sum(axis=(*range(added), *stretched))).reshape(shape)
