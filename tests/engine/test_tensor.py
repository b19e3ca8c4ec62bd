"""Tensor: what it holds, what may be changed, copies, pickles, text."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest

import minidl as dl
from minidl import Parameter, Tensor


def test_it_shares_the_users_array_and_locks_only_itself():
    a = np.arange(3.0)
    t = Tensor(a)
    assert np.shares_memory(t.data, a)
    assert a.flags.writeable
    assert not t.data.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        t.data[0] = 1


def test_shape_dtype_and_the_like():
    t = Tensor(np.zeros((2, 3)))
    assert (t.shape, t.ndim, t.size, t.dtype, len(t), t.T.shape) == ((2, 3), 2, 6, np.float64, 2, (3, 2))
    assert not t.requires_grad
    assert t.is_leaf
    assert t.grad is None


@pytest.mark.parametrize("value", [Tensor(1.0), Parameter([1.0])])
def test_a_tensor_of_a_tensor_is_refused(value):
    with pytest.raises(TypeError, match=r"expected numbers or an array, got a \w+ already: use t.detach\(\)"):
        Tensor(value)


@pytest.mark.parametrize("value", [[Tensor(1.0), Tensor(2.0)], [[1.0, Tensor(2.0)]], (Tensor([1.0]),)])
def test_a_list_of_tensors_would_leave_the_tape_and_is_refused(value):
    for call in (Tensor, lambda v: Tensor(1.0) + v, lambda v: dl.losses.mse(v, v)):
        with pytest.raises(TypeError, match=r"of tensors: use minidl\.ops\.stack"):
            call(value)


def test_item_float_int_bool_and_format():
    t = Tensor([[2.75]])
    assert (t.item(), float(t), int(t), bool(t), f"{t:.1f}") == (2.75, 2.75, 2, True, "2.8")
    assert type(t.item()) is float
    assert not Tensor(0.0)


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda t: t.item(), ValueError, r"\.item\(\) expects a tensor of one element, got shape \(2,\)"),
    (float, ValueError, r"\.item\(\) expects a tensor of one element"),
    (lambda t: f"{t:.2f}", ValueError, r"\.item\(\) expects a tensor of one element"),
    (bool, ValueError, r"shape \(2,\) is neither true nor false: use np.asarray\(t\).any\(\) or .all\(\)"),
    (lambda t: len(t[0]), TypeError, "a tensor without axes has no length"),
    (lambda t: list(t[0]), TypeError, "a tensor without axes has no length"),
    (lambda t: t.__setitem__(0, 1), TypeError, "a tensor is read-only: use minidl.ops.where, or change a"),
    (lambda t: setattr(t, "grad", np.ones(2)), ValueError, r"\.grad of a Tensor \(2,\) of float32 expects"),
    (lambda t: setattr(t, "grad", np.ones((1, 2), np.float32)), ValueError, r"got shape \(1, 2\) of float32"),
    (lambda t: setattr(t, "grad", [1, 2]), ValueError, r"expects None or an array .* got list \[1, 2\]"),
])
def test_messages(call, kind, message):
    with pytest.raises(kind, match=message):
        call(Tensor([1.0, 2.0]))


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "**", "@"])
def test_in_place_operators_raise_on_a_leaf_that_requires_grad_and_rebind_elsewhere(operator):
    scope = {"t": Tensor(np.eye(2)), "one": np.ones((2, 2)), "leaf": Parameter(np.eye(2))}
    before = scope["t"]
    exec(f"t {operator}= one", scope)
    np.testing.assert_allclose(scope["t"].data, eval(f"eye {operator} one", {"eye": np.eye(2), **scope}))
    assert before.data.tolist() == [[1, 0], [0, 1]]
    message = r"`t .*= ...` would replace a Parameter \(2, 2\) of float64 that requires grad"
    with pytest.raises(TypeError, match=message):
        exec(f"leaf {operator}= one", scope)


def test_a_running_total_of_losses_keeps_no_graph():
    weight, total = Parameter([1.0]), 0.0
    for _ in range(3):
        with dl.Tape() as tape:
            loss = (weight * 2).sum()
        total += loss
        tape.backward(loss)
    assert total.item() == 6
    with pytest.raises(RuntimeError, match="was computed outside any tape, so its gradient"), dl.Tape():
        total += (weight * 2).sum()


def test_detach_shares_the_array_and_stops_the_gradient():
    p = Parameter([1.0, 2.0])
    with dl.Tape() as tape:
        y = p * 3
        constant = y.detach()
        loss = (constant * p).sum()
    assert np.shares_memory(constant.data, y.data)
    assert type(p.detach()) is Tensor
    tape.backward(loss)
    assert p.grad.tolist() == [3, 6]


def test_requires_grad_can_be_set_on_leaves_only():
    p = Parameter([1.0])
    p.requires_grad = False
    assert not (p * 2).requires_grad
    p.requires_grad = True
    with pytest.raises(ValueError, match=r"requires_grad can be set on leaves only, .* use .detach\(\)"):
        (p * 2).requires_grad = False


def test_hashing_is_by_identity_and_equality_by_element():
    a, b = Tensor([1.0]), Tensor([1.0])
    assert len({a, b, a}) == 2
    assert (a == b).tolist() == [True]
    assert (a == None).tolist() == [False]  # noqa: E711 (that it is elementwise is the point)


def test_it_iterates_over_its_first_axis_on_the_tape():
    t = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with dl.Tape() as tape:
        first, second = t
        loss = (first * second).sum()
    tape.backward(loss)
    assert t.grad.tolist() == [[3, 4], [1, 2]]


def test_argmax_and_argmin_are_plain_integers():
    t = Tensor([[1.0, 5.0], [7.0, 2.0]])
    assert t.argmax() == 2
    assert t.argmax(1).tolist() == [1, 0]
    assert t.argmin(axis=0).tolist() == [0, 1]
    assert t.argmax(1).dtype.kind == "i"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_and_pickles_are_leaves_with_arrays_of_their_own(duplicate):
    leaf = Tensor(np.arange(3.0), requires_grad=True)
    for original in (leaf, (leaf * 2).detach(), Tensor(np.arange(3.0)) * 2):
        twin = duplicate(original)
        assert (type(twin), twin.dtype, twin.is_leaf) == (Tensor, np.float64, True)
        assert twin.requires_grad is original.requires_grad
        np.testing.assert_array_equal(twin.data, original.data)
        assert not np.shares_memory(twin.data, original.data)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_computed_tensor_is_not_copied_as_its_gradient_would_end_there(duplicate):
    p = Parameter(np.arange(3.0))
    message = (
        r"a Tensor \(3?,?\) of float64 that was computed from what requires a gradient can't be copied or "
        r"pickled, as the gradient would end there: copy t.detach\(\), or np.array\(t\)"
    )
    with pytest.raises(TypeError, match=message), dl.Tape():
        duplicate(p * 2)
    with pytest.raises(TypeError, match=message):
        duplicate((p * 2).sum())


def test_requires_grad_is_not_switched_on_after_a_tape_has_used_the_leaf():
    x, p = Tensor([2.0]), Parameter([3.0])
    with dl.Tape() as tape:
        x.detach().requires_grad = True         # others may be
        first = x * 2
        with pytest.raises(RuntimeError, match=(
            r"requires_grad = True came too late for a Tensor \(1,\) of float32 that this tape has used "
            r"already, so that part of its gradient would be lost: set it before `with Tape\(\)`"
        )):
            x.requires_grad = True
        x.requires_grad = False                 # nothing changes
        loss = (first * p).sum()
    tape.backward(loss)
    assert p.grad.tolist() == [4]
    assert x.grad is None
    x.requires_grad = True
    with dl.Tape() as tape:
        loss = (x * p).sum()
    tape.backward(loss)
    assert x.grad.tolist() == [3]


@pytest.mark.parametrize("before", [True, False])
def test_requires_grad_is_not_switched_between_forward_and_backward(before):
    p, q = Parameter([2.0], requires_grad=before), Parameter([3.0])
    with dl.Tape() as tape:
        loss = (p * q).sum()
    p.requires_grad = before
    p.requires_grad = not before
    with pytest.raises(RuntimeError, match=(
        r"multiply used a parameter \(1,\) that was changed afterwards \(version 0, now 1\): call backward "
        r"before the optimizer's step, or whatever else sets its .data or .requires_grad"
    )):
        tape.backward(loss)


def test_its_text_shows_values_dtype_and_whether_it_requires_grad():
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.], dtype=float32)"
    assert str(Parameter(np.array(2.0))) == "Parameter(2., dtype=float64, requires_grad=True)"
    assert len(repr(Tensor(np.zeros((100, 100))))) < 500


def test_a_result_is_locked_new_and_without_a_gradient():
    y = Tensor([1.0, 2.0]) * 2
    assert not y.data.flags.writeable
    assert (y.grad, y.version, y.requires_grad, y.is_leaf) == (None, 0, False, True)


def test_prints_of_larger_tensors_are_aligned_and_cut_short_from_21_elements_on():
    assert repr(Tensor(np.eye(2))) == "Tensor([[1., 0.],\n        [0., 1.]], dtype=float64)"
    assert repr(dl.Parameter(np.eye(2, dtype=np.float32))) == (
        "Parameter([[1., 0.],\n           [0., 1.]], dtype=float32, requires_grad=True)"
    )
    assert "..." not in repr(Tensor(np.zeros(20)))
    assert repr(Tensor(np.zeros(21))) == "Tensor([0., 0., 0., ..., 0., 0., 0.], dtype=float64)"
    t = Tensor([1.5])
    assert (f"{t}", f"{t:.2f}") == (repr(t), "1.50")


def test_its_array_in_a_wanted_dtype():
    t = Tensor([1.0])
    assert t.__array__(np.float64).dtype == np.float64
    assert t.__array__().dtype == np.float32


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "**", "@"])
def test_assignment_with_an_operator_makes_a_new_tensor_unless_it_would_replace_a_leaf(operator):
    scope = {"t": Tensor(np.array([7.0, 3.0])), "other": Tensor(np.array([2.0, 4.0]))}
    expected = eval(f"t {operator} other", {"t": np.array([7.0, 3.0]), "other": np.array([2.0, 4.0])})
    exec(f"before = t\nt {operator}= other", scope)
    assert scope["t"] is not scope["before"]
    np.testing.assert_array_equal(scope["t"].data, expected)
    scope["t"] = dl.Parameter(np.ones(2))
    message = (
        f"`t {operator}= ...` would replace a Parameter (2,) of float64 that requires grad by a computed "
        f"tensor: write `new = t {operator} ...`, or change a parameter by `parameter.data = array`"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        exec(f"t {operator}= other", scope)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "max", "min"])
def test_reducing_methods_drop_their_axes_unless_told_to_keep_them(name):
    method = getattr(Tensor(np.ones((2, 3))), name)
    assert (method().shape, method(0).shape, method(1, keepdims=True).shape) == ((), (3,), (2, 1))
