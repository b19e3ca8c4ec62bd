"""Evaluation: averages over examples, and no trace left."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minidl as dl
from minidl.datasets import Dataset
from minidl.layers import BatchNorm, Dense, Dropout, Layer, Sequential
from minidl.losses import cross_entropy, mse
from minidl.training import Evaluation, evaluate, predict, recalibrated


def test_averages_over_examples_not_over_batches(build, data):
    model = build().astype(np.float64)
    whole = evaluate(model, data, batch_size=64)
    logits = predict(model, data[0])
    assert whole.loss == pytest.approx(cross_entropy(logits, data[1]).item(), rel=1e-12)
    assert whole.accuracy == np.mean(logits.argmax(1) == data[1])
    for size in (1, 7, 60):     # the last batch is short, and 60 leaves 4
        result = evaluate(model, data, batch_size=size)
        assert result.loss == pytest.approx(whole.loss, rel=1e-12) and result.accuracy == whole.accuracy


def test_result_is_plain_and_frozen(build, data):
    result = evaluate(build(), data)
    assert type(result.loss) is float and type(result.accuracy) is float
    with pytest.raises(AttributeError):
        result.loss = 0.0
    assert Evaluation(1.0, 0.5) == Evaluation(1.0, 0.5)


def test_evaluates_in_evaluation_mode_and_keeps_modes(data):
    model = Sequential(Dropout(0.9), BatchNorm(4), Dense(4, 3), BatchNorm(3), seed=0)
    model[1].eval()
    modes = [layer.training for _, layer in model.named_layers()]
    a, b = evaluate(model, data), evaluate(model, data)
    assert a == b
    assert [layer.training for _, layer in model.named_layers()] == modes
    with model.evaluating():
        assert a == evaluate(model, data)


@pytest.mark.parametrize("statistics", ["moving", "population"])
def test_changes_nothing(build, data, statistics):
    class Noise(Layer):     # noise in evaluation mode too, as some layers have
        def __init__(self):
            super().__init__()
            self.generator = np.random.default_rng(0)
            self.buffer("calls", np.zeros((), np.int64))

        def draw_noise(self, generator):
            self.generator = generator

        def forward(self, x):
            self.calls = self.calls + 1
            return x + self.generator.random(x.shape, np.float32)

    model = Sequential(Noise(), BatchNorm(4), Dense(4, 3), seed=0)
    model(data[0])
    before, noise = model.state_dict(), model[0].generator.bit_generator.state
    evaluate(model, data, statistics=statistics, training_data=data)
    predict(model, data[0])
    assert model[0].generator.bit_generator.state == noise
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_modes_come_back_after_an_error(data):
    model = Sequential(Dense(4, 2), BatchNorm(2))
    try:
        evaluate(model, data)       # labels up to 2, 2 classes
    except ValueError as caught:    # its traceback keeps the frames alive: the modes must be back in spite
        error = caught
    assert "labels from 0 to 1" in str(error)
    assert all(layer.training for _, layer in model.named_layers())


def test_population_statistics(build, data):
    model = build()
    train = data[0] * 3, data[1]
    with recalibrated(model, train, batch_size=64):
        expected = evaluate(model, data)
    assert evaluate(model, data, statistics="population", training_data=train) == expected
    assert evaluate(model, data) != expected


def test_errors(build, data):
    with pytest.raises(ValueError, match=r"expects training_data= for statistics='population'"):
        evaluate(build(), data, statistics="population")
    with pytest.raises(ValueError, match=r"'moving' or 'population', got 'batch'"):
        evaluate(build(), data, statistics="batch")
    with pytest.raises(ValueError, match=r"batch_size to be a whole number"):
        evaluate(build(), data, batch_size=0)
    with dl.Tape(), pytest.raises(RuntimeError, match="evaluate would be recorded"):
        evaluate(build(), data)


def test_accuracy_is_nan_where_targets_are_no_classes(data):
    model = Dense(4, 2)
    result = evaluate(model, (data[0], np.ones((64, 2))), loss=mse)
    assert math.isnan(result.accuracy) and result.loss == pytest.approx(
        float(np.mean((predict(model, data[0]) - 1) ** 2)), rel=1e-5
    )


@pytest.mark.parametrize(("outputs", "targets"), [
    (1, np.arange(64)),                     # one output for whole numbers: a regression
    (3, np.linspace(0, 2, 64)),             # numbers that are no classes
    (3, np.zeros((64, 1), int)),
])
def test_accuracy_needs_classes(data, outputs, targets):
    def loss(x, t):
        return mse(x.sum(axis=1), t.reshape(-1).astype(np.float32))

    assert math.isnan(evaluate(Dense(4, outputs), (data[0], targets), loss=loss).accuracy)


def test_data_set_and_pair_are_the_same():
    images = np.random.default_rng(0).random((10, 2, 2, 1)).astype(np.float32)
    dataset = Dataset(images, np.arange(10) % 3, ("a", "b", "c"), "noise", synthetic=True)
    model = Sequential(dl.layers.Flatten(), Dense(4, 3), seed=0)
    assert evaluate(model, dataset) == evaluate(model, (images, dataset.labels))


def test_predict(build, data):
    model = build()
    outputs = predict(model, data[0], batch_size=10)
    assert outputs.shape == (64, 3) and type(outputs) is np.ndarray
    with model.evaluating():
        np.testing.assert_allclose(outputs, model(data[0]).data, rtol=1e-5, atol=1e-6)
    assert model.training
    with pytest.raises(TypeError, match=r"use data\.images"):
        predict(model, data)
    with pytest.raises(ValueError, match="at least one"):
        predict(model, np.zeros((0, 4)))
