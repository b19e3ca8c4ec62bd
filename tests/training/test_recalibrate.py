"""Population statistics: Algorithm 2's average, and what must stay as it was."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minidl as dl
from minidl.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, ReLU, Sequential, Sigmoid
from minidl.training import evaluate, recalibrate, recalibrated


def by_hand(x: np.ndarray, size: int, batches: int) -> tuple[np.ndarray, np.ndarray]:
    """Algorithm 2, step 10, over all axes but the last."""
    parts = [x[i * size : (i + 1) * size].reshape(-1, x.shape[-1]) for i in range(batches)]
    m = len(parts[0])
    mean = np.mean([p.mean(0) for p in parts], axis=0)
    return mean, m / (m - 1) * np.mean([p.var(0) for p in parts], axis=0)


@pytest.mark.parametrize("momentum", [0.1, None, 1.0])
@pytest.mark.parametrize("shape", [(23, 3), (23, 4, 5, 3)])
def test_is_algorithm_2(momentum, shape):
    x = np.random.default_rng(0).normal(5, 3, shape)
    model = Sequential(BatchNorm(3, momentum=momentum)).astype(np.float64)
    model(x[:7] * 100)      # old statistics, far off
    recalibrate(model, (x, np.zeros(23)), batch_size=4)
    mean, var = by_hand(x, 4, 5)
    np.testing.assert_allclose(model[0].running_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(model[0].running_var, var, rtol=1e-12)
    assert model[0].momentum == momentum and int(model[0].batches_seen) == 5
    recalibrate(model, (x, np.zeros(23)), batch_size=4, batches=2)
    np.testing.assert_allclose(model[0].running_var, by_hand(x, 4, 2)[1], rtol=1e-12)


def test_second_layer_sees_the_first_normalised_by_its_batch(data):
    model = Sequential(BatchNorm(4), Dense(4, 2, bias=False), BatchNorm(2), seed=0).astype(np.float64)
    x = data[0].astype(np.float64)
    parts = []
    for i in range(4):
        batch = x[i * 16 : (i + 1) * 16]
        parts.append((batch - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-5) @ model[1].weight.data)
    recalibrate(model, data, batch_size=16)
    mean, var = by_hand(np.concatenate(parts), 16, 4)
    np.testing.assert_allclose(model[2].running_mean, mean, atol=1e-12)
    np.testing.assert_allclose(model[2].running_var, var, rtol=1e-12)


def test_modes_dropout_and_weights_stay(data):
    model = Sequential(Dropout(0.5), BatchNorm(4), Dense(4, 3), BatchNorm(3), seed=0)
    model[3].eval()
    modes = [layer.training for _, layer in model.named_layers()]
    noise = model[0].generator.bit_generator.state
    weight, gamma = model[2].weight.data.copy(), model[1].gamma.data.copy()
    recalibrate(model, data, batch_size=16)
    assert [layer.training for _, layer in model.named_layers()] == modes
    assert model[0].generator.bit_generator.state == noise
    assert np.array_equal(model[2].weight.data, weight) and np.array_equal(model[1].gamma.data, gamma)
    np.testing.assert_allclose(model[1].running_mean, data[0].mean(0), rtol=1e-5)    # no Dropout
    assert abs(model[3].running_var - 1).max() > 1e-3     # a frozen BatchNorm has its population too


def test_recalibrated_puts_the_old_ones_back(build, data):
    model = build()
    model(data[0])
    before = model.state_dict()
    with recalibrated(model, data, batch_size=16):
        assert not np.array_equal(model[1].running_mean, before["1.running_mean"])
        assert int(model[1].batches_seen) == 4
    after = model.state_dict()
    assert all(np.array_equal(before[k], after[k]) for k in before)
    assert model[1].momentum == 0.1
    with pytest.raises(ZeroDivisionError), recalibrated(model, data, batch_size=16):
        raise ZeroDivisionError
    assert np.array_equal(model[1].running_mean, before["1.running_mean"])


def test_failure_half_way_keeps_the_old_ones(data):
    class Fuse(Layer):
        calls = 0

        def forward(self, x):
            self.calls += 1
            if self.calls == 3:
                raise ZeroDivisionError
            return x

    model = Sequential(BatchNorm(4), Fuse())
    with pytest.raises(ZeroDivisionError):
        recalibrate(model, data, batch_size=16)
    assert not model[0].running_mean.any() and int(model[0].batches_seen) == 0
    assert model[0].momentum == 0.1 and model[0].training


def test_one_batch_norm_in_two_places(data):
    shared = BatchNorm(4)
    recalibrate(Sequential(shared, Sigmoid(), shared), data, batch_size=16)
    assert int(shared.batches_seen) == 8 and shared.momentum == 0.1


def test_model_without_batch_norm_is_not_run(data):
    class Never(Layer):
        def forward(self, x):
            raise AssertionError("it was run")

    recalibrate(Sequential(Never()), data, batch_size=16)
    with recalibrated(Sequential(Never()), data, batch_size=16):
        pass


def test_convolutional_model_agrees_with_one_full_batch():
    x = np.random.default_rng(0).random((12, 6, 6, 1))
    model = Sequential(Conv2D(1, 2, 3), BatchNorm(2), ReLU(), Flatten(), Dense(32, 3), seed=0)
    model.astype(np.float64)
    recalibrate(model, (x, np.zeros(12, int)), batch_size=12)
    model.train()
    trained = model(x)
    model.eval()
    m = 12 * 4 * 4
    model[1].running_var = model[1].running_var * (m - 1) / m
    np.testing.assert_allclose(model(x).data, trained.data, rtol=1e-9)


def test_errors(build, data):
    with pytest.raises(ValueError, match=r"1 full batch of 1000 examples, got 64 .* batch_size=64 or less"):
        recalibrate(build(), data)
    with pytest.raises(ValueError, match=r"5 full batches of 16 examples, got 64 .* batch_size=12 or less"):
        recalibrate(build(), data, batch_size=16, batches=5)
    for options in ({"batch_size": 0}, {"batch_size": 1.5}, {"batch_size": 16, "batches": 0}):
        with pytest.raises(ValueError, match="whole number of 1 or more"):
            recalibrate(build(), data, **options)
    with dl.Tape(), pytest.raises(RuntimeError, match="outside `with Tape"):
        recalibrate(build(), data, batch_size=16)


def test_population_statistics_are_those_of_the_first_10_000_images(build):
    rng = np.random.default_rng(0)
    inputs = np.concatenate([rng.normal(0, 1, (10_000, 4)), rng.normal(50, 1, (2_000, 4))]).astype(np.float32)
    train = inputs, np.zeros(len(inputs), int)
    model = build()
    few = inputs[:100], np.arange(100) % 3
    found = evaluate(model, few, statistics="population", training_data=train)
    recalibrate(model, (inputs[:10_000], train[1][:10_000]))
    assert found == evaluate(model, few)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_data_that_is_not_finite_is_refused_and_changes_nothing(bad, build, same):
    inputs = np.ones((64, 4), np.float32)
    inputs[40, 2] = bad
    model, before = build(), build()
    refused = pytest.raises(ValueError, match="recalibrate got NaN or infinity in example 40")
    with np.errstate(all="ignore"), refused:
        recalibrate(model, (inputs, np.zeros(64, int)), batch_size=16)
    assert same(model, before)
    recalibrate(model, (inputs, np.zeros(64, int)), batch_size=16, batches=2)   # it isn't among these


def test_a_network_that_overflows_has_no_population_statistics(build, data):
    model = build()
    model[0].weight.data = np.full((4, 8), 3e38, np.float32)
    with np.errstate(all="ignore"):
        recalibrate(model, data, batch_size=16)
        assert np.isnan(model[1].running_var).all()
        assert math.isnan(evaluate(model, data).loss)
