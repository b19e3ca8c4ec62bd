"""Pooling, activation and dropout layers."""

from __future__ import annotations

import re

import numpy as np
import pytest

from minidl import ops
from minidl.layers import GELU, AvgPool2D, Dropout, Layer, LeakyReLU, MaxPool2D, ReLU, Sigmoid, Tanh

X = np.random.default_rng(0).normal(size=(3, 7, 5, 2))


@pytest.mark.parametrize(("layer", "op"), [
    (Sigmoid(), ops.sigmoid), (Tanh(), ops.tanh), (ReLU(), ops.relu), (GELU(), ops.gelu),
    (LeakyReLU(), ops.leaky_relu), (LeakyReLU(0.3), lambda x: ops.leaky_relu(x, 0.3)),
    (MaxPool2D(2), lambda x: ops.max_pool2d(x, 2)), (AvgPool2D(3), lambda x: ops.avg_pool2d(x, 3)),
], ids=lambda value: repr(value) if isinstance(value, Layer) else "")
def test_the_layer_is_the_op(layer, op):
    np.testing.assert_array_equal(layer(X).data, op(X).data)


@pytest.mark.parametrize("kind", [MaxPool2D, AvgPool2D])
@pytest.mark.parametrize(("shape", "message"), [
    ((2, 784), "(2) expects (batch, height, width, channels), got (2, 784): put it before Flatten()"),
    ((2, 28, 28), "got (2, 28, 28): use x[None] for a single image"),
    ((2, 1, 28, 3), "(2) expects images of 2 x 2 or more, got (2, 1, 28, 3): pool less"),
])
def test_messages_of_pools(kind, shape, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kind(2)(np.zeros(shape))
    with pytest.raises(ValueError, match=f"{kind.__name__} expects size to be a whole number of 1 or more"):
        kind(0)
    with pytest.raises(ValueError, match=f"{kind.__name__} expects size to be .* got 1.5"):
        kind(1.5)


@pytest.mark.parametrize("slope", [float("nan"), float("inf"), "0.1", None])
def test_leaky_relu_refuses_a_slope_that_is_no_number(slope):
    with pytest.raises(ValueError, match=r"LeakyReLU expects slope to be a number in \(-inf, inf\), got"):
        LeakyReLU(slope)


def test_dropout_drops_its_rate_and_scales_the_others():
    layer = Dropout(0.3).initialize(0)
    y = layer(np.ones((200, 200), np.float32)).data
    values, counts = np.unique(y, return_counts=True)
    assert values.tolist() == [0, np.float32(1 / 0.7)]
    assert counts[0] / y.size == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert not np.array_equal(layer(np.ones((200, 200))).data, y)


def test_dropout_passes_everything_in_evaluation_mode_or_with_rate_0():
    np.testing.assert_array_equal(Dropout(0.9).eval()(X).data, X)
    np.testing.assert_array_equal(Dropout(0)(X).data, X)


def test_dropout_repeats_itself_from_its_seed():
    first, second = Dropout(0.5).initialize(7), Dropout(0.5).initialize(7)
    np.testing.assert_array_equal(first(X).data, second(X).data)


@pytest.mark.parametrize("rate", [1, -0.1, 1.5, float("nan"), "0.5", None])
def test_dropout_refuses_a_wrong_rate(rate):
    with pytest.raises(ValueError, match=r"Dropout expects rate to be a number in \[0, 1\), got"):
        Dropout(rate)
