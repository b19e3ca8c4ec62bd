"""What hypothesis draws for the gradient checks: values apart from kinks, and layouts of memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import minidl as dl
from minidl.engine.array import Array

LAYOUTS = ("C", "Fortran", "every second", "back to front", "rotated axes", "window")

layouts = st.sampled_from(LAYOUTS)
seeds = st.integers(0, 2**32 - 1)


def drawn(examples: int) -> settings:
    """The same examples in every run; on a busy machine slowness is no failure."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


@dataclass(frozen=True)
class Drawn:
    """A function of tensors (or a layer), and arrays to call it with; printed when an example fails."""

    function: Callable[..., Any]
    arrays: Sequence[Array]
    note: str = ""

    def __repr__(self) -> str:
        return f"{self.note} of {[a.shape for a in self.arrays]}"


def normal(seed: int, *shapes: tuple[int, ...]) -> list[Array]:
    """Both signs, nothing special."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def positive(seed: int, *shapes: tuple[int, ...]) -> list[Array]:
    """From 0.5 to 2: for logarithms, roots, divisors and powers."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 2.0, shape) for shape in shapes]


def apart(seed: int, *shapes: tuple[int, ...]) -> list[Array]:
    """Both signs, no two values of ANY of the arrays nearer than 0.07 to each other, or than 0.035 to 0."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    n = sum(sizes)
    values = np.random.default_rng(seed).permutation((np.arange(n) - n // 2 + 0.5) * 0.07)
    parts = np.split(values, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def wide(seed: int, *shapes: tuple[int, ...]) -> list[Array]:
    """Values 0.5 apart, so that the deviation of two of them is large beside the step of the differences."""
    return [a / 0.07 * 0.5 for a in apart(seed, *shapes)]


def quotients(seed: int, x: tuple[int, ...], y: tuple[int, ...]) -> list[Array]:
    """Two arrays of both signs whose quotients, whatever meets, lie at least 0.1 from every integer."""
    rng = np.random.default_rng(seed)
    a = (rng.integers(-4, 4, x) + 0.5) * rng.uniform(0.99, 1.01, x)     # over 1 or 2: odd quarters or halves
    b = rng.choice([-2.0, -1.0, 1.0, 2.0], y) * rng.uniform(0.99, 1.01, y)
    return [np.asarray(a), np.asarray(b)]


def laid_out(a: Array, layout: str) -> Array:
    """The same values in another order of memory. What lies between them is NaN, which shows if read."""
    if layout == "Fortran":
        return np.array(a, order="F")
    if layout == "back to front":
        return np.flip(np.flip(a).copy())
    if layout == "rotated axes" and a.ndim:
        return np.moveaxis(np.moveaxis(a, 0, -1).copy(), -1, 0)
    if layout in ("every second", "window"):
        memory = np.full([2 * n + 1 for n in a.shape], np.nan)
        steps = [slice(1, None, 2) if layout == "every second" else slice(1, n + 1) for n in a.shape]
        view = memory[(..., *steps)]
        view[...] = a
        return view
    return np.array(a, order="C")


def through_layouts(function: Callable[..., Any], inputs: Sequence[str], upstream: str) -> Callable[..., Any]:
    """The function, of inputs that lie in memory as said; so does the gradient that comes back to it."""

    def changed(*tensors: dl.Tensor) -> dl.Tensor:
        placed = [
            dl.record("layout", laid_out(x.data, layout), (x,), lambda g: (g,))
            for x, layout in zip(tensors, inputs, strict=True)
        ]
        y: dl.Tensor = function(*placed)
        return dl.record("layout", y.data.copy(), (y,), lambda g: (laid_out(g, upstream),))

    return changed
