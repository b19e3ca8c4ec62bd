"""Initialisers: fans, spreads, distributions, orthogonality, names and pickling."""

from __future__ import annotations

import math
import pickle
from functools import partial

import numpy as np
import pytest

from minidl import init

DENSE = (60, 90)
CONV = (3, 5, 8, 12)        # fan_in 120, fan_out 180

# The variance that each rule promises, from its paper.
VARIANCES = {
    "glorot_uniform": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "glorot_normal": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he_uniform": lambda fan_in, fan_out: 2 / fan_in,
    "he_normal": lambda fan_in, fan_out: 2 / fan_in,
    "lecun_uniform": lambda fan_in, fan_out: 1 / fan_in,
    "lecun_normal": lambda fan_in, fan_out: 1 / fan_in,
}
NAMES = [*VARIANCES, "zeros", "orthogonal"]


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_fans():
    assert init.fans((784, 100)) == (784, 100)
    assert init.fans(CONV) == (120, 180)


@pytest.mark.parametrize("gain", [1.0, 4.0])
@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), [(DENSE, 60, 90), (CONV, 120, 180)])
@pytest.mark.parametrize("name", VARIANCES)
def test_spread_and_distribution(name, shape, fan_in, fan_out, gain):
    draw = init.resolve(name) if gain == 1 else partial(init.resolve(name), gain=gain)
    values = np.concatenate([draw(np.random.default_rng(seed), shape).ravel() for seed in range(20)])
    std = gain * math.sqrt(VARIANCES[name](fan_in, fan_out))
    assert values.std() == pytest.approx(std, rel=0.01)     # at least 108,000 values: 1 % is over four sigma
    assert abs(values.mean()) < 0.02 * std
    if name.endswith("uniform"):
        assert abs(values).max() <= math.sqrt(3) * std
        assert abs(values).max() > 0.999 * math.sqrt(3) * std
    else:
        assert abs(values).max() > 3.5 * std
        assert (abs(values) < std).mean() == pytest.approx(0.6827, abs=0.01)


def test_the_limits_of_the_papers():
    assert abs(init.glorot_uniform(rng(), (100, 50))).max() <= math.sqrt(6 / 150)
    assert abs(init.he_uniform(rng(), (100, 50))).max() <= math.sqrt(6 / 100)
    assert abs(init.lecun_uniform(rng(), (100, 50))).max() <= math.sqrt(3 / 100)


def test_glorot_times_four_is_four_times_glorot():
    np.testing.assert_allclose(
        partial(init.glorot_uniform, gain=4)(rng(), DENSE), 4 * init.glorot_uniform(rng(), DENSE), rtol=1e-15
    )


def test_gaussian():
    draw = init.gaussian(0.1)
    values = draw(rng(), (784, 100))
    assert values.std() == pytest.approx(0.1, rel=0.01)
    assert abs(values.mean()) < 0.002
    assert draw(rng(), (5,)).shape == (5,)
    assert not init.gaussian(0)(rng(), (3, 3)).any()


@pytest.mark.parametrize("std", [-0.1, math.nan, math.inf])
def test_gaussian_refuses(std):
    with pytest.raises(ValueError, match="gaussian expects a finite std of 0 or more, got"):
        init.gaussian(std)


@pytest.mark.parametrize(("shape", "rows", "columns"), [
    ((40, 40), 40, 40), ((50, 20), 50, 20), ((20, 50), 20, 50), ((3, 3, 4, 8), 36, 8), ((1, 1, 4, 9), 4, 9),
])
def test_orthogonal(shape, rows, columns):
    weight = init.orthogonal(rng(), shape)
    assert weight.shape == shape
    np.testing.assert_allclose(init.orthogonal(rng(), shape, gain=3.0), 3 * weight, rtol=1e-14)
    matrix = weight.reshape(rows, columns)
    gram = matrix.T @ matrix if columns <= rows else matrix @ matrix.T
    np.testing.assert_allclose(gram, np.eye(min(rows, columns)), atol=1e-13)


def test_orthogonal_matrices_are_equally_likely():
    # LAPACK's own signs would prefer some matrices; with ours rotations and reflections are alike.
    draws = np.array([init.orthogonal(np.random.default_rng(seed), (2, 2)) for seed in range(400)])
    assert (np.linalg.det(draws) > 0).mean() == pytest.approx(0.5, abs=0.1)
    assert abs(draws.mean(axis=0)).max() < 0.15


@pytest.mark.parametrize("name", NAMES)
def test_every_initialiser(name):
    draw = init.resolve(name)
    assert draw is getattr(init, name)
    assert draw(rng(), DENSE).shape == DENSE
    assert draw(rng(), DENSE).dtype == np.float64
    np.testing.assert_array_equal(draw(rng(), CONV), pickle.loads(pickle.dumps(draw))(rng(), CONV))
    if name != "zeros":
        assert (draw(rng(), DENSE) != draw(np.random.default_rng(8), DENSE)).any()


def test_made_initialisers_survive_pickling():
    for draw in (init.gaussian(0.1), partial(init.glorot_uniform, gain=4)):
        np.testing.assert_array_equal(draw(rng(), DENSE), pickle.loads(pickle.dumps(draw))(rng(), DENSE))


def test_zeros():
    assert not init.zeros(rng(), (3, 4)).any()


@pytest.mark.parametrize("shape", [(10,), (), (0, 10), (10, 0)])
@pytest.mark.parametrize("name", [*VARIANCES, "orthogonal"])
def test_shapes_without_fans_are_refused(name, shape):
    with pytest.raises(ValueError, match=r"expects a weight \(in, out\).*use zeros or gaussian"):
        init.resolve(name)(rng(), shape)


@pytest.mark.parametrize("gain", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", [*VARIANCES, "orthogonal"])
def test_gains_are_checked(name, gain):
    with pytest.raises(ValueError, match="expects a finite gain above 0, got"):
        init.resolve(name)(rng(), DENSE, gain=gain)


def test_resolve_gives_functions_back():
    draw = init.gaussian(0.1)
    assert init.resolve(draw) is draw


@pytest.mark.parametrize("unknown", ["xavier", "fans", "", 3, None])
def test_resolve_lists_the_names(unknown):
    with pytest.raises(ValueError) as error:
        init.resolve(unknown)
    assert all(name in str(error.value) for name in NAMES)
    assert repr(unknown) in str(error.value)


@pytest.mark.parametrize("bare", ["gaussian", init.gaussian])
def test_gaussian_needs_its_standard_deviation(bare):
    with pytest.raises(ValueError, match=r"^init expects gaussian with .* use init=gaussian\(0.1\)"):
        init.resolve(bare)
