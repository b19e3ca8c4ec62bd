"""A1, the tape: the model solution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Record:
    op: str
    inputs: tuple[int, ...]
    output: int
    vjp: Callable[[Array], tuple[Array, ...]] | None = None
    jvp: Callable[..., Array] | None = None


class Tape:
    def __init__(self) -> None:
        self.values: list[Array] = []
        self.records: list[Record] = []

    def leaf(self, array: Array) -> int:
        self.values.append(np.array(array, dtype=np.float64))
        return len(self.values) - 1

    def record(
        self,
        op: str,
        inputs: tuple[int, ...],
        array: Array,
        vjp: Callable[[Array], tuple[Array, ...]] | None = None,
        jvp: Callable[..., Array] | None = None,
    ) -> int:
        for i in inputs:
            if not 0 <= i < len(self.values):
                raise ValueError(f"{op}: {i} is no value on this tape, it has {len(self.values)}")
        output = len(self.values)
        self.values.append(np.asarray(array, dtype=np.float64))
        self.records.append(Record(op, tuple(inputs), output, vjp, jvp))
        return output


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    added = g.ndim - len(shape)
    g = g.sum(axis=tuple(range(added)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=True)


def vjp_add(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    return unbroadcast(g, a.shape), unbroadcast(g, b.shape)


def vjp_multiply(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    return unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)


def vjp_matmul(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    return g @ b.T, a.T @ g


def vjp_sigmoid(g: Array, y: Array) -> tuple[Array]:
    return (g * y * (1 - y),)


def vjp_sum(g: Array, a: Array, axis: int | None) -> tuple[Array]:
    if axis is not None:
        g = np.expand_dims(g, axis)
    return (np.broadcast_to(g, a.shape).copy(),)


def backward(records: Sequence[Record], values: Sequence[Array], output: int, g: Array) -> list[Array]:
    gradients: list[Array | None] = [None] * len(values)
    gradients[output] = g
    for record in reversed(records):
        upstream = gradients[record.output]
        if upstream is None:
            continue
        for i, part in zip(record.inputs, record.vjp(upstream), strict=True):
            gradients[i] = part if gradients[i] is None else gradients[i] + part
    return [np.zeros(np.shape(v)) if d is None else d for d, v in zip(gradients, values, strict=True)]


def jvp_add(da: Array, db: Array, a: Array, b: Array) -> Array:
    return da + db


def jvp_multiply(da: Array, db: Array, a: Array, b: Array) -> Array:
    return da * b + a * db


def jvp_matmul(da: Array, db: Array, a: Array, b: Array) -> Array:
    return da @ b + a @ db


def jvp_sigmoid(dx: Array, y: Array) -> Array:
    return dx * y * (1 - y)


def jvp_sum(da: Array, axis: int | None) -> Array:
    return da.sum(axis)


def forward_mode(
    records: Sequence[Record], values: Sequence[Array], seeds: Mapping[int, Array]
) -> list[Array]:
    tangents = [np.zeros(np.shape(v)) for v in values]
    for i, seed in seeds.items():
        tangents[i] = seed
    for record in records:
        tangents[record.output] = record.jvp(*(tangents[i] for i in record.inputs))
    return tangents


# ---- Given: operations that compute and record, made of your pieces ----------------------------------------


def add(tape: Tape, a: int, b: int) -> int:
    x, y = tape.values[a], tape.values[b]
    return tape.record(
        "add", (a, b), x + y, lambda g: vjp_add(g, x, y), lambda dx, dy: jvp_add(dx, dy, x, y)
    )


def multiply(tape: Tape, a: int, b: int) -> int:
    x, y = tape.values[a], tape.values[b]
    return tape.record(
        "multiply", (a, b), x * y, lambda g: vjp_multiply(g, x, y), lambda dx, dy: jvp_multiply(dx, dy, x, y)
    )


def matmul(tape: Tape, a: int, b: int) -> int:
    x, y = tape.values[a], tape.values[b]
    return tape.record(
        "matmul", (a, b), x @ y, lambda g: vjp_matmul(g, x, y), lambda dx, dy: jvp_matmul(dx, dy, x, y)
    )


def sigmoid(tape: Tape, a: int) -> int:
    y = 1 / (1 + np.exp(-tape.values[a]))
    return tape.record("sigmoid", (a,), y, lambda g: vjp_sigmoid(g, y), lambda dx: jvp_sigmoid(dx, y))


def sum_all(tape: Tape, a: int) -> int:
    x = tape.values[a]
    return tape.record("sum", (a,), x.sum(), lambda g: vjp_sum(g, x, None), lambda dx: jvp_sum(dx, None))
