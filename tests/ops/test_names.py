"""Every op tells its name: in its record, and in what it says about arguments that don't fit together."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.gradchecks.ops import CASES

RECORDED = {"cross_entropy": "softmax_cross_entropy"}      # the loss is that op
SEVERAL = [case for case in CASES if len(case.shapes) > 1]
BROADCASTING = [
    "add", "subtract", "multiply", "divide", "floor_divide", "remainder", "power", "maximum", "minimum",
]
AXIS = ["softmax", "log_softmax"]
AXES = ["sum", "mean", "var", "max", "min", "logsumexp"]
X = np.ones((3, 4))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_its_record_bears_its_name(case):
    with dl.Tape() as tape:
        case.function(*[dl.Tensor(a, requires_grad=True) for a in case.inputs()])
    assert tape.records[-1].op == RECORDED.get(case.op, case.op)


@pytest.mark.parametrize("case", SEVERAL, ids=str)
def test_two_dtypes_are_refused_in_its_name(case):
    first, *others = [dl.Tensor(a) for a in case.inputs()]
    message = (
        f"{case.op} expects one dtype, got float32 and float64: convert the model with model.astype(...), "
        f"or the array with .astype(...)"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        case.function(dl.Tensor(first.data.astype(np.float32)), *others)


@pytest.mark.parametrize("name", BROADCASTING)
def test_shapes_that_do_not_broadcast_are_refused_in_its_name(name):
    message = rf"^{name} expects shapes that broadcast together, got \(3, 4\) and \(3,\)$"
    with pytest.raises(ValueError, match=message):
        getattr(ops, name)(X, np.ones(3))


def test_where_refuses_shapes_that_do_not_broadcast():
    message = r"^where expects shapes that broadcast together, got \(2,\) and \(3, 4\) and \(3,\)$"
    with pytest.raises(ValueError, match=message):
        ops.where(np.array([True, False]), X, np.ones(3))


@pytest.mark.parametrize("name", AXIS)
@pytest.mark.parametrize("axis", [-3, 2])
def test_an_axis_beyond_the_last_is_refused_in_its_name(name, axis):
    message = rf"^{name} expects an axis of a tensor of shape \(3, 4\), got axis={axis}$"
    with pytest.raises(ValueError, match=message):
        getattr(ops, name)(X, axis)
    np.testing.assert_array_equal(getattr(ops, name)(X, -2).data, getattr(ops, name)(X, 0).data)


@pytest.mark.parametrize("name", AXES)
@pytest.mark.parametrize("axis", [-3, 2, (0, 0), (1, -1)])
def test_axes_beyond_the_last_or_twice_are_refused_in_its_name(name, axis):
    message = f"{name} expects axes of a tensor of shape (3, 4), each once, got axis={axis}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        getattr(ops, name)(X, axis)


@pytest.mark.parametrize("name", AXES[1:])
def test_reductions_of_nothing_are_refused_in_its_name(name):
    message = f"{name} expects at least 1 value(s) along axis=0, got 0 in shape (0, 3)"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        getattr(ops, name)(np.ones((0, 3)), 0)
    assert getattr(ops, name)(np.ones((1, 3)), 0).shape == (3,)
