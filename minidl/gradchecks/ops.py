"""The cases of all ops and losses: op, call, shapes of the inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl import losses, ops
from minidl.engine.array import Array

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Both signs, nothing special."""
    return rng.normal(size=shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """From 0.5 to 2: for logarithms, roots, divisors and powers."""
    return rng.uniform(0.5, 2.0, shape)


def apart(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Both signs, no two values closer than 0.07 to each other, or than 0.03 to 0: far from every kink."""
    n = int(np.prod(shape))
    return rng.permutation((np.arange(n) - n // 2 + 0.5) * 0.07).reshape(shape)


@dataclass(frozen=True)
class Case:
    """One call of one op. `draw` makes the inputs, the same way for each or one way for each."""

    op: str
    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    draw: Draw | tuple[Draw, ...] = normal
    note: str = ""

    def inputs(self, seed: int = 0, dtype: Any = np.float64) -> list[Array]:
        """The arrays to call it with."""
        rng = np.random.default_rng([seed, 2])
        draws = self.draw if isinstance(self.draw, tuple) else (self.draw,) * len(self.shapes)
        return [draw(rng, shape).astype(dtype) for draw, shape in zip(draws, self.shapes, strict=True)]

    def __str__(self) -> str:
        shapes = "_".join("x".join(map(str, shape)) or "scalar" for shape in self.shapes)
        return f"{self.op}-{self.note + '-' if self.note else ''}{shapes}"


def _binary(op: str, draw: Draw | tuple[Draw, ...] = normal) -> list[Case]:
    pairs = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (2, 1, 4)), ((), (2, 3)), ((2, 3), ()), ((), ())]
    return [Case(op, getattr(ops, op), pair, draw) for pair in pairs]


def _unary(op: str, draw: Draw = normal) -> list[Case]:
    return [Case(op, getattr(ops, op), (shape,), draw) for shape in ((3, 4), (), (2, 1, 3))]


def _reduction(op: str, draw: Draw = normal, **options: Any) -> list[Case]:
    f = getattr(ops, op)
    ways: list[tuple[Any, bool]] = [(None, False), (0, False), (-1, True), ((0, 2), False), ((1, -1), True)]
    cases = [
        Case(op, lambda x, a=axis, k=keep: f(x, axis=a, keepdims=k, **options), ((2, 3, 4),), draw, f"{axis}")
        for axis, keep in ways
    ]
    return cases if options else [*cases, Case(op, f, ((),), draw)]


CONDITION = np.array([[True, False, True], [False, True, True]])
MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, False, False]])
INDICES: dict[str, Any] = {
    "integer": 1, "negative": -1, "slice": slice(None, None, 2), "reversed": slice(None, None, -1),
    "ellipsis": (..., 1), "new axis": (None, slice(1), None), "scalar": (1, 2), "True": True,
    "list": [0, 0, 2], "nested tuple": ((0, 0, 1),), "range": range(2), "0-d array": np.array(2),
    "array": (slice(None), np.array([[0, 3], [3, 3]])), "mixed": (slice(1, None), [1, 1, 0]),
    "both": (np.array([0, 0, 1]), np.array([2, 2, 2])),
    "mask": MASK, "row mask": np.array([True, False, True]),
    "apart": (np.array([0, 1, 0]), None, np.array([1, 1, 1])),
}
LABELS = np.array([0, 2, 1, 2, 2])
MEAN = np.array([3.0, -2.0, 0.5])
VAR = np.array([4.0, 0.3, 9.0])
TARGETS = np.array([[0.0, 1.0, 0.3], [0.8, 0.0, 1.0]])

POWERS = np.array([0.0, 1.0, 2.0, -1.0])


def zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A target, so that the error is the prediction itself."""
    return np.zeros(shape)


def probabilities(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """From 0.1 to 0.9."""
    return rng.uniform(0.1, 0.9, shape)


ELEMENTWISE = [
    *_binary("add"), *_binary("subtract"), *_binary("multiply"), *_binary("divide", (normal, positive)),
    *_binary("floor_divide", (normal, positive)), *_binary("remainder", (normal, positive)),
    *_binary("power", positive), *_binary("maximum"), *_binary("minimum"),
    *_unary("negative"), *_unary("exp"), *_unary("log", positive), *_unary("sqrt", positive),
    *_unary("abs", apart), *_unary("sigmoid"), *_unary("tanh"), *_unary("relu", apart), *_unary("gelu"),
    *_unary("leaky_relu", apart),
    Case("leaky_relu", lambda x: ops.leaky_relu(x, 0.3), ((3, 4),), apart, "slope"),
    Case("power", lambda x: ops.power(x, 3), ((3, 4),), normal, "cube of both signs"),
    Case("power", lambda x: ops.power(x, -2), ((3, 4),), positive, "inverse square"),
    Case("power", lambda x: ops.power(x, POWERS), ((3, 4),), positive, "each its own"),
    Case("where", lambda x, y: ops.where(CONDITION, x, y), ((2, 3), (2, 3))),
    Case("where", lambda x, y: ops.where(CONDITION, x, y), ((3,), ())),
    Case("where", lambda x, y: ops.where(CONDITION[:, :1], x, y), ((1, 3), (2, 1))),
    Case("clip", lambda x: ops.clip(x, -0.3, 0.2), ((3, 4),), apart),
    Case("clip", lambda x: ops.clip(x, low=0.0), ((3, 4),), apart, "low"),
    Case("clip", lambda x: ops.clip(x, high=0.0), ((),), apart),
]

REDUCTIONS = [
    *_reduction("sum"), *_reduction("mean"), *_reduction("var"), *_reduction("var", ddof=1)[:4],
    *_reduction("max", apart), *_reduction("min", apart), *_reduction("logsumexp"),
    Case("softmax", ops.softmax, ((3, 4),)),
    Case("softmax", lambda x: ops.softmax(x, 0), ((3, 4),), note="axis 0"),
    Case("softmax", lambda x: ops.softmax(x, 1), ((2, 3, 2),), note="axis 1"),
    Case("log_softmax", ops.log_softmax, ((3, 4),)),
    Case("log_softmax", lambda x: ops.log_softmax(x, 0), ((3, 2, 2),), note="axis 0"),
    Case("softmax_cross_entropy", lambda x: ops.softmax_cross_entropy(x, LABELS), ((5, 3),)),
    Case("softmax_cross_entropy", lambda x: ops.softmax_cross_entropy(x, LABELS, 0.1), ((5, 3),), note="0.1"),
]

SHAPES = [
    Case("reshape", lambda x: ops.reshape(x, (4, -1)), ((2, 3, 4),)),
    Case("reshape", lambda x: ops.reshape(x, ()), ((1, 1),)),
    Case("transpose", ops.transpose, ((2, 3, 4),)),
    Case("transpose", lambda x: ops.transpose(x, (2, 0, -2)), ((2, 3, 4),), note="cycle"),
    *[Case("getitem", lambda x, i=i: ops.getitem(x, i), ((3, 4),), note=name) for name, i in INDICES.items()],
    Case("concatenate", lambda x, y: ops.concatenate([x, y]), ((2, 3), (1, 3))),
    Case("concatenate", lambda x, y, z: ops.concatenate([x, y, z], axis=-1), ((2, 3), (2, 1), (2, 2))),
    Case("stack", lambda x, y: ops.stack([x, y]), ((2, 3), (2, 3))),
    Case("stack", lambda x, y, z: ops.stack([x, y, z], axis=-1), ((2,), (2,), (2,))),
    Case("stack", lambda x, y: ops.stack([x, y]), ((), ())),
    Case("pad", lambda x: ops.pad(x, 1), ((2, 3),)),
    Case("pad", lambda x: ops.pad(x, ((0, 2), (1, 0)), value=7.0), ((2, 3),), note="each side"),
    Case("broadcast_to", lambda x: ops.broadcast_to(x, (4, 2, 3)), ((2, 1),)),
    Case("broadcast_to", lambda x: ops.broadcast_to(x, (2, 3)), ((),)),
]

PRODUCTS = {
    "ij,kj->ik": ((2, 3), (4, 3)), "ij->ji": ((2, 3),), "ij->": ((2, 3),), "ij,ij": ((2, 3), (2, 3)),
    "ij,jk": ((2, 3), (3, 2)), "i,j->ij": ((2,), (3,)), "ij,j,k->ik": ((2, 3), (3,), (4,)),
    "...ij,...jk->...ik": ((5, 1, 2, 3), (4, 3, 2)), "...i,i->...": ((2, 2, 3), (3,)),
    "b...,b...->...": ((2, 1, 3), (2, 4, 3)), "ij,jk->k": ((2, 3), (3, 2)), "ij,kj->i": ((2, 3), (4, 1)),
}
LINEAR = [
    *[
        Case("matmul", ops.matmul, shapes)
        for shapes in (
            ((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((5, 3, 4), (4, 2)),
            ((3, 4), (5, 4, 2)), ((2, 1, 3, 4), (5, 4, 2)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)),
        )
    ],
    *[
        Case("einsum", lambda *x, s=subscripts: ops.einsum(s, *x), shapes, note=subscripts)
        for subscripts, shapes in PRODUCTS.items()
    ],
    Case("einsum", lambda x: ops.einsum("ij,ij->i", x, x), ((2, 3),), note="twice"),
    Case("dense", ops.dense, ((5, 3), (3, 2), (2,))), Case("dense", ops.dense, ((5, 3), (3, 2))),
    Case("dense", ops.dense, ((2, 2, 3), (3, 2), (2,))), Case("dense", ops.dense, ((3,), (3, 2), (2,))),
]

IMAGES = [
    Case("conv2d", ops.conv2d, ((2, 5, 4, 2), (3, 3, 2, 3), (3,))),
    Case("conv2d", ops.conv2d, ((2, 4, 4, 1), (2, 2, 1, 2)), note="no bias"),
    Case(
        "conv2d", lambda x, w, b: ops.conv2d(x, w, b, 2, 1), ((2, 5, 6, 2), (3, 3, 2, 2), (2,)), note="stride"
    ),
    Case("conv2d", lambda x, w: ops.conv2d(x, w, None, 3), ((1, 8, 7, 1), (2, 2, 1, 2)), note="gaps"),
    Case("conv2d", lambda x, w: ops.conv2d(x, w, padding=2), ((1, 2, 3, 1), (1, 1, 1, 2)), note="border"),
    Case("max_pool2d", lambda x: ops.max_pool2d(x, 2), ((2, 5, 4, 2),), apart),
    Case("max_pool2d", lambda x: ops.max_pool2d(x, 3), ((1, 7, 6, 2),), apart),
    Case("avg_pool2d", lambda x: ops.avg_pool2d(x, 2), ((2, 5, 4, 2),)),
    Case("avg_pool2d", lambda x: ops.avg_pool2d(x, 3), ((1, 7, 6, 2),)),
]

NORMS = [
    *[
        Case(
            "batch_norm", lambda x, g, b, e=eps: ops.batch_norm(x, g, b, e)[0], (shape, (3,), (3,)),
            note=f"eps {eps}",
        )
        for shape, eps in (((5, 3), 1e-5), ((2, 3, 2, 3), 1e-3), ((7, 3), 0.5))
    ],
    Case("batch_norm", lambda x: ops.batch_norm(x)[0], ((5, 3),), note="plain"),
    Case("batch_norm", lambda x, g: ops.batch_norm(x, g)[0], ((5, 3), (3,)), note="gamma"),
    Case("batch_norm", lambda x, b: ops.batch_norm(x, beta=b)[0], ((5, 3), (3,)), note="beta"),
    Case("batch_norm", lambda x, g, b: ops.batch_norm(x, g, b)[0], ((130, 2), (2,), (2,)), note="many"),
    *[
        Case(
            "batch_norm_inference", lambda x, g, b: ops.batch_norm_inference(x, g, b, MEAN, VAR, 0.1),
            (n, (3,), (3,)),
        )
        for n in ((5, 3), (2, 2, 2, 3), (1, 3))
    ],
    Case("batch_norm_inference", lambda x: ops.batch_norm_inference(x, None, None, MEAN, VAR), ((4, 3),)),
    Case("layer_norm", ops.layer_norm, ((4, 6), (6,), (6,))), Case("layer_norm", ops.layer_norm, ((4, 6),)),
    Case("layer_norm", lambda x, g, b: ops.layer_norm(x, g, b, 0.1), ((2, 2, 6), (6,), (6,))),
    Case("group_norm", lambda *x: ops.group_norm(x[0], 2, *x[1:]), ((3, 8), (8,), (8,))),
    Case("group_norm", lambda *x: ops.group_norm(x[0], 2, *x[1:]), ((2, 2, 3, 4), (4,), (4,))),
    Case("group_norm", lambda x: ops.group_norm(x, 3, eps=0.1), ((2, 2, 3),)),
]

LOSSES = [
    Case("cross_entropy", lambda x: losses.cross_entropy(x, LABELS), ((5, 3),)),
    Case("cross_entropy", lambda x: losses.cross_entropy(x, LABELS, 0.2), ((5, 3),), note="smooth"),
    Case("binary_cross_entropy", lambda x: losses.binary_cross_entropy(x, TARGETS), ((2, 3),)),
    Case("binary_cross_entropy", losses.binary_cross_entropy, ((5,), (5,)), (normal, probabilities)),
    Case("mse", losses.mse, ((2, 3), (2, 3))), Case("mse", losses.mse, ((), ())),
    Case("mae", losses.mae, ((2, 3), (2, 3)), (apart, zeros)),
    Case("huber", lambda x, y: losses.huber(x, y, 0.1), ((2, 3), (2, 3)), (apart, zeros)),
]

CASES = [*ELEMENTWISE, *REDUCTIONS, *SHAPES, *LINEAR, *IMAGES, *NORMS, *LOSSES]
