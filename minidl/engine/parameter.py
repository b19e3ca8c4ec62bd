"""Parameter: a tensor that a layer learns, and that an optimizer may change."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from minidl.engine.array import Array, describe, read_only
from minidl.engine.tensor import Tensor, plain_array


class Parameter(Tensor):
    """A tensor that a layer learns: it requires a gradient, and an optimizer may change it.

    Change it by `parameter.data = array` (same shape and dtype) or by an optimizer. Each raises `version`,
    and a tape refuses to run backward through a version older than the present one. An optimizer writes into
    the array that `data` shows: copy it to compare it later.

    Example:
        >>> weight = Parameter(np.zeros((2, 3), np.float32))
        >>> weight.data = weight.data + 1
        >>> weight.version
        1

    """

    __slots__ = ("_drawn", "_writable")

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(_unshared(plain_array(data)), requires_grad)
        self._writable: Array | None = None
        self._drawn = False

    @property
    def data(self) -> Array:
        """The array, as a read-only view; assign to it to replace the values."""
        return self._data

    @data.setter
    def data(self, new: Any) -> None:
        array = np.asarray(new)
        if array.shape != self.shape or array.dtype != self.dtype:
            raise ValueError(
                f"parameter.data expects an array {self.shape} of {self.dtype}, got {describe(array)}: "
                f"a parameter keeps its shape and dtype (model.astype changes the dtype)"
            )
        self._replace(_unshared(array))

    def _replace(self, array: Array) -> None:
        self._data = read_only(array)
        self._writable = None
        self._drawn = False
        self.version += 1

    def draw(self, values: Any) -> None:
        """Start from new values, converted to this dtype; the gradient is forgotten."""
        self.data = np.array(values, dtype=self.dtype)
        self._grad = None
        self._drawn = True

    @property
    def is_drawn(self) -> bool:
        """Whether it still has the values that it was started from: neither trained, nor loaded, nor set."""
        return self._drawn

    def astype(self, dtype: npt.DTypeLike) -> None:
        """Convert the values to float32 or float64, in place, and drop the gradient."""
        drawn = self._drawn
        self._replace(np.array(self._data, dtype=np.dtype(dtype)))
        self._drawn = drawn
        self._grad = None

    def writable(self) -> Array:
        """The parameter's own array, to be written into; raises `version`. For optimizers.

        An array that came from the user is copied the first time, so that training never writes into it.
        """
        if self._writable is None:
            self._writable = self._data.copy()
            self._data = read_only(self._writable)
        self._drawn = False
        self.version += 1
        return self._writable

    def __reduce__(self) -> tuple[Any, ...]:
        return *super().__reduce__(), {"version": self.version, "drawn": self._drawn}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.version = state["version"]
        self._drawn = state["drawn"]


def _unshared(array: Array) -> Array:
    # A locked array may be another parameter's, which an optimizer goes on changing under it.
    return array if array.flags.writeable else array.copy()
