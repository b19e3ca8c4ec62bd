"""What becomes a float array and what doesn't: the one rule for everything that a user hands in."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

FLOATS = frozenset((np.dtype(np.float32), np.dtype(np.float64)))     # the dtypes of tensors


def as_array(value: Any, dtype: np.dtype[Any] | None = None) -> Array:
    """A float array: float32 and float64 arrays as they are, everything else that is a number as float32.

    Args:
        value: array of any shape, nested lists, or a number.
        dtype: float32 or float64, converted to in one step: 0.1 has other digits by way of float32.

    Raises:
        TypeError: if it isn't made of real numbers, or has a mask.

    """
    if isinstance(value, np.ndarray | np.generic):
        if hasattr(value, "mask") and np.ma.is_masked(value):
            raise TypeError(
                f"expected an array without a mask, got {describe(value)} with masked elements: "
                f"say what stands for them, a.filled(value)"
            )
        array = np.asarray(value)
        if dtype is None and array.dtype.kind == "f" and array.dtype.itemsize >= 8:
            dtype = np.dtype(np.float64)    # long double and other byte orders too
    elif hasattr(value, "__array__"):
        return as_array(np.asarray(value), dtype)
    elif hasattr(value, "__dlpack__"):
        return as_array(np.from_dlpack(value), dtype)
    else:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise TypeError(f"expected numbers in rows of equal length, got {describe(value)}") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected real numbers, got {describe(value)}")
    return array.astype(np.float32 if dtype is None else dtype, copy=False)


def describe(value: Any) -> str:
    """What came, in a few words, for error messages."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"shape {value.shape} of {value.dtype}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def norm(array: Array) -> float:
    """The 2-norm of all elements.

    In float64: a sum of squares in float32 overflows from 2e19 on, underflows from 1e-23 down, and loses
    digits long before. What has overflowed already is to be seen, not warned of.

    Example:
        >>> f"{norm(np.array([3e30, 4e30], np.float32)):.3g}"
        '5e+30'

    """
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(array.astype(np.float64, copy=False)))


def read_only(array: Array) -> Array:
    """A view that can't be written through; the array itself stays as it was."""
    view = array.view()
    view.setflags(write=False)
    return view
