"""A record: its name, its print, and what it says about a vector-Jacobian product that is wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl import Tape, Tensor


def pull_back(returned, shapes=((2, 3), (2, 3))):
    """The parts that a vjp's answer becomes; an exception, if it is one, comes out of the vjp."""
    def vjp(g):
        if isinstance(returned, Exception):
            raise returned
        return returned

    inputs = tuple(Tensor(np.ones(shape), requires_grad=True) for shape in shapes)
    with Tape() as tape:
        dl.record("bad", np.ones((2, 3)), inputs, vjp)
    return tape.records[0].pull_back(np.ones((2, 3)))


def test_it_prints_its_op_its_layer_and_its_shapes():
    a, b = Tensor(np.ones((2, 1)), requires_grad=True), Tensor(np.ones(3))
    with Tape() as tape:
        a * b
        tape.layer = "0.inner"
        a * b
        tape.layer = ""
        a * b
    assert [repr(r) for r in tape.records] == [
        "Record(multiply: (2, 1), (3,) -> (2, 3))",
        "Record(multiply (layer 0.inner): (2, 1), (3,) -> (2, 3))",
        "Record(multiply: (2, 1), (3,) -> (2, 3))",
    ]
    assert tape.records[0].gradient is None


RIGHT = np.ones((2, 3))
COUNT = "the vjp of bad must return a tuple with one array (or None) for each of the 2 inputs, got "
INPUT = "the vjp of bad must return for input {} an array of shape (2, 3) of float64, got "


@pytest.mark.parametrize(("returned", "message"), [
    ((RIGHT,), COUNT + "1"), ([RIGHT] * 3, COUNT + "3"), (None, COUNT + "NoneType None"),
    (RIGHT, COUNT + "shape (2, 3) of float64"),
    ((RIGHT.T, RIGHT), INPUT.format(0) + "shape (3, 2) of float64"),
    ((None, RIGHT.T), INPUT.format(1) + "shape (3, 2) of float64"),
    ((RIGHT, RIGHT.astype(np.float32)), INPUT.format(1) + "shape (2, 3) of float32"),
    ((RIGHT, np.float64(1)), INPUT.format(1) + "shape () of float64"),
    ((RIGHT, 1.0), INPUT.format(1) + "float 1.0"),
    ((RIGHT, Tensor(RIGHT)), INPUT.format(1) + "a Tensor, shape (2, 3) of float64"),
])
def test_a_wrong_vjp_is_one_sentence(returned, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        pull_back(returned)


@pytest.mark.parametrize("part", [np.float32(1), np.ones(1), 1.0], ids=repr)
def test_of_numbers_only_numpys_own_of_the_right_dtype_stands_for_an_array_without_axes(part):
    message = "the vjp of bad must return for input 0 an array of shape () of float64, got "
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        pull_back((part,), shapes=((),))
    (taken,) = pull_back((np.float64(2),), shapes=((),))
    assert (type(taken), taken.shape, taken.item()) == (np.ndarray, (), 2)


def test_none_and_arrays_pass():
    assert pull_back([None, RIGHT]) == [None, RIGHT]
    assert pull_back((RIGHT, None)) == [RIGHT, None]


def test_an_exception_inside_a_vjp_gets_a_note():
    with pytest.raises(ZeroDivisionError) as caught:
        pull_back(ZeroDivisionError("1 // 0"))
    assert caught.value.__notes__ == ["in the vector-Jacobian product of bad"]


@pytest.mark.parametrize("i", [0, 1])
def test_an_anomaly_names_the_input_that_it_is_sent_to(i):
    parts = [None, None]
    parts[i] = RIGHT * np.nan
    message = f"NaN or infinity in the gradient that bad sends to input {i} (2, 3)"
    with dl.detect_anomaly(), pytest.raises(FloatingPointError, match=f"^{re.escape(message)}$"):
        pull_back(parts)


@pytest.mark.parametrize("i", [0, 1])
def test_a_changed_parameter_is_told_with_its_versions(i):
    inputs = dl.Parameter(np.zeros(2)), dl.Parameter(np.zeros((2, 1)))
    with Tape() as tape:
        y = (inputs[0] * inputs[1]).sum()
    inputs[i].data = inputs[i].data + 1
    message = (
        f"multiply used a parameter {inputs[i].shape} that was changed afterwards (version 0, now 1): call "
        f"backward before the optimizer's step, or whatever else sets its .data or .requires_grad"
    )
    with pytest.raises(RuntimeError, match=f"^{re.escape(message)}$"):
        tape.backward(y)
