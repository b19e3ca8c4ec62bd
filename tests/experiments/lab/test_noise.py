"""Noisy BN without its noise, and when a curve crosses a level."""

from __future__ import annotations

import numpy as np

from minidl.experiments.lab.covariate_shift import gradient_shift
from minidl.experiments.lab.figure1 import crossing, movement
from minidl.experiments.lab.layers import NoisyBatchNorm
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.noise import noiseless
from minidl.experiments.lab.training import data_of


def test_without_noise_a_network_computes_what_the_noisy_one_does_on_average():
    model = build(Network(batch_norm=True, depth=1), 0, NoisyBatchNorm)[:3]     # up to the normalisation
    x = np.random.default_rng(0).random((50, 28, 28, 1)).astype(np.float32)
    with model.preserved():
        mean = np.mean([model(x).data for _ in range(2_000)], axis=0)
    quiet = noiseless(model)
    before = {name: np.array(p.data) for name, p in model.named_parameters()}
    y = quiet(x).data
    np.testing.assert_array_equal(y, quiet(x).data)
    np.testing.assert_allclose(y, mean, atol=0.05)
    assert np.abs(y / 1.125 - mean).max() > 0.1         # without the factor it would be another function
    assert all(np.array_equal(p.data, before[name]) for name, p in model.named_parameters())
    assert not np.array_equal(model(x).data, model(x).data)     # the model itself is as noisy as before


def test_a_crossing_lies_between_two_measurements():
    steps = [10, 100, 1000, 10_000]
    assert crossing(90, steps, [80.0, 80.0, 100.0, 100.0]) == round(10**2.5, 6)
    assert crossing(90, steps, [95.0, 96.0, 97.0, 98.0]) == 10
    assert crossing(90, steps, [80.0, 95.0, 80.0, 95.0]) == np.inf      # never two in a row
    assert crossing(90, steps, [95.0, 80.0, 90.0, 95.0]) == 1000


def test_a_network_lost_before_it_counts_has_moved_without_bounds():
    assert movement([], [], after=10) == np.inf
    assert movement([1, 5], np.zeros((2, 3, 3)), after=10) == np.inf
    assert movement([10, 20], np.zeros((2, 3, 3)), after=10) == 0       # dead, and staying where it is


def test_the_gradient_of_the_first_layer_does_not_shift_and_a_longer_step_shifts_the_others_more():
    data = data_of("stroke-digits")
    model = build(Network(batch_norm=True), 0)
    before = [np.array(p.data) for p in model.parameters()]
    short, long = gradient_shift(model, data, 0.01), gradient_shift(model, data, 1.0)
    assert short[0][0] < 1e-9 and short[0][1] == 0
    assert all(0 < a[1] < b[1] for a, b in zip(short[1:], long[1:], strict=True))
    for p, old in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, old)
