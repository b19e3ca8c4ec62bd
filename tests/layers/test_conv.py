"""Conv2D: shapes, parameters, messages that compute the fix."""

from __future__ import annotations

import re

import numpy as np
import pytest

from minidl import ops
from minidl.layers import Conv2D


def test_it_is_the_op_with_its_parameters():
    layer = Conv2D(2, 3, 3, stride=2, padding=1)
    layer.bias.data = np.array([1, 2, 3], np.float32)
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 2)).astype(np.float32)
    expected = ops.conv2d(x, layer.weight.data, layer.bias.data, 2, 1)
    assert layer(x).shape == (2, 4, 3, 3)
    np.testing.assert_array_equal(layer(x).data, expected.data)
    assert layer.weight.shape == (3, 3, 2, 3)
    assert Conv2D(2, 3, 3, bias=False).bias is None


def test_initial_weights():
    weight = Conv2D(16, 32, 5).initialize(0).weight.data
    assert weight.std() == pytest.approx(np.sqrt(2 / (25 * (16 + 32))), rel=0.03)
    assert Conv2D(16, 32, 5, init="he_normal").initialize(0).weight.data.std() == pytest.approx(
        np.sqrt(2 / (25 * 16)), rel=0.03
    )


@pytest.mark.parametrize(("layer", "shape", "message"), [
    (Conv2D(1, 6, 5), (2, 28, 28), "expects (batch, height, width, 1), got (2, 28, 28): add the axis of"),
    (Conv2D(3, 6, 5), (28, 28, 3), "got (28, 28, 3): put images into a batch, x[None]"),
    (Conv2D(1, 6, 5), (28, 28, 1), "got (28, 28, 1): put images into a batch, x[None]"),
    (Conv2D(3, 6, 5), (2, 3, 28, 28), "got (2, 3, 28, 28): put the channels last, x.transpose(0, 2, 3, 1)"),
    (Conv2D(1, 6, 5, padding=2, bias=False), (2, 28, 28, 3), "use Conv2D(3, 6, 5, padding=2, bias=False)"),
    (Conv2D(1, 6, 5, stride=2), (2, 28, 28, 3), "use Conv2D(3, 6, 5, stride=2)"),
    (Conv2D(1, 6, 5), (2, 784), "got (2, 784): put it before Flatten()"),
    (Conv2D(1, 6, 5), (784,), "got (784,): reshape it into images"),
    (Conv2D(1, 6, 5), (2, 4, 28, 1),
     "Conv2D(1, 6, 5) expects images of at least 5 pixels each way, got (2, 4, 28, 1): use a smaller kernel"),
])
def test_messages(layer, shape, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        layer(np.zeros(shape))


@pytest.mark.parametrize(("options", "message"), [
    ({"kernel_size": 0}, "Conv2D expects kernel_size to be a whole number of 1 or more, got 0"),
    ({"stride": 0}, "Conv2D expects stride to be a whole number of 1 or more, got 0"),
    ({"in_channels": 1.5}, "Conv2D expects in_channels to be"),
    ({"out_channels": -1}, "Conv2D expects out_channels to be"),
    ({"padding": -1}, "Conv2D expects padding to be a whole number of 0 or more, got -1"),
    ({"padding": "same"}, "Conv2D expects padding to be a whole number of 0 or more, got 'same'"),
])
def test_sizes(options, message):
    with pytest.raises(ValueError, match=message):
        Conv2D(**{"in_channels": 1, "out_channels": 6, "kernel_size": 5} | options)
