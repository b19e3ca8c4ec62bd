"""Elementwise ops: values, choices at kinks and limits, messages."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl import ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))
Y = RNG.uniform(0.5, 2, (4,))


@pytest.mark.parametrize(("name", "function"), [
    ("add", np.add), ("subtract", np.subtract), ("multiply", np.multiply), ("divide", np.divide),
    ("floor_divide", np.floor_divide), ("remainder", np.remainder),
    ("maximum", np.maximum), ("minimum", np.minimum),
])
def test_values_with_broadcasting(name, function):
    np.testing.assert_array_equal(getattr(ops, name)(X, Y).data, function(X, Y))


@pytest.mark.parametrize(("name", "function"), [
    ("negative", np.negative), ("exp", np.exp), ("abs", np.abs),
])
def test_values_of_one_argument(name, function):
    np.testing.assert_array_equal(getattr(ops, name)(X).data, function(X))


def test_values_on_positive_numbers():
    np.testing.assert_array_equal(ops.log(Y).data, np.log(Y))
    np.testing.assert_array_equal(ops.sqrt(Y).data, np.sqrt(Y))
    np.testing.assert_allclose(ops.power(Y, X).data, np.exp(X * np.log(Y)), rtol=1e-14)


def gradients(f, *arrays):
    return [dl.grad(lambda *x: f(*x).sum(), argument=i)(*arrays).tolist() for i in range(len(arrays))]


def test_equal_arguments_of_maximum_and_minimum_share_the_gradient():
    x, y = np.array([1.0, 2.0, 3.0, np.inf]), np.array([2.0, 2.0, 2.0, np.inf])
    assert gradients(ops.maximum, x, y) == [[0, 0.5, 1, 0.5], [1, 0.5, 0, 0.5]]
    assert gradients(ops.minimum, x, y) == [[1, 0.5, 0, 0.5], [0, 0.5, 1, 0.5]]


def test_abs_has_gradient_0_at_0():
    assert gradients(ops.abs, np.array([-2.0, 0.0, 3.0])) == [[-1, 0, 1]]


def test_clip_lets_the_gradient_through_inside_and_at_its_limits():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert ops.clip(x, -1, 1).data.tolist() == [-1, -1, 0, 1, 1]
    assert gradients(lambda t: ops.clip(t, -1, 1), x) == [[0, 1, 1, 1, 0]]
    assert ops.clip(x, low=0).data.tolist() == [0, 0, 0, 1, 2]
    assert ops.clip(x, high=0).data.tolist() == [-2, -1, 0, 0, 0]
    assert ops.clip(dl.Tensor([2.0]), np.float64(0), np.float64(1)).dtype == np.float32
    assert ops.clip(x, 1, 1).data.tolist() == [1] * 5


def test_clip_refuses_no_limit_and_limits_that_cross():
    with pytest.raises(ValueError, match=r"^clip expects a lower or an upper limit, got none$"):
        ops.clip(X)
    with pytest.raises(ValueError, match=r"^clip expects low <= high, got 1 and 0$"):
        ops.clip(X, 1, 0)


def test_power_has_the_limits_of_its_gradients_at_0():
    base = np.array([0.0, 0.0, 0.0, 2.0])
    exponent = np.array([0.0, 1.0, 2.0, 0.0])
    assert gradients(ops.power, base, exponent) == [[0, 1, 0, 0], [0, 0, 0, pytest.approx(np.log(2))]]


def test_powers_of_negative_numbers_have_gradients():
    assert gradients(lambda t: t**3, np.array([-2.0, -1.0, 0.0])) == [[12, 3, 0]]
    assert gradients(lambda t: t**2, np.array([-2.0, 0.0])) == [[-4, 0]]


def test_where_takes_a_boolean_condition():
    chosen = ops.where(np.array([True, False]), dl.Tensor([1.0, 2.0]), 0.0)
    assert chosen.data.tolist() == [1, 0]
    rows = ops.where(np.array([[True], [False]]), dl.Tensor([1.0, 2.0]), dl.Tensor(5.0))
    assert rows.data.tolist() == [[1, 2], [5, 5]]
    message = r"where expects a Boolean condition, got shape \(3, 4\) .* compare, as in x > 0"
    with pytest.raises(TypeError, match=message):
        ops.where(X, X, X)


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "power", "maximum"])
def test_shapes_that_do_not_broadcast_are_named(name):
    message = rf"{name} expects shapes that broadcast together, got \(3, 4\) and \(3,\)"
    with pytest.raises(ValueError, match=message):
        getattr(ops, name)(X, np.ones(3))


def test_numbers_and_arrays_take_the_dtype_of_the_tensors_that_they_meet():
    small, large = dl.Tensor([0.1, 0.2]), dl.Tensor(np.array([0.1, 0.2]))
    for other in (0.1, 3, True, np.float64(0.1), np.arange(2), np.array([0.1, 0.3]), [0.1, 0.2]):
        assert (small * other).dtype == np.float32
        assert (large * other).dtype == np.float64
    assert (large * 0.1).data.tolist() == (np.array([0.1, 0.2]) * 0.1).tolist()     # not by way of float32


def test_without_a_tensor_arrays_keep_their_dtype_and_numbers_follow():
    assert ops.add(1, 2).dtype == np.float32
    assert ops.add(np.ones(2), 0.1).data.tolist() == [1.1, 1.1]
    assert ops.add(np.ones(2, np.float32), 0.1).dtype == np.float32
    assert ops.add(np.ones(2), np.arange(2)).dtype == np.float64


def test_two_float_dtypes_in_one_op_are_an_error():
    with pytest.raises(TypeError, match=r"multiply expects one dtype, got float32 and float64: .*astype"):
        dl.Tensor([1.0]) * dl.Tensor(np.ones(1))
    assert ops.add(np.ones(2), np.ones(2, np.float32)).dtype == np.float64      # arrays alone: as in NumPy


def test_unbroadcast_sums_over_added_and_stretched_axes():
    g = RNG.normal(size=(2, 3, 4))
    unbroadcast = ops.elementwise.unbroadcast
    np.testing.assert_allclose(unbroadcast(g, (3, 4)), g.sum(0))
    np.testing.assert_allclose(unbroadcast(g, (1, 4)), g.sum((0, 1))[None])
    np.testing.assert_allclose(unbroadcast(g, (2, 1, 1)), g.sum((1, 2), keepdims=True))
    np.testing.assert_allclose(unbroadcast(g, ()), g.sum())
    np.testing.assert_allclose(unbroadcast(g[..., :1], (2, 1, 1)), g[..., :1].sum(1, keepdims=True))
    assert unbroadcast(g, (2, 3, 4)) is g
