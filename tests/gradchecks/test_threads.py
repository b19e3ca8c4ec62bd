"""Convolution and pooling of batches over one block of 16 images, on two threads that really run.

Too large for every element: random elements and one random direction for each input (`gradcheck(samples=)`),
with the same error and floor as elsewhere. Average pooling has no blocks, and is held to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl import layers, ops
from minidl.engine import blocks
from minidl.engine.array import Array
from minidl.engine.gradcheck import GradcheckError
from minidl.engine.tape import active_tape
from tests.gradchecks.conftest import both_threads_worked
from tests.gradchecks.draw import apart, drawn, layouts, normal, seeds, through_layouts

BATCHES = st.sampled_from([17, 33, 40])


@drawn(20)
@given(data=st.data())
def test_convolution(pool_of_two: list[str], data: st.DataObject) -> None:
    pool_of_two.clear()
    kernel, stride, padding = (data.draw(st.integers(least, 3)) for least in (1, 1, 0))
    side, channels = st.integers(kernel, 6), data.draw(st.integers(1, 3))
    images = (data.draw(BATCHES), data.draw(side), data.draw(side), channels)
    out = data.draw(st.integers(1, 3))
    arrays = normal(data.draw(seeds), images, (kernel, kernel, channels, out), (out,))
    f = through_layouts(
        lambda x, W, b: ops.conv2d(x, W, b, stride, padding), [data.draw(layouts) for _ in arrays],
        data.draw(layouts),
    )
    dl.gradcheck(f, *arrays, samples=6)
    assert both_threads_worked(pool_of_two)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@drawn(20)
@given(data=st.data())
def test_pooling(pool_of_two: list[str], name: str, data: st.DataObject) -> None:
    pool_of_two.clear()
    size = data.draw(st.integers(1, 3))
    side = st.integers(size, 2 * size + 1)
    shape = (data.draw(BATCHES), data.draw(side), data.draw(side), data.draw(st.integers(1, 2)))
    f = through_layouts(
        lambda x: getattr(ops, name)(x, size), [data.draw(layouts)], data.draw(layouts)
    )
    dl.gradcheck(f, *apart(data.draw(seeds), shape), samples=10)
    assert both_threads_worked(pool_of_two) == (name == "max_pool2d")


@pytest.mark.parametrize("kind", ["twice", "diamond"])
def test_a_convolution_used_several_times(pool_of_two: list[str], kind: str) -> None:
    def f(x: dl.Tensor, W: dl.Tensor) -> dl.Tensor:
        y = ops.conv2d(x, W, padding=1)
        if kind == "twice":
            return y + 0.5 * ops.conv2d(x * x, W, padding=1) - ops.conv2d(x, 2.0 * W, padding=1)
        return ops.max_pool2d(ops.tanh(y), 2) * ops.avg_pool2d(y, 2)

    dl.gradcheck(f, *apart(3, (33, 4, 5, 2), (3, 3, 2, 2)), samples=6)
    assert both_threads_worked(pool_of_two)


@pytest.mark.parametrize("training", [True, False])
def test_a_network_of_layers(pool_of_two: list[str], training: bool) -> None:
    model = layers.Sequential(
        layers.Conv2D(1, 3, 3, stride=2, padding=1), layers.BatchNorm(3), layers.Tanh(), layers.MaxPool2D(2),
        layers.Conv2D(3, 2, 2, bias=False), layers.Sigmoid(), layers.AvgPool2D(2), layers.Flatten(),
        layers.Dense(2, 2), seed=0,
    )
    model = model.train() if training else model.eval()
    dl.gradcheck(model, *normal(5, (33, 12, 13, 1)), samples=6)
    assert both_threads_worked(pool_of_two)


def step(n: int, padding: int, dtype: Any) -> list[Array]:
    """Outputs and gradients of a convolution and of both pools."""
    arrays = [a.astype(dtype) for a in normal(7, (n, 9, 8, 3), (3, 3, 3, 4), (4,))]
    x, W, b = (dl.Tensor(a, requires_grad=True) for a in arrays)
    with dl.Tape() as tape:
        maps = ops.conv2d(x, W, b, padding=padding)
        y = ops.max_pool2d(maps, 2) * ops.avg_pool2d(maps, 2)
    upstream = normal(8, y.shape)[0].astype(dtype)
    return [maps.data, y.data, *tape.gradients(y, [x, W, b, maps], gradient=upstream)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "padding"), [(1, 0), (16, 1), (17, 0), (33, 1), (40, 2), (64, 1)])
def test_one_and_two_threads_give_the_same_bits(
    pool_of_two: list[str], n: int, padding: int, dtype: Any
) -> None:
    """Blocks have a fixed size and are added up in their order, and BLAS has one thread in both cases."""
    on_two = step(n, padding, dtype)
    assert both_threads_worked(pool_of_two) == (n > 1)
    dl.set_threads(1)
    pool_of_two.clear()
    on_one = step(n, padding, dtype)
    assert not any(name.startswith("minidl") for name in pool_of_two)
    for two, one in zip(on_two, on_one, strict=True):
        np.testing.assert_array_equal(two, one)


CASES: dict[str, tuple[Callable[..., dl.Tensor], list[Array]]] = {
    "conv2d": (lambda x, W, b: ops.conv2d(x, W, b, 2, 1), normal(1, (33, 5, 5, 2), (3, 3, 2, 2), (2,))),
    "max_pool2d": (lambda x: ops.max_pool2d(x, 2), apart(2, (33, 5, 4, 2))),
    "avg_pool2d": (lambda x: ops.avg_pool2d(x, 2), apart(3, (33, 5, 4, 2))),
}


def one_image_missing(part: Array) -> Array:
    changed = part.copy()
    changed[-1] = 0
    return changed


@pytest.mark.parametrize("damage", [
    lambda part: part * 1.0001, np.zeros_like, np.negative, one_image_missing,
    lambda part: np.roll(part, 1, 0),
])
@pytest.mark.parametrize("name", CASES)
def test_damage_is_rejected_by_samples_and_a_direction(name: str, damage: Callable[[Array], Array]) -> None:
    function, arrays = CASES[name]

    def damaged(i: int, *x: dl.Tensor) -> dl.Tensor:
        y = function(*x)
        tape = active_tape()
        if tape is not None:
            vjp = tape.records[-1].vjp
            assert vjp is not None
            tape.records[-1].vjp = lambda g: [damage(p) if k == i else p for k, p in enumerate(vjp(g))]
        return y

    for i in range(len(arrays)):
        with pytest.raises(GradcheckError):
            dl.gradcheck(partial(damaged, i), *arrays, samples=1)


def test_a_small_convolution_has_the_same_bits_inside_and_outside_of_a_tape() -> None:
    """Also where its work isn't shared BLAS has one thread: two would add in another order."""
    before = blocks.get_threads()
    dl.set_threads(2)
    try:
        x, W = (a.astype(np.float32) for a in normal(9, (8, 28, 28, 9), (5, 5, 9, 16)))
        held = []
        matmul = np.matmul
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(np, "matmul", lambda *a, **k: held.append(blocks._State.users) or matmul(*a, **k))
            outside = ops.conv2d(x, W).data
        with dl.Tape():
            np.testing.assert_array_equal(ops.conv2d(x, W).data, outside)
        assert held == [1]
    finally:
        dl.set_threads(before)
