"""Convolution against plain loops: of few channels and of many, whose columns are built in two ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl import ops
from tests.gradchecks.draw import drawn, laid_out, layouts, normal, seeds


def naive(x, W, b, g, stride, padding):
    """y, dx, dW, db, pixel by pixel."""
    n, height, width, _ = x.shape
    k, _, channels, out = W.shape
    around = np.zeros((n, height + 2 * padding, width + 2 * padding, channels))
    around[:, padding : padding + height, padding : padding + width] = x
    d_around, dW = np.zeros_like(around), np.zeros_like(W)
    p, q = (around.shape[1] - k) // stride + 1, (around.shape[2] - k) // stride + 1
    y = np.empty((n, p, q, out))
    for i, row in np.ndindex(n, p):
        for column in range(q):
            window = np.s_[i, row * stride : row * stride + k, column * stride : column * stride + k]
            for o in range(out):
                y[i, row, column, o] = (around[window] * W[..., o]).sum() + b[o]
                if g is not None:
                    d_around[window] += W[..., o] * g[i, row, column, o]
                    dW[..., o] += around[window] * g[i, row, column, o]
    dx = d_around[:, padding : padding + height, padding : padding + width]
    return y, dx, dW, 0 if g is None else g.sum((0, 1, 2))


def check(shape, kernel, out, stride, padding, seed, layout="C", upstream="C", x_counts=True):
    x, W, b = normal(seed, shape, (kernel, kernel, shape[3], out), (out,))
    g = normal(seed + 1, naive(x, W, b, None, stride, padding)[0].shape)[0]
    y, dx, dW, db = naive(x, W, b, g, stride, padding)
    leaf = dl.Tensor(laid_out(x, layout), requires_grad=x_counts)
    weight, bias = (dl.Tensor(a, requires_grad=True) for a in (W, b))
    with dl.Tape() as tape:
        found = ops.conv2d(leaf, weight, bias, stride, padding)
    limits = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(found.data, y, **limits)
    found_dx, found_dW, found_db = tape.records[0].vjp(laid_out(g, upstream))
    if x_counts:
        np.testing.assert_allclose(found_dx, dx, **limits)
    else:
        assert found_dx is None
    np.testing.assert_allclose(found_dW, dW, **limits)
    np.testing.assert_allclose(found_db, db, **limits)


@drawn(60)
@given(data=st.data())
def test_drawn(data):
    kernel, stride, padding = (data.draw(st.integers(*ends)) for ends in ((1, 4), (1, 3), (0, 2)))
    side = st.integers(max(1, kernel - 2 * padding), 8)
    channels = data.draw(st.integers(1, 5))
    shape = data.draw(st.integers(1, 3)), data.draw(side), data.draw(side), channels
    check(
        shape, kernel, data.draw(st.integers(1, 3)), stride, padding, data.draw(seeds),
        data.draw(layouts), data.draw(layouts), data.draw(st.booleans()),
    )


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2), (2, 3)])
def test_more_images_than_a_block_holds(kernel, stride, padding, channels):
    check((18, 5, 4, channels), kernel, 2, stride, padding, 3)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_no_images(channels):
    x = dl.Tensor(np.ones((0, 5, 4, channels)), requires_grad=True)
    W = dl.Parameter(np.ones((3, 3, channels, 2)))
    with dl.Tape() as tape:
        y = ops.conv2d(x, W)
    dx, dW = tape.gradients(y, [x, W], gradient=np.ones(y.shape, y.dtype))
    assert y.shape == (0, 3, 2, 2) and dx.shape == x.shape
    assert dW.shape == W.shape and not dW.any()


@pytest.mark.parametrize("n", [0, 2])
@pytest.mark.parametrize("shape", [(3, 3, 0, 2), (3, 3, 1, 0), (0, 0, 1, 2)])
def test_kernels_without_numbers_are_refused(shape, n):
    with pytest.raises(ValueError, match=r"conv2d expects .* none of them 0, got \("):
        ops.conv2d(np.ones((n, 5, 4, shape[2])), np.ones(shape))
