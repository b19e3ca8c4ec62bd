"""Gradients of plain functions: `grad` and `value_and_grad`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.engine.tensor import Tensor


def value_and_grad(f: Callable[..., Tensor], argument: int = 0) -> Callable[..., tuple[float, Array]]:
    """A function that computes the scalar `f(*arguments)` and its gradient with respect to one argument.

    Both are computed on a tape of their own, so `f` can't be one that uses `grad` itself: there are no second
    derivatives.

    Args:
        f: returns a scalar tensor.
        argument: position of the argument to differentiate by: an array or a tensor, taken as a leaf.

    Raises:
        ValueError: in the call, where there is no such argument, or `f` returns no scalar that depends on it.

    Example:
        >>> import numpy as np
        >>> value_and_grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
        (5.0, array([2., 4.]))

    """
    def wrapped(*arguments: Any) -> tuple[float, Array]:
        if not -len(arguments) <= argument < len(arguments):
            raise ValueError(f"grad by argument {argument} got a call with {len(arguments)} arguments")
        given = arguments[argument]
        leaf = Tensor(given.data if isinstance(given, Tensor) else given, requires_grad=True)
        position = argument % len(arguments)
        with Tape() as tape:
            value = f(*arguments[:position], leaf, *arguments[position + 1:])
        (gradient,) = tape.gradients(value, [leaf])
        return value.item(), gradient

    return wrapped


def grad(f: Callable[..., Tensor], argument: int = 0) -> Callable[..., Array]:
    """A function that computes the gradient of the scalar `f(*arguments)` with respect to one argument.

    Example:
        >>> import numpy as np
        >>> grad(lambda x, y: (x * y).sum(), argument=1)(np.array([3.0, 4.0]), np.ones(2))
        array([3., 4.])

    """
    compute = value_and_grad(f, argument)
    return lambda *arguments: compute(*arguments)[1]
