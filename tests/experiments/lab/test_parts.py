"""The parts of experiments, each by itself: choices, drift, shifts, noise, identities, and wrong names."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl.experiments.lab import Job, Record, run_experiment, scale_of
from minidl.experiments.lab.choice import beyond, choice_jobs, chosen
from minidl.experiments.lab.cnn import shifted
from minidl.experiments.lab.drift import drift, total_drift
from minidl.experiments.lab.experiment import log2_ratio
from minidl.experiments.lab.figure1 import movement
from minidl.experiments.lab.gamma_beta import linear_r2
from minidl.experiments.lab.layer_dependence import scale_invariance
from minidl.experiments.lab.layers import NoisyBatchNorm, PerActivationBatchNorm
from minidl.experiments.lab.learning_rates import limit, width
from minidl.experiments.lab.saturation import at_loss
from minidl.layers import BatchNorm, Sequential

SCALE = scale_of("default")


def scored(arm="BN", rates=(0.1, 0.2, 0.4), best=0.2, **fixed):
    jobs = choice_jobs("figure1", arm, {"lr": rates, "init": ("a", "b")}, SCALE, **fixed)

    def score(settings):
        return 90 - abs(np.log(settings["lr"] / best)) - (settings["init"] == "a")

    return [Record(job, {"validation": score(job.settings)}, {}, 0) for job in jobs]


def test_the_best_of_the_grid_is_chosen_by_its_mean():
    found = chosen(scored(steps=5), "BN", ("lr", "init"), steps=5)
    assert (found.settings, found.at_edge, found.trials) == ({"lr": 0.2, "init": "b"}, (), 12)
    with pytest.raises(ValueError, match="chosen expects records of a choice for plain, got none"):
        chosen(scored(), "plain", ("lr",))


@pytest.mark.parametrize(("best", "further"), [(0.4, 0.8), (0.1, 0.05), (0.2, None)])
def test_a_best_value_at_the_edge_extends_the_grid(best, further):
    jobs = beyond(scored(best=best), "BN")
    assert {job.settings["lr"] for job in jobs} == ({further} if further else set())
    assert all(job.settings["init"] == "b" for job in jobs)
    assert len({job.seed for job in jobs}) == len(jobs) == (SCALE.choice_seeds if further else 0)


def test_seeds_that_choose_are_not_reported():
    assert min(job.seed for job in choice_jobs("cnn", "BN", {"lr": (1.0,)}, SCALE)) >= SCALE.mlp_seeds


def test_a_ratio_in_bits_has_a_cap_and_no_nan():
    assert log2_ratio([4, 1, 1, 0, np.nan], [1, 4, 0, 0, 1]) == [2, -2, 10, 0, 0]


def test_movement_is_counted_after_a_step_in_units_of_the_width():
    inputs = np.zeros((4, 1, 3))
    inputs[:, 0] = [[-100, 0, 100], [-1, 0, 1], [0, 1, 2], [2, 3, 4]]
    assert movement([1, 10, 20, 30], inputs, after=10) == 3 / 2


def test_drift_leaves_out_units_without_a_spread():
    still = (np.zeros(2), np.ones(2))
    moved = (np.array([1.0, 99.0]), np.array([2.0, 0.0]))
    assert drift([still], [moved]) == [1.0]
    assert total_drift([[still], [still], [moved]]) == [1.0]
    assert np.isnan(drift([still], [(np.zeros(2), np.zeros(2))])).all()
    assert np.isnan(total_drift([[still]])).all()


def test_values_at_a_loss_that_was_never_reached_are_those_of_the_least():
    assert at_loss([2.0, 1.0, 1.5], [0.0, 5.0, 9.0], 0.5) == 5.0
    assert at_loss([2.0, 1.0], [3.0, 5.0], 2.5) == 3.0


def test_the_range_of_rates_is_the_longest_run():
    rates = [0.01, 0.1, 1.0, 10.0, 100.0]
    assert width(rates, [95, 95, 20, 95, 20]) == 2.0
    assert width(rates, [20] * 5) == 0.0
    assert limit(rates, [95, 95, 20, 95, 20]) == 1.0
    assert limit(rates, [20] * 5) == -3.0


@pytest.mark.parametrize(("down", "right"), [(2, 0), (-1, 0), (0, 3), (0, -2), (1, 1)])
def test_shifted_images(down, right):
    images = np.random.default_rng(0).random((2, 6, 6, 1))
    expected = np.zeros_like(images)
    for i in range(6):
        for j in range(6):
            if 0 <= i - down < 6 and 0 <= j - right < 6:
                expected[:, i, j] = images[:, i - down, j - right]
    np.testing.assert_array_equal(shifted(images, down, right), expected)


def test_r_squared_of_a_linear_network_is_one_and_of_noise_is_not():
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(400, 5)).astype(np.float32)
    pixels[:, 0] = 1        # a constant one tells nothing
    linear = pixels @ rng.normal(size=(5, 3)).astype(np.float32) + 2
    assert linear_r2(pixels, linear) == pytest.approx(1, abs=1e-6)
    assert linear_r2(pixels, rng.normal(size=(400, 3))) < 0.2


def test_scale_invariance_is_exact_as_epsilon_goes_to_zero():
    usual, tiny = scale_invariance(2.0, 1e-5), scale_invariance(2.0, 1e-14)
    assert max(tiny) < 1e-12
    assert 1e-9 < max(usual) < 1e-4


def test_noisy_batch_norm_is_noisy_in_training_alone():
    x = np.random.default_rng(0).normal(3, 2, (200, 4)).astype(np.float32)
    model, clean = Sequential(NoisyBatchNorm(4), seed=0), BatchNorm(4)
    first, second = model(x).data, model(x).data
    assert not np.array_equal(first, second)
    assert 0.05 < np.abs(first.mean(axis=0)).max() < 0.7
    assert first.std(axis=0).min() > 0.9
    clean(x), clean(x)
    np.testing.assert_array_equal(model.eval()(x).data, clean.eval()(x).data)


def test_per_activation_batch_norm_normalises_each_pixel():
    x = np.random.default_rng(0).normal(size=(50, 3, 3, 2)).astype(np.float32)
    x += np.arange(9, dtype=np.float32).reshape(3, 3, 1)
    y = PerActivationBatchNorm(18)(dl.Tensor(x)).data
    assert y.shape == x.shape
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-5)
    assert np.abs(BatchNorm(2)(x).data.mean(axis=0)).max() > 0.5


def test_names_that_nobody_knows():
    with pytest.raises(ValueError, match=r"lab expects one of figure1, .*, got 'figure2'"):
        run_experiment("figure2", SCALE)
    with pytest.raises(ValueError, match="scale_of expects one of quick, default, full, got 'huge'"):
        scale_of("huge")
    with pytest.raises(ValueError, match="scale_of expects seeds to be a whole number of 2 or more, got 1"):
        scale_of("quick", seeds=1)
    assert Job("figure1", "BN", 0).purpose == "report"
