"""Where max pooling found its maxima: ties, windows larger than a byte counts, strides, NaN, nothing."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.engine import blocks
from tests.gradchecks.draw import LAYOUTS, laid_out


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    before = blocks.get_threads()
    dl.set_threads(request.param)
    yield
    dl.set_threads(before)


def naive(x, g, size):
    """Window by window: the largest, and the gradient to the first that has it, in row-major order."""
    n, p, q, channels = len(x), x.shape[1] // size, x.shape[2] // size, x.shape[3]
    y, dx = np.empty((n, p, q, channels), x.dtype), np.zeros(x.shape, x.dtype)
    for image, i, j, c in np.ndindex(y.shape):
        rows, columns = slice(i * size, (i + 1) * size), slice(j * size, (j + 1) * size)
        window = x[image, rows, columns, c]
        place = np.unravel_index(np.argmax(window), window.shape)   # of NaN too the first
        y[image, i, j, c] = window[place]
        dx[image, rows, columns, c][place] = g[image, i, j, c]
    return y, dx


def pooled(x, g, size):
    leaf = dl.Tensor(x, requires_grad=True)
    with dl.Tape() as tape:
        y = ops.max_pool2d(leaf, size)
    return y.data, tape.gradients(y, [leaf], gradient=g)[0]


def whole_numbers(shape, most, dtype, seed=0):
    """So few different numbers that most windows have several largest ones."""
    return np.random.default_rng(seed).integers(-most, 1, shape).astype(dtype)


def assert_as_naive(x, size):
    g = np.random.default_rng(1).normal(size=(len(x), x.shape[1] // size, x.shape[2] // size, x.shape[3]))
    g = g.astype(x.dtype)
    for found, expected in zip(pooled(x, g, size), naive(x, g, size), strict=True):
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize(("size", "shape"), [
    (1, (2, 3, 2)), (2, (3, 5, 7)), (2, (2, 6, 4)), (3, (2, 7, 11)), (3, (2, 6, 9)),
    (5, (2, 13, 5)), (5, (1, 9, 14)),
])
def test_ties_and_odd_sizes(size, shape, channels, dtype):
    assert_as_naive(whole_numbers((*shape, channels), 2, dtype), size)
    assert_as_naive(np.zeros((*shape, channels), dtype), size)
    assert_as_naive(np.full((*shape, channels), -np.inf, dtype), size)


@pytest.mark.parametrize("n", [16, 17, 40])
def test_ties_in_several_blocks(n, threads):
    assert_as_naive(whole_numbers((n, 5, 7, 3), 1, np.float32), 2)


@pytest.mark.parametrize("size", [255, 256, 257, 300])
def test_places_that_no_byte_can_count(size):
    """Only the last of the candidates is the largest, or only one behind the 256th."""
    for row, column in ((0, size - 1), (size - 1, 0), (size - 1, size - 1), (size // 2, size - 2)):
        x = np.zeros((2, size + 1, size + 3, 2), np.float32)
        x[0, row, column, 1] = x[1, column, row, 0] = 1
        y, dx = pooled(x, np.full((2, 1, 1, 2), 3, np.float32), size)
        assert y.ravel().tolist() == [0, 1, 1, 0]
        expected = np.zeros_like(x)
        expected[0, row, column, 1] = expected[1, column, row, 0] = 3
        expected[0, 0, 0, 0] = expected[1, 0, 0, 1] = 3
        np.testing.assert_array_equal(dx, expected)


@pytest.mark.parametrize("upstream", LAYOUTS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels", [1, 3])
def test_inputs_and_gradients_that_are_not_contiguous(layout, upstream, channels):
    x = whole_numbers((3, 7, 5, channels), 2, np.float64)
    g = np.random.default_rng(1).normal(size=(3, 3, 2, channels))
    y, dx = naive(x, g, 2)
    leaf = dl.Tensor(laid_out(x, layout), requires_grad=True)
    with dl.Tape() as tape:
        found = ops.max_pool2d(leaf, 2)
    np.testing.assert_array_equal(found.data, y)
    np.testing.assert_array_equal(tape.records[0].vjp(laid_out(g, upstream))[0], dx)


@pytest.mark.parametrize("window", [
    [[np.nan, 1], [3, 2]], [[1, np.nan], [3, 2]], [[1, 3], [np.nan, 2]], [[1, 3], [2, np.nan]],
    [[3, np.nan], [np.nan, 2]], [[np.nan, np.nan], [np.nan, np.nan]],
])
def test_nan_is_the_result_and_one_element_takes_the_gradient(window):
    """PyTorch sends it to the last NaN of the window. Here some element gets it, and it is never lost."""
    x = np.array(window).reshape(1, 2, 2, 1)
    y, dx = pooled(x, np.full((1, 1, 1, 1), 5.0), 2)
    assert np.isnan(y).all()
    assert sorted(dx.ravel()) == [0, 0, 0, 5]


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_no_images_give_no_results(name):
    x = dl.Tensor(np.ones((0, 5, 4, 3)), requires_grad=True)
    with dl.Tape() as tape:
        y = getattr(ops, name)(x, 2)
    assert y.shape == (0, 2, 2, 3)
    assert tape.gradients(y, [x], gradient=np.ones(y.shape))[0].shape == x.shape


@pytest.mark.parametrize("n", [0, 2])
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_images_without_channels_are_refused(name, n):
    message = rf"{name} expects images .* of at least 2 x 2 pixels, got \({n}, 4, 4, 0\)"
    with pytest.raises(ValueError, match=message):
        getattr(ops, name)(np.ones((n, 4, 4, 0)), 2)
