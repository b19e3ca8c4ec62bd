"""summary: output shapes and parameters of each layer."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, Sequential, Sigmoid


def test_shapes_and_counts():
    model = Sequential(
        Sequential(Conv2D(1, 6, 5), BatchNorm(6), Sigmoid(), MaxPool2D(2)),
        Dropout(0.5), Flatten(), Dense(864, 10),
    )
    found = dl.summary(model, (28, 28, 1))
    assert [(path, shape, n) for path, _, shape, n in found.rows] == [
        ("0.0", (24, 24, 6), 156), ("0.1", (24, 24, 6), 12), ("0.2", (24, 24, 6), 0), ("0.3", (12, 12, 6), 0),
        ("1", (12, 12, 6), 0), ("2", (864,), 0), ("3", (10,), 8650),
    ]
    assert found.parameters == 8818
    lines = repr(found).splitlines()
    assert lines[0].split() == ["layer", "output", "parameters"]
    assert lines[1].split() == ["0.0", "Conv2D(1,", "6,", "5)", "(batch,", "24,", "24,", "6)", "156"]
    assert lines[-1] == "8,818 parameters"
    assert len({len(line) for line in lines[:-1]}) == 1
    assert repr(found).isascii()


def test_it_changes_nothing():
    model = Sequential(Dense(3, 2), BatchNorm(2), Dropout(0.5), seed=0)
    state = model.state_dict()
    noise = model[2].generator.bit_generator.state
    dl.summary(model, (3,))
    assert model.training
    assert model[1].training
    assert model[2].generator.bit_generator.state == noise
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


def test_single_layers_shared_layers_and_layers_with_both_parameters_and_children():
    assert dl.summary(Dense(3, 2), (3,)).rows == (("", "Dense(3, 2)", (2,), 8),)

    class Scaled(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Dense(3, 3)
            self.factor = dl.Parameter(np.ones(3, np.float32))

        def forward(self, x):
            return self.inner(x) * self.factor

    shared = Dense(3, 3)
    found = dl.summary(Sequential(shared, Scaled(), shared).astype(np.float64), (3,))
    assert [(path, n) for path, _, _, n in found.rows] == [("0", 12), ("1", 3), ("1.inner", 12)]
    assert sum(n for *_, n in found.rows) == found.parameters == 27


def test_a_wrong_shape_gives_the_layers_own_message():
    with pytest.raises(ValueError, match=r"expects \(batch, 3\), got \(1, 4\): use Dense\(4, 2\)"):
        dl.summary(Sequential(Dense(3, 2)), (4,))


def test_a_shape_with_the_batch_axis():
    with pytest.raises(ValueError, match="expects") as caught:
        dl.summary(Sequential(Dense(3, 2)), (60, 28, 28, 1))
    note = "summary sent one example, (1, 60, 28, 28, 1): input_shape has no batch axis"
    assert caught.value.__notes__[-1] == note


@pytest.mark.parametrize(("shape", "error"), [(784, TypeError), ((28.0, 28), ValueError), ((0,), ValueError)])
def test_what_is_no_shape(shape, error):
    with pytest.raises(error, match=r"^summary expects .*input_shape"):
        dl.summary(Sequential(Dense(3, 2)), shape)
