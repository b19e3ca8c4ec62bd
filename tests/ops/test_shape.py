"""Ops that move elements: values, repeated indices, messages."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.gradchecks.ops import INDICES

X = np.arange(12.0).reshape(3, 4)


def test_reshape_is_row_major_for_any_layout():
    for a in (X, np.asfortranarray(X), X[::-1]):
        np.testing.assert_array_equal(ops.reshape(a, (2, -1)).data, a.reshape(2, -1))
    t = dl.Tensor(X)
    assert all(t.reshape(n).shape == (12,) for n in (12, -1, (12,), [12], np.int64(12)))
    assert t.reshape(2, 6).shape == (2, 6)
    assert dl.Tensor([1.0]).reshape().shape == ()


def test_transpose_reverses_or_reorders():
    x = dl.Tensor(np.zeros((2, 3, 4)))
    assert x.T.shape == x.transpose().shape == (4, 3, 2)
    assert x.transpose(1, 0, 2).shape == (3, 2, 4)
    assert x.transpose((1, 0, 2)).shape == x.transpose([1, 0, -1]).shape == (3, 2, 4)
    assert dl.Tensor(1.0).T.shape == ()


@pytest.mark.parametrize("name", INDICES)
def test_indexing_picks_what_numpy_picks(name):
    y = dl.Tensor(X)[INDICES[name]]
    expected = np.asarray(X[INDICES[name]])
    assert y.shape == expected.shape
    np.testing.assert_array_equal(y.data, expected)


@pytest.mark.parametrize("index", [[0, 0, 2, 0], np.array([0, 0, 2, 0]), ((0, 0, 2, 0),)], ids=str)
def test_an_element_that_is_picked_several_times_gets_the_sum(index):
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    assert dl.grad(lambda t: (t[index] * weights).sum())(np.zeros(3)).tolist() == [1011, 0, 100]


def test_joining():
    a, b = dl.Tensor([[1.0], [2.0]]), dl.Tensor([[3.0], [4.0]])
    assert ops.concatenate([a, b]).data.tolist() == [[1], [2], [3], [4]]
    assert ops.concatenate((a, b), axis=1).data.tolist() == [[1, 3], [2, 4]]
    assert ops.stack([a, b]).shape == (2, 2, 1)
    assert ops.stack([a, b], axis=-1).data.tolist() == [[[1, 3]], [[2, 4]]]
    assert ops.concatenate([a, np.zeros((1, 1))]).dtype == np.float32


@pytest.mark.parametrize("widths", [1, (1, 0), ((0, 2), (3, 1)), np.array([2, 1])], ids=str)
def test_pad_puts_the_value_around(widths):
    np.testing.assert_array_equal(ops.pad(X, widths, 7).data, np.pad(X, widths, constant_values=7))


def test_pad_of_a_scalar_is_the_scalar():
    assert ops.pad(2.0, 1).data.tolist() == 2


def test_broadcast_to_repeats():
    np.testing.assert_array_equal(ops.broadcast_to([1.0, 2.0], (3, 2)).data, [[1, 2]] * 3)


def test_pad_of_nothing_said_is_0():
    np.testing.assert_array_equal(ops.pad(X, 1).data, np.pad(X, 1))


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda t: t.reshape(5), ValueError, "reshape of (3, 4) expects a shape of 12 elements, got 5"),
    (lambda t: t.transpose(0), ValueError, "transpose expects each axis of shape (3, 4) once, got (0,)"),
    (lambda t: t.transpose(0, 0), ValueError, "transpose expects each axis of shape (3, 4) once, got (0, 0)"),
    (lambda t: t.transpose(0, 2), ValueError, "transpose expects each axis of shape (3, 4) once, got (0, 2)"),
    (lambda t: t[3], IndexError,
     "indexing a tensor of shape (3, 4): index 3 is out of bounds for axis 0 with size 3"),
    (lambda t: t[t], TypeError,
     "a tensor holds floats and can't be an index: use np.asarray(t).astype(int)"),
    (lambda t: ops.concatenate([]), TypeError,
     "concatenate expects a list of tensors, at least one, got list []"),
    (lambda t: ops.stack(t), TypeError,
     "stack expects a list of tensors, at least one, got shape (3, 4) of float64"),
    (lambda t: ops.concatenate([t, [1.0]]), ValueError,
     "concatenate expects shapes that agree but on axis 0, got (3, 4), (1,)"),
    (lambda t: ops.stack([t, [1.0]], 1), ValueError,
     "stack expects tensors of one shape, got (3, 4), (1,) for axis 1"),
    (lambda t: ops.pad(t, -1), ValueError,
     "pad expects whole widths of 0 or more, or pairs for shape (3, 4), got -1"),
    (lambda t: ops.pad(t, 1.5), ValueError,
     "pad expects whole widths of 0 or more, or pairs for shape (3, 4), got 1.5"),
    (lambda t: ops.pad(t, (1, 2, 3)), ValueError,
     "pad expects whole widths of 0 or more, or pairs for shape (3, 4), got (1, 2, 3)"),
    (lambda t: ops.broadcast_to(t, (4, 3)), ValueError, "broadcast_to can't stretch shape (3, 4) to (4, 3)"),
])
def test_messages(call, kind, message):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call(dl.Tensor(X))


def test_an_index_that_numpy_refuses_is_told_with_the_shape():
    with pytest.raises(IndexError, match=r"^indexing a tensor of shape \(3, 4\): .*inhomogeneous"):
        dl.Tensor(X)[[[0], [1, 2]]]
