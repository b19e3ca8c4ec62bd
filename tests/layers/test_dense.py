"""Dense and Flatten: values, initial weights, and messages that compute the fix."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl.layers import Dense, Flatten, Sequential


def test_it_is_an_affine_map_of_the_last_axis():
    layer = Dense(3, 2)
    layer.bias.data = np.array([1, 2], np.float32)
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(layer(x).data, x @ layer.weight.data + [1, 2], rtol=1e-5, atol=1e-6)
    assert layer.weight.shape == (3, 2)
    assert Dense(3, 2, bias=False).bias is None


def test_initial_weights():
    weight = Dense(400, 200).initialize(0).weight.data
    limit = np.sqrt(6 / 600)
    assert abs(weight).max() <= limit
    assert weight.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert not Dense(4, 2).bias.data.any()
    assert not Dense(4, 2, init="zeros").weight.data.any()
    paper = Dense(400, 200, init=dl.init.gaussian(0.1)).initialize(0).weight.data
    assert paper.std() == pytest.approx(0.1, rel=0.02)
    with pytest.raises(ValueError, match="init expects one of glorot_uniform"):
        Dense(4, 2, init="normal")


@pytest.mark.parametrize(("layer", "shape", "message"), [
    (Dense(784, 100), (60, 28, 28, 1),
     "Dense(784, 100) expects (batch, 784), got (60, 28, 28, 1): put Flatten() before it"),
    (Dense(512, 10), (128, 800), "Dense(512, 10) expects (batch, 512), got (128, 800): use Dense(800, 10)"),
    (Dense(512, 10, bias=False), (128, 800), "use Dense(800, 10, bias=False)"),
    (Dense(512, 10), (2, 5, 5, 32), "put Flatten() before it, and use Dense(800, 10)"),
    (Dense(784, 10), (784,), "got (784,): put examples into a batch, x[None] for a single one"),
    (Dense(784, 10), (1, 28, 28, 1), "got (1, 28, 28, 1): put Flatten() before it"),
    (Dense(784, 10), (28, 28), "got (28, 28): put a single example into a batch, x[None]"),
    (Sequential(Flatten(), Dense(784, 10)), (28, 28, 1), "put a single example into a batch, x[None]"),
    (Flatten(), (3,), "Flatten() expects (batch, ...), got (3,): use x[None] for a single one"),
])
def test_messages(layer, shape, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        layer(np.zeros(shape))


@pytest.mark.parametrize("sizes", [(0, 3), (3, -1), (2.0, 3), ("2", 3), (True, 3)])
def test_sizes_are_whole_numbers_of_1_or_more(sizes):
    with pytest.raises(ValueError, match=r"Dense expects \w+_features to be a whole number of 1 or more"):
        Dense(*sizes)


def test_flatten_is_row_major_with_channels_last():
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    assert Flatten()(x).data.tolist() == x.reshape(2, 12).tolist()
    assert Flatten()(np.zeros((0, 2, 3))).shape == (0, 6)
    assert Flatten()(np.zeros((4, 3))).shape == (4, 3)
