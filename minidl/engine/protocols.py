"""NumPy's protocols and DLPack: what a tensor answers, so that no gradient is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, NoReturn

import numpy as np

from minidl.engine.array import Array

# ops/operators.py fills this table, once, as it fills that of the operators.
UFUNCS: dict[np.ufunc, Callable[..., Any]] = {}

# NumPy's names for what minidl calls otherwise, for the message that says what to use.
_OTHER_NAMES = {
    "amax": "max", "amin": "min", "dot": "matmul", "hstack": "concatenate", "vstack": "concatenate",
}


def apply_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call the op that stands for a ufunc.

    Raises:
        TypeError: a ufunc, a method or an option that has no op, or an array to write the result into.

    """
    if options.get("out") is not None:
        raise TypeError(f"np.{ufunc.__name__} can't write a tensor into an array: use a = a + t, not a += t")
    op = UFUNCS.get(ufunc)
    if op is None or method != "__call__" or options:
        what = ufunc.__name__ + ("" if method == "__call__" else f".{method}")
        what += f" with {', '.join(options)}" if options else ""
        raise TypeError(
            f"np.{what} has no minidl op, and would drop the gradient: "
            f"build it from minidl.ops, or use np.asarray(t) to leave the tape on purpose"
        )
    return op(*inputs)


def refuse(function: Callable[..., Any], known: Container[str]) -> NoReturn:
    """Raise for a NumPy function, and name the op of minidl, if it is among the known ones."""
    name = _OTHER_NAMES.get(function.__name__, function.__name__)
    fix = f"use minidl.ops.{name}" if name in known else "build it from minidl.ops"
    raise TypeError(
        f"{function.__module__.replace('numpy', 'np')}.{function.__name__} would drop the gradient: "
        f"{fix}, or use np.asarray(t) to leave the tape on purpose"
    )


def export(
    array: Array, *, stream: Any, max_version: tuple[int, int] | None, dl_device: Any, copy: bool | None
) -> Any:
    """A DLPack capsule of a copy; with `copy=False` of the array itself, marked as read-only.

    A copy unless it is forbidden, because PyTorch (2.13) writes through the mark. Consumers of a protocol
    before 1.0, which has no such mark, get a copy or an error.
    """
    if copy is False:
        return array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=False)
    return array.copy().__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device)
