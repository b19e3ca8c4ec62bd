"""A value is finished when all who used it have answered: Kahn's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(slots=True)
class Record:
    op: str
    inputs: tuple
    output: int
    vjp: Any = None
    jvp: Any = None


class Tape:
    def __init__(self):
        self.values, self.records = [], []

    def leaf(self, array):
        self.values.append(np.array(array, dtype=float))
        return len(self.values) - 1

    def record(self, op, inputs, array, vjp=None, jvp=None):
        if any(i not in range(len(self.values)) for i in inputs):
            raise ValueError("not on this tape")
        number = self.leaf(array)
        self.records.append(Record(op, inputs, number, vjp, jvp))
        return number


def unbroadcast(g, shape):
    while np.ndim(g) > len(shape):
        g = g.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def vjp_add(g, a, b):
    return unbroadcast(g, a.shape), unbroadcast(g, b.shape)


def vjp_multiply(g, a, b):
    return unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)


def vjp_matmul(g, a, b):
    return np.dot(g, b.T), np.dot(a.T, g)


def vjp_sigmoid(g, y):
    return (g * (y - y**2),)


def vjp_sum(g, a, axis):
    return (np.ones_like(a) * (g if axis is None else np.expand_dims(g, axis)),)


def backward(records, values, output, g):
    made_by = {r.output: r for r in records}
    waiting, to_visit, seen = {}, [output], {output}
    while to_visit:
        r = made_by.get(to_visit.pop())
        for i in r.inputs if r else ():
            waiting[i] = waiting.get(i, 0) + 1
            if i not in seen:
                seen.add(i)
                to_visit.append(i)
    gradients, ready = {output: g}, [output]
    while ready:
        number = ready.pop()
        r = made_by.get(number)
        if r is None:
            continue
        for i, part in zip(r.inputs, r.vjp(gradients[number]), strict=True):
            gradients[i] = gradients[i] + part if i in gradients else part
            waiting[i] -= 1
            if waiting[i] == 0:
                ready.append(i)
    return [gradients[i] if i in gradients else np.zeros(np.shape(v)) for i, v in enumerate(values)]


def jvp_add(da, db, a, b):
    return np.add(da, db)


def jvp_multiply(da, db, a, b):
    return a * db + b * da


def jvp_matmul(da, db, a, b):
    return a @ db + da @ b


def jvp_sigmoid(dx, y):
    return dx * (1 - y) * y


def jvp_sum(da, axis):
    return np.sum(da, axis=axis)


def forward_mode(records, values, seeds):
    tangents = {}
    for i, v in enumerate(values):
        tangents[i] = np.asarray(seeds[i]) if i in seeds else np.zeros_like(v, dtype=float)
    for r in records:
        tangents[r.output] = r.jvp(*[tangents[i] for i in r.inputs])
    return [tangents[i] for i in range(len(values))]
