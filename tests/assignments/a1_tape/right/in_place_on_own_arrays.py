"""Adds in place, but only to arrays that nobody else holds; long double inside."""

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
    padded = (1,) * (g.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, n in enumerate(padded) if n == 1)
    return g.astype(np.longdouble).sum(axis=axes).reshape(shape).astype(np.float64)


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
    gradients = [None] * len(values)
    gradients[output] = np.array(g, dtype=np.float64)
    for r in reversed(records):
        if gradients[r.output] is None:
            continue
        for i, part in zip(r.inputs, r.vjp(gradients[r.output]), strict=True):
            if gradients[i] is None:
                gradients[i] = np.array(part, dtype=np.float64)
            else:
                np.add(gradients[i], part, out=gradients[i])
    return [np.zeros(np.shape(v)) if d is None else d for d, v in zip(gradients, values, strict=True)]


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
