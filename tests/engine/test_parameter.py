"""Parameter: how its values change, and that each change raises its version."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import minidl as dl
from minidl import Parameter


def test_new_values_raise_the_version():
    p = Parameter(np.zeros(2, np.float32))
    new = np.ones(2, np.float32)
    p.data = new
    assert (p.version, p.data.tolist()) == (1, [1, 1])
    assert np.shares_memory(p.data, new)
    p.data = p.data * 2
    p.data = dl.Tensor([5.0, 6.0])
    assert (p.version, p.data.tolist()) == (3, [5, 6])


@pytest.mark.parametrize("new", [np.zeros(3, np.float32), np.zeros(2), np.zeros(2, int), 1.0], ids=repr)
def test_it_keeps_its_shape_and_dtype(new):
    p = Parameter(np.zeros(2, np.float32))
    message = r"parameter.data expects an array \(2,\) of float32, got shape .* keeps its shape and dtype"
    with pytest.raises(ValueError, match=message):
        p.data = new
    assert p.version == 0


def test_an_optimizers_memory_is_its_own_and_raises_the_version():
    given = np.zeros(2)
    p = Parameter(given)
    memory = p.writable()
    memory += 1
    assert given.tolist() == [0, 0]
    assert p.data.tolist() == [1, 1]
    assert p.writable() is memory
    assert p.version == 2
    p.data = given
    assert p.writable() is not memory


def test_astype_converts_and_forgets_the_gradient():
    p = Parameter(np.ones(2, np.float32))
    p.grad = np.ones(2, np.float32)
    p.astype(np.float64)
    assert (p.dtype, p.grad, p.version) == (np.float64, None, 1)


def test_it_knows_whether_its_values_are_those_that_it_started_from():
    p = Parameter(np.zeros(2, np.float32))
    assert p.is_drawn is False
    p.draw([1, 2])
    assert p.is_drawn is True
    assert p.dtype == np.float32
    p.astype(np.float64)
    assert p.is_drawn is True
    p.writable()
    assert p.is_drawn is False
    p.draw([1, 2])
    p.data = p.data
    assert p.is_drawn is False


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_keep_version_and_kind(duplicate):
    p = Parameter(np.zeros(2))
    p.draw([1, 2])
    p.requires_grad = False
    twin = duplicate(p)
    assert (type(twin), twin.version, twin.is_drawn, twin.requires_grad) == (Parameter, 2, True, False)
    twin.writable()[...] = 7
    assert p.data.tolist() == [1, 2]


def test_a_parameter_set_from_another_shares_nothing_with_it():
    p, q = Parameter(np.zeros(2, np.float32)), Parameter(np.zeros(2, np.float32))
    p.writable()[...] = 1
    q.data = p.data
    p.writable()[...] = 2
    np.testing.assert_array_equal(q.data, 1)


def test_a_parameter_made_from_another_shares_nothing_with_it():
    p = Parameter(np.zeros(2, np.float32))
    p.writable()[...] = 1
    q = Parameter(p.data)
    p.writable()[...] = 2
    np.testing.assert_array_equal(q.data, 1)
    mine = np.zeros(2)
    assert np.shares_memory(Parameter(mine).data, mine)     # the user's own is not copied
