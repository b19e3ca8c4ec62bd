"""Pooling: values, ties, odd sizes, blocks, messages."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl import ops

X = np.random.default_rng(0).normal(size=(3, 7, 5, 2))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize(("name", "function"), [("max_pool2d", np.max), ("avg_pool2d", np.mean)])
def test_values_with_odd_sizes_floored(name, function, size):
    y = getattr(ops, name)(X, size)
    assert y.shape == (3, 7 // size, 5 // size, 2)
    for p in range(y.shape[1]):
        for q in range(y.shape[2]):
            window = X[:, p * size : (p + 1) * size, q * size : (q + 1) * size]
            np.testing.assert_allclose(y.data[:, p, q], function(window, axis=(1, 2)), rtol=1e-13)


def test_the_first_of_equal_maxima_in_row_major_order_takes_the_gradient():
    x = np.array([[1.0, 5.0, 2.0, 2.0], [5.0, 5.0, 2.0, 2.0]]).reshape(1, 2, 4, 1)
    g = dl.grad(lambda t: (ops.max_pool2d(t, 2) * np.array([10.0, 20.0]).reshape(1, 1, 2, 1)).sum())(x)
    assert g[0, :, :, 0].tolist() == [[0, 10, 20, 0], [0, 0, 0, 0]]


def test_pixels_beyond_the_last_window_get_no_gradient():
    for op in (ops.max_pool2d, ops.avg_pool2d):
        g = dl.grad(lambda t, op=op: op(t, 2).sum())(X)
        assert not g[:, 6].any()
        assert not g[:, :, 4].any()
        np.testing.assert_allclose(g.sum(), 3 * 3 * 2 * 2)


def test_a_batch_over_one_block_equals_its_images_one_by_one():
    x = np.random.default_rng(0).normal(size=(40, 4, 4, 1))
    weights = np.random.default_rng(1).normal(size=(40, 2, 2, 1))
    g = dl.grad(lambda t: (ops.max_pool2d(t, 2) * weights).sum())(x)
    for i in range(40):
        single = dl.grad(lambda t, i=i: (ops.max_pool2d(t, 2) * weights[i : i + 1]).sum())(x[i : i + 1])
        np.testing.assert_array_equal(g[i : i + 1], single)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(("shape", "size"), [((3, 7, 5), 2), ((3, 7, 5, 2), 6), ((3, 7, 5, 2), 0)])
def test_messages(name, shape, size):
    with pytest.raises(ValueError, match=rf"{name} expects images .* least {size} x {size} pixels, got \("):
        getattr(ops, name)(np.ones(shape), size)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize("shape", [(1, 1, 4, 2), (1, 4, 1, 2)], ids=str)
def test_images_too_low_or_too_narrow(name, shape):
    message = (
        f"{name} expects images (batch, height, width, channels) of at least 2 x 2 pixels, got {shape}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        getattr(ops, name)(np.ones(shape), 2)


def test_windows_of_more_than_256_pixels_a_side_know_where_their_maximum_stood():
    x = np.zeros((1, 257, 257, 1), np.float32)
    x[0, 256, 256] = 1
    gradient = dl.grad(lambda t: ops.max_pool2d(t, 257).sum())(x)
    assert gradient[0, 256, 256, 0] == gradient.sum() == 1
