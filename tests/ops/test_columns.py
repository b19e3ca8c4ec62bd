"""Sums down columns: of few rows and of many, whatever number of rows lies side by side."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl.engine import blocks
from minidl.ops import columns

RNG = np.random.default_rng(0)
SHAPES = [
    (0, 3), (1, 3), (256, 5), (257, 5), (300, 1), (1000, 7), (4096, 64), (70_000, 2), (400, 2000), (509, 3),
]


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"], autouse=True)
def _threads(request):
    before = blocks.get_threads()
    dl.set_threads(request.param)
    yield
    dl.set_threads(before)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_column_sums_are_those_of_numpy_in_float64(shape, dtype):
    rows = RNG.normal(size=shape).astype(dtype)
    sums = columns.column_sums(rows)
    assert (sums.shape, sums.dtype) == (shape[1:], dtype)
    limit = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(sums, rows.sum(0, dtype=np.float64), rtol=limit, atol=limit * 100)


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
def test_block_sums_add_up_several_at_once(shape):
    a, b = RNG.normal(size=shape), RNG.normal(size=shape)

    def sums_of_blocks(a, b):
        a, b = a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])
        return a.sum(0), (a * b).sum(0)

    sums, dots = columns.block_sums(sums_of_blocks, a, b)
    np.testing.assert_allclose(sums, a.sum(0), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(dots, (a * b).sum(0), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_by_blocks_computes_the_whole_with_vectors_tiled_to_its_wide_rows(shape):
    a, b = (RNG.normal(size=shape).astype(np.float32) for _ in range(2))
    vector = RNG.normal(size=shape[1]).astype(np.float32)
    tiled = columns.tiled(vector, a)
    widest = 0

    def compute(a, b, out):
        nonlocal widest
        widest = max(widest, a.size)
        np.multiply(a, tiled, out=out)
        out += b

    found = columns.by_blocks(compute, a, b)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, a * vector + b)
    assert widest <= max(1.5 * blocks.BLOCK, shape[1] * 2)


def test_many_short_rows_lie_side_by_side_and_few_ones_do_not():
    vector = np.arange(4.0)
    line = columns.tiled(vector, np.ones((32_768, 4)))
    assert line.shape == (columns.LINE // columns.WIDTH, columns.WIDTH)
    np.testing.assert_array_equal(line.ravel(), np.tile(vector, columns.LINE // 4))
    assert columns.tiled(vector, np.ones((8192, 4))).shape == (1, columns.WIDTH)    # of a small array
    assert columns.tiled(vector, np.ones((256, 4))) is vector
    assert columns.tiled(vector, np.ones((16_381, 4))) is vector        # a prime number of rows
    long = np.arange(2000.0)
    np.testing.assert_array_equal(columns.tiled(long, np.ones((400, 2000))), [long] * 8)


@pytest.mark.parametrize("features", [1, 3])
def test_a_prime_number_of_rows_is_added_as_precisely(features):
    rows = np.full((1_000_003, features), 0.1, np.float32)
    np.testing.assert_allclose(columns.column_sums(rows), 1_000_003 * float(np.float32(0.1)), rtol=1e-7)


@pytest.mark.parametrize("rows", [1, 256, 257, 300])
def test_no_features_are_no_sums(rows):
    assert columns.column_sums(np.zeros((rows, 0), np.float32)).shape == (0,)
    x = dl.Tensor(np.zeros((rows + 1, 0), np.float32), requires_grad=True)
    with dl.Tape() as tape:
        y, mean, var = dl.ops.batch_norm(x)
        loss = y.sum()
    tape.backward(loss)
    assert (y.shape, mean.shape, var.shape, x.grad.shape) == (x.shape, (0,), (0,), x.shape)


def test_float32_sums_of_many_rows_forget_nothing():
    rows = (1e4 + RNG.normal(size=(73_728, 4))).astype(np.float32)
    np.testing.assert_allclose(columns.column_sums(rows), rows.sum(0, dtype=np.float64), rtol=1e-6)
