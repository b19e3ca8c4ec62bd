"""Convolution: values against the sum in its definition, blocks and threads, messages."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.engine import blocks

RNG = np.random.default_rng(0)


def by_definition(x, W, b, stride, padding):
    """y[n, p, q, o] = sum over i, j, c of x[n, p·stride + i, q·stride + j, c] · W[i, j, c, o] + b[o]."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    k = len(W)
    rows, columns = (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1
    y = np.empty((len(x), rows, columns, W.shape[3]))
    for p in range(rows):
        for q in range(columns):
            window = x[:, p * stride : p * stride + k, q * stride : q * stride + k]
            y[:, p, q] = (window[..., None] * W).sum(axis=(1, 2, 3)) + b
    return y


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_values(kernel, padding, stride):
    x, W, b = RNG.normal(size=(2, 6, 5, 3)), RNG.normal(size=(kernel, kernel, 3, 4)), RNG.normal(size=4)
    y = ops.conv2d(x, W, b, stride, padding)
    np.testing.assert_allclose(y.data, by_definition(x, W, b, stride, padding), rtol=1e-10, atol=1e-12)
    without = ops.conv2d(x, W, None, stride, padding)
    np.testing.assert_allclose(without.data, y.data - b, rtol=1e-10, atol=1e-10)


@pytest.fixture
def two_threads():
    before = blocks.get_threads()
    dl.set_threads(2)
    yield
    dl.set_threads(before)


def step(n):
    """Output and gradients for n images, in float64."""
    rng = np.random.default_rng(1)
    x = dl.Tensor(rng.normal(size=(n, 6, 5, 2)), requires_grad=True)
    W, b = (dl.Tensor(rng.normal(size=s), requires_grad=True) for s in ((3, 3, 2, 3), (3,)))
    with dl.Tape() as tape:
        y = ops.conv2d(x, W, b, padding=1)
    tape.backward(y, gradient=rng.normal(size=y.shape))
    return y.data, x.grad, W.grad, b.grad


@pytest.mark.parametrize("n", [16, 17, 50])
def test_a_batch_over_one_block_equals_its_images_one_by_one(n, two_threads):
    rng = np.random.default_rng(1)
    x, W, b = rng.normal(size=(n, 6, 5, 2)), rng.normal(size=(3, 3, 2, 3)), rng.normal(size=3)
    g = rng.normal(size=(n, 6, 5, 3))
    y, dx, dW, db = step(n)
    total = np.zeros_like(dW)
    for i in range(n):
        image, weight = dl.Tensor(x[i : i + 1], requires_grad=True), dl.Tensor(W, requires_grad=True)
        with dl.Tape() as tape:
            single = ops.conv2d(image, weight, b, padding=1)
        tape.backward(single, gradient=g[i : i + 1])
        np.testing.assert_allclose(y[i : i + 1], single.data, rtol=1e-12)
        np.testing.assert_allclose(dx[i : i + 1], image.grad, rtol=1e-12)
        total += weight.grad
    np.testing.assert_allclose(dW, total, rtol=1e-11)
    np.testing.assert_allclose(db, g.sum(axis=(0, 1, 2)), rtol=1e-11)


def test_the_number_of_threads_changes_nothing_but_rounding(two_threads):
    on_two = step(50)
    dl.set_threads(1)
    for a, b in zip(on_two, step(50), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_the_gradient_of_a_constant_input_or_a_frozen_weight_is_not_computed():
    x, W = RNG.normal(size=(2, 4, 4, 1)), RNG.normal(size=(3, 3, 1, 2))
    with dl.Tape() as tape:
        ops.conv2d(x, dl.Parameter(W))
        ops.conv2d(dl.Tensor(x, requires_grad=True), W)
    assert tape.records[0].vjp(np.ones((2, 2, 2, 2)))[0] is None
    assert not tape.records[1].vjp(np.ones((2, 2, 2, 2)))[1].any()


@pytest.mark.parametrize(("shapes", "options", "message"), [
    (((2, 5, 5), (3, 3, 1, 2)), {}, r"conv2d expects x \(batch, height, width, in\) .* got \(2, 5, 5\)"),
    (((2, 5, 5, 3), (3, 3, 1, 2)), {}, r"got \(2, 5, 5, 3\) and \(3, 3, 1, 2\)"),
    (((2, 5, 5, 1), (3, 2, 1, 2)), {}, r"weight \(kernel, kernel, in, out\)"),
    (((2, 5, 5, 1), (3, 3, 1, 2), (3,)), {}, r"conv2d expects bias \(2,\), got \(3,\)"),
    (((2, 5, 5, 1), (3, 3, 1, 2)), {"stride": 0}, r"stride >= 1 and padding >= 0, got 0 and 0"),
    (((2, 5, 5, 1), (3, 3, 1, 2)), {"padding": -1}, r"stride >= 1 and padding >= 0, got 1 and -1"),
    (((2, 2, 5, 1), (3, 3, 1, 2)), {}, r"kernel 3 and padding 0 expects larger images, got \(2, 2, 5, 1\)"),
])
def test_messages(shapes, options, message):
    with pytest.raises(ValueError, match=message):
        ops.conv2d(*[np.ones(shape) for shape in shapes], **options)
