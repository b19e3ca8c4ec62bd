"""Loops over elements wherever there is an array."""

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
    out = np.zeros(shape)
    added = g.ndim - len(shape)
    for index in np.ndindex(g.shape):
        place = tuple(0 if n == 1 else i for i, n in zip(index[added:], shape, strict=True))
        out[place] += g[index]
    return out


def vjp_add(g, a, b):
    return unbroadcast(g, a.shape), unbroadcast(g, b.shape)


def vjp_multiply(g, a, b):
    da, db = np.zeros(a.shape), np.zeros(b.shape)
    for index in np.ndindex(g.shape):
        at, bt = _place(index, a.shape), _place(index, b.shape)
        da[at] += g[index] * b[bt]
        db[bt] += g[index] * a[at]
    return da, db


def _place(index, shape):
    return tuple(0 if n == 1 else i for i, n in zip(index[len(index) - len(shape):], shape, strict=True))


def vjp_matmul(g, a, b):
    da, db = np.zeros(a.shape), np.zeros(b.shape)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]):
                da[i, k] += g[i, j] * b[k, j]
                db[k, j] += g[i, j] * a[i, k]
    return da, db


def vjp_sigmoid(g, y):
    dx = np.empty(y.shape)
    for index in np.ndindex(y.shape):
        dx[index] = g[index] * y[index] * (1 - y[index])
    return (dx,)


def vjp_sum(g, a, axis):
    da = np.empty(a.shape)
    for index in np.ndindex(a.shape):
        da[index] = g[()] if axis is None else g[index[:axis] + index[axis + 1:]]
    return (da,)


def backward(records, values, output, g):
    gradients = [np.zeros(np.shape(v)) for v in values]
    gradients[output] = gradients[output] + g
    reached = {output}
    for r in records[::-1]:
        if r.output in reached:
            for i, part in zip(r.inputs, r.vjp(gradients[r.output]), strict=True):
                gradients[i] = gradients[i] + part
                reached.add(i)
    return gradients


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
