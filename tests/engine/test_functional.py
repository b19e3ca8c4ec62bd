"""grad and value_and_grad: gradients of plain functions."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl import ops


def test_the_value_and_the_gradient():
    value, gradient = dl.value_and_grad(lambda x: (x**2).sum())(np.array([1.0, 2.0]))
    assert value == 5
    assert type(value) is float
    assert gradient.tolist() == [2, 4]


@pytest.mark.parametrize(("argument", "expected"), [(0, [3, 4]), (1, [1, 2]), (-1, [1, 2]), (-2, [3, 4])])
def test_by_which_argument(argument, expected):
    f = dl.grad(lambda x, y: (x * y).sum(), argument=argument)
    assert f(np.array([1.0, 2.0]), np.array([3.0, 4.0])).tolist() == expected


def test_numbers_lists_tensors_and_parameters_are_taken_as_leaves():
    p = dl.Parameter(np.array([2.0]))
    for x in (2.0, [2.0], dl.Tensor([2.0]), p, p * 1):
        assert float(dl.grad(lambda t: (t**3).sum())(x).sum()) == 12
    assert p.grad is None


def test_a_functions_other_tensors_keep_their_grad():
    p = dl.Parameter(np.array([2.0]))
    assert dl.grad(lambda x: (x * p).sum())(np.array([5.0])).tolist() == [2]
    assert p.grad is None


@pytest.mark.parametrize("argument", [2, -3])
def test_an_argument_that_is_not_there(argument):
    with pytest.raises(ValueError, match=rf"grad by argument {argument} got a call with 2 arguments"):
        dl.grad(lambda x, y: x, argument)(1.0, 2.0)


def test_a_result_that_is_no_scalar_or_no_tensor():
    with pytest.raises(ValueError, match=r"backward expects a scalar loss, got shape \(2,\)"):
        dl.grad(lambda x: x * 2)(np.ones(2))
    with pytest.raises(TypeError, match="backward expects a Tensor"):
        dl.grad(lambda x: 3.0)(np.ones(2))
    with pytest.raises(ValueError, match="doesn't depend on anything that requires a gradient"):
        dl.grad(lambda x: ops.sum(np.ones(2)))(np.ones(2))
