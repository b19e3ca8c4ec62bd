"""Instruments: the numbers that they read off a tape, against counting by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minidl as dl
from minidl import instruments
from minidl.datasets import Dataset
from minidl.instruments import activation_gradients, parameter_gradients, percentiles, probe, saturation
from minidl.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, ReLU, Sequential, Sigmoid
from minidl.losses import cross_entropy
from minidl.optim import SGD


def sigmoids_of(x: np.ndarray) -> dl.Tape:
    return probe(Sequential(Sigmoid()), x)


def test_probe_changes_nothing_and_evaluates():
    model = Sequential(Dropout(0.5), BatchNorm(3), Sigmoid(), Dense(3, 2), seed=0)
    model[1].eval()
    before, noise = model.state_dict(), model[0].generator.bit_generator.state
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    tape = probe(model, x)
    assert [r.op for r in tape.records] == ["batch_norm_inference", "sigmoid", "dense"]
    assert [r.layer for r in tape.records] == ["1", "2", "3"]
    assert [layer.training for _, layer in model.named_layers()] == [True, True, False, True, True]
    assert model[0].generator.bit_generator.state == noise
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_probe_puts_noise_back():
    class Noise(Layer):
        def __init__(self):
            super().__init__()
            self.generator = np.random.default_rng(0)

        def draw_noise(self, generator):
            self.generator = generator

        def forward(self, x):
            return x + self.generator.random(x.shape, np.float32)

    model = Sequential(Noise(), Sigmoid(), seed=0)
    first, second = (probe(model, np.zeros((2, 2))).records[-1].output.data for _ in range(2))
    assert np.array_equal(first, second)


def test_saturation_by_hand():
    # 99 % of 200 is 198. Columns: dead below; dead above; on one side for 197 only; on both sides; lively.
    x = np.zeros((200, 5), np.float32)
    x[:, 0] = -5
    x[:198, 1] = 5
    x[:197, 2] = -5
    x[:100, 3], x[100:, 3] = -5, 5
    [found] = saturation(sigmoids_of(x))
    assert found.layer == "0"
    assert found.dead == pytest.approx((200 + 198) / 1000)
    assert found.deciding == pytest.approx((197 + 200) / 1000)
    assert found.saturated == found.dead + found.deciding


def test_saturation_thresholds():
    edge = math.log(0.95 / 0.05)
    for x, saturated in ((edge + 0.01, 1.0), (edge - 0.01, 0.0), (-edge - 0.01, 1.0), (-edge + 0.01, 0.0)):
        assert saturation(sigmoids_of(np.full((3, 1), x)))[0].saturated == saturated


def test_saturation_of_feature_maps():
    x = np.zeros((2, 3, 4, 2))
    x[0, ..., 0] = 9            # half of the map above: not dead
    x[..., 1] = -9
    [found] = saturation(sigmoids_of(x))
    assert (found.dead, found.deciding) == (0.5, 0.25)


def test_saturation_of_what_is_not_finite():
    [found] = saturation(sigmoids_of(np.array([[np.nan, 9.0]])))
    assert math.isnan(found.dead) and math.isnan(found.deciding) and math.isnan(found.saturated)


def test_one_row_for_each_layer_in_order():
    model = Sequential(Dense(4, 3), Sigmoid(), Sequential(Dense(3, 2), Sigmoid()), seed=0)
    tape = probe(model, np.zeros((5, 4)))
    assert [s.layer for s in saturation(tape)] == [p.layer for p in percentiles(tape)] == ["1", "2.1"]
    assert [p.values.shape for p in percentiles(tape)] == [(3, 3), (2, 3)]


def test_percentiles_are_of_the_input():
    x = np.random.default_rng(0).normal(size=(1000, 4)) * [1, 2, 3, 4]
    tape = sigmoids_of(x)
    values = percentiles(tape)[-1].values
    for unit in range(4):
        inputs = tape.find(op="sigmoid")[-1].inputs[0].data[:, unit]
        np.testing.assert_allclose(values[unit], np.percentile(inputs, (15, 50, 85)), rtol=1e-12)
    assert values[3, 2] > 1     # a sigmoid's input and no sigmoid


def test_percentiles_of_feature_maps():
    images = np.random.default_rng(0).random((6, 5, 5, 1))
    model = Sequential(Conv2D(1, 2, 3), Sigmoid(), Flatten(), Dense(18, 3), seed=0)
    tape = probe(model, images)
    x = tape.find(op="sigmoid")[0].inputs[0].data
    assert x.shape == (6, 3, 3, 2)
    for unit in range(2):
        expected = np.percentile(x[..., unit].ravel(), (15, 50, 85))
        np.testing.assert_allclose(percentiles(tape)[0].values[unit], expected, rtol=1e-6)


def test_percentiles_of_what_is_not_finite():
    x = np.array([[np.inf, 1.0], [0.0, 3.0]])
    values = percentiles(sigmoids_of(x))[0].values
    assert np.isnan(values[0]).all()
    np.testing.assert_allclose(values[1], [1.3, 2.0, 2.7])


@pytest.mark.parametrize("instrument", [saturation, percentiles])
def test_tape_without_sigmoids(instrument):
    message = f"{instrument.__name__} expects a tape with sigmoids, got dense, relu: probe a network with"
    with pytest.raises(ValueError, match=message):
        instrument(probe(Sequential(Dense(3, 3), ReLU()), np.zeros((2, 3))))


@pytest.fixture
def step():
    """A model after backward, its tape, and its optimizer."""
    model = Sequential(Dense(4, 3), Sigmoid(), Dense(3, 2), seed=0)
    with dl.Tape(keep_gradients=True) as tape:
        loss = cross_entropy(model(np.random.default_rng(0).normal(size=(7, 4))), np.arange(7) % 2)
    tape.backward(loss)
    return model, tape, SGD(model.parameters(), lr=0.1)


def test_parameter_gradients(step):
    model, _, optimizer = step
    model[0].bias.grad = None
    rows = parameter_gradients(model)
    assert [row.name for row in rows] == ["0.weight", "2.weight", "2.bias"]
    assert rows[0].gradient == pytest.approx(np.sqrt((model[0].weight.grad ** 2).sum()), rel=1e-6)
    assert rows[0].value == pytest.approx(np.sqrt((model[0].weight.data ** 2).sum()), rel=1e-6)
    optimizer.step()
    with pytest.raises(ValueError, match=r"between tape\.backward and optimizer\.step"):
        parameter_gradients(model)


def test_parameter_gradients_of_tiny_and_huge_numbers():
    model = Dense(2, 1, bias=False)
    for size in (1e-30, 1e30):
        model.weight.grad = np.full((2, 1), size, np.float32)
        assert parameter_gradients(model)[0].gradient == pytest.approx(size * math.sqrt(2), rel=1e-6)


def test_activation_gradients(step):
    _, tape, _ = step
    rows = activation_gradients(tape)
    assert [(row.layer, row.op) for row in rows] == [
        ("0", "dense"), ("1", "sigmoid"), ("2", "dense"), ("", "softmax_cross_entropy"),
    ]
    assert rows[1].gradient == pytest.approx(np.linalg.norm(tape.records[1].gradient), rel=1e-6)
    assert rows[3].gradient == 1.0
    with pytest.raises(ValueError, match="keep_gradients=True"):
        activation_gradients(sigmoids_of(np.zeros((2, 2))))


def test_update_ratios(step):
    model, _, optimizer = step
    before, gradient = model.state_dict(), model[0].weight.grad.copy()
    optimizer.step()
    ratios = instruments.update_ratios(before, model.state_dict())
    expected = 0.1 * np.linalg.norm(gradient) / np.linalg.norm(before["0.weight"])
    assert ratios["0.weight"] == pytest.approx(expected, rel=1e-5)
    assert ratios["0.bias"] == math.inf
    assert instruments.update_ratios({"b": np.zeros(2)}, {"b": np.zeros(2)}) == {"b": 0.0}
    with pytest.raises(ValueError, match="the same names twice"):
        instruments.update_ratios(before, {})


def test_any_layer_can_be_probed():
    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.activation = Sigmoid()

        def forward(self, x):
            return self.activation(self.activation(x))

    found = percentiles(probe(Twice(), np.zeros((4, 1))))
    assert [p.layer for p in found] == ["activation", "activation"]
    assert found[1].values.tolist() == [[0.5, 0.5, 0.5]]


def test_a_data_set_is_not_an_array_of_images():
    data = Dataset(np.zeros((2, 4, 4, 1), np.float32), [0, 1], ("a", "b"), "blank")
    with pytest.raises(TypeError, match=r"probe expects an array of images, got a Dataset: use data\.images"):
        probe(Sequential(Flatten(), Dense(16, 2)), data)


@pytest.mark.parametrize("instrument", [saturation, percentiles, activation_gradients])
def test_a_model_is_no_tape(instrument):
    with pytest.raises(TypeError, match=rf"{instrument.__name__} expects a tape, got a Sequential: use"):
        instrument(Sequential(Sigmoid()))
