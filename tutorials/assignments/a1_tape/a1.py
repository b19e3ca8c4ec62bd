"""A1, the tape: your submission. Fill in the functions that raise NotImplementedError; leave their names.

Arrays are NumPy arrays of float64. What stands between the tasks (Record, and the ops at the end) is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Record:
    """One operation on the tape. Given: nothing to do here.

    Attributes:
        op: the operation's name, such as "multiply".
        inputs: the numbers of the values that it was computed from. A number may stand there twice.
        output: the number of the value that it computed.
        vjp: takes the gradient of the output; returns a tuple with one gradient for each input.
        jvp: takes one tangent for each input; returns the tangent of the output.

    """

    op: str
    inputs: tuple[int, ...]
    output: int
    vjp: Callable[[Array], tuple[Array, ...]] | None = None
    jvp: Callable[..., Array] | None = None


# ---- Task 1: a tape that records ---------------------------------------------------------------------------


class Tape:
    """A list of values and a list of records, both in the order of execution.

    Attributes:
        values: the arrays, float64; the number of a value is its place in this list, from 0.
        records: the records.

    """

    def __init__(self) -> None:
        self.values: list[Array] = []
        self.records: list[Record] = []

    def leaf(self, array: Array) -> int:
        """Put an array on the tape that no operation computed: data, or a parameter.

        Args:
            array: an array, a list or a number, of any dtype. The tape keeps a float64 copy of its own.

        Returns:
            the number of the new value.

        """
        raise NotImplementedError("A1, task 1: Tape.leaf")

    def record(
        self,
        op: str,
        inputs: tuple[int, ...],
        array: Array,
        vjp: Callable[[Array], tuple[Array, ...]] | None = None,
        jvp: Callable[..., Array] | None = None,
    ) -> int:
        """Put the result of an operation on the tape, and a Record of the operation.

        Args:
            op: the operation's name.
            inputs: the numbers of the values that it was computed from.
            array: the result. The tape keeps it as float64.
            vjp: see Record.
            jvp: see Record.

        Returns:
            the number of the new value.

        Raises:
            ValueError: an input that is no number of a value on this tape. The tape stays as it was.

        """
        raise NotImplementedError("A1, task 1: Tape.record")


# ---- Task 2: vector-Jacobian products ----------------------------------------------------------------------


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient back to the shape that an operand had before it was broadcast.

    Args:
        g: the gradient of the broadcast operand.
        shape: of the operand itself; it can be broadcast to g.shape.

    Returns:
        an array of that shape: each element is the sum of all elements of g that are copies of it.

    """
    raise NotImplementedError("A1, task 2: unbroadcast")


def vjp_add(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """The gradients of a and of b from the gradient g of a + b; a and b may be broadcast."""
    raise NotImplementedError("A1, task 2: vjp_add")


def vjp_multiply(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """The gradients of a and of b from the gradient g of a * b (elementwise); a and b may be broadcast."""
    raise NotImplementedError("A1, task 2: vjp_multiply")


def vjp_matmul(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """The gradients of a and of b from the gradient g of a @ b: g is (n, k), a is (n, m), b is (m, k)."""
    raise NotImplementedError("A1, task 2: vjp_matmul")


def vjp_sigmoid(g: Array, y: Array) -> tuple[Array]:
    """The gradient of x from the gradient g of y = 1 / (1 + exp(-x)), as a tuple of one array.

    Only y is given, not x.
    """
    raise NotImplementedError("A1, task 2: vjp_sigmoid")


def vjp_sum(g: Array, a: Array, axis: int | None) -> tuple[Array]:
    """The gradient of a from the gradient g of a.sum(axis).

    Args:
        g: of the shape of a.sum(axis): no axes at all where axis is None.
        a: what was summed.
        axis: the axis that was summed over, from 0; None for all of them.

    Returns:
        a tuple with one array of a's shape.

    """
    raise NotImplementedError("A1, task 2: vjp_sum")


# ---- Task 3: backward --------------------------------------------------------------------------------------


def backward(records: Sequence[Record], values: Sequence[Array], output: int, g: Array) -> list[Array]:
    """Walk the records backwards and collect the gradients of one value with respect to all values.

    It asks each record's vjp at most once, works for 10,000 records in a chain, and changes neither its
    arguments nor any array that a vjp returned.

    Args:
        records: in the order of execution.
        values: the values by number; only their shapes matter here.
        output: the number of the value that the gradients are those of (the loss).
        g: the gradient to start with, of the output's shape.

    Returns:
        one gradient for each value, by number and of the value's shape; zeros where no path leads from the
        value to the output.

    """
    raise NotImplementedError("A1, task 3: backward")


# ---- Task 4: forward mode over the same records ------------------------------------------------------------


def jvp_add(da: Array, db: Array, a: Array, b: Array) -> Array:
    """The tangent of a + b from the tangents da and db of a and b. It has the shape of a + b."""
    raise NotImplementedError("A1, task 4: jvp_add")


def jvp_multiply(da: Array, db: Array, a: Array, b: Array) -> Array:
    """The tangent of a * b (elementwise) from the tangents da and db of a and b."""
    raise NotImplementedError("A1, task 4: jvp_multiply")


def jvp_matmul(da: Array, db: Array, a: Array, b: Array) -> Array:
    """The tangent of a @ b from the tangents da and db of a and b."""
    raise NotImplementedError("A1, task 4: jvp_matmul")


def jvp_sigmoid(dx: Array, y: Array) -> Array:
    """The tangent of y = 1 / (1 + exp(-x)) from the tangent dx of x. Only y is given, not x."""
    raise NotImplementedError("A1, task 4: jvp_sigmoid")


def jvp_sum(da: Array, axis: int | None) -> Array:
    """The tangent of a.sum(axis) from the tangent da of a."""
    raise NotImplementedError("A1, task 4: jvp_sum")


def forward_mode(
    records: Sequence[Record], values: Sequence[Array], seeds: Mapping[int, Array]
) -> list[Array]:
    """Walk the records forwards and push tangents through them: the derivative along one direction.

    Args:
        records: in the order of execution; each has a jvp.
        values: the values by number.
        seeds: the number of a leaf -> its tangent, of the leaf's shape. Other leaves have the tangent zero.

    Returns:
        one tangent for each value, by number and of the value's shape. A value that doesn't depend on a seed
        has zeros.

    """
    raise NotImplementedError("A1, task 4: forward_mode")


# ---- Given: operations that compute and record, made of your pieces ----------------------------------------


def add(tape: Tape, a: int, b: int) -> int:
    """Values number a and b added, on the tape."""
    x, y = tape.values[a], tape.values[b]
    return tape.record(
        "add", (a, b), x + y, lambda g: vjp_add(g, x, y), lambda dx, dy: jvp_add(dx, dy, x, y)
    )


def multiply(tape: Tape, a: int, b: int) -> int:
    """Values number a and b multiplied elementwise, on the tape."""
    x, y = tape.values[a], tape.values[b]
    return tape.record(
        "multiply", (a, b), x * y, lambda g: vjp_multiply(g, x, y), lambda dx, dy: jvp_multiply(dx, dy, x, y)
    )


def matmul(tape: Tape, a: int, b: int) -> int:
    """The matrix product of values number a and b, on the tape."""
    x, y = tape.values[a], tape.values[b]
    return tape.record(
        "matmul", (a, b), x @ y, lambda g: vjp_matmul(g, x, y), lambda dx, dy: jvp_matmul(dx, dy, x, y)
    )


def sigmoid(tape: Tape, a: int) -> int:
    """The logistic sigmoid of value number a, on the tape."""
    y = 1 / (1 + np.exp(-tape.values[a]))
    return tape.record("sigmoid", (a,), y, lambda g: vjp_sigmoid(g, y), lambda dx: jvp_sigmoid(dx, y))


def sum_all(tape: Tape, a: int) -> int:
    """The sum of all elements of value number a, on the tape."""
    x = tape.values[a]
    return tape.record("sum", (a,), x.sum(), lambda g: vjp_sum(g, x, None), lambda dx: jvp_sum(dx, None))
