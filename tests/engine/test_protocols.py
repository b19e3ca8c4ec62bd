"""NumPy's protocols: the array comes out where it is asked for, and no gradient is dropped in silence."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl

A = np.array([[1.0, 2.0], [3.0, 4.0]])


def test_asarray_gives_the_array_itself_and_array_a_copy():
    t = dl.Tensor(A)
    assert np.shares_memory(np.asarray(t), A)
    assert not np.asarray(t).flags.writeable
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    assert not np.shares_memory(np.array(t), A)
    assert np.array(t).flags.writeable
    assert np.shares_memory(np.asarray(t, copy=False), A)
    assert not np.shares_memory(np.asarray(t, copy=True), A)
    with pytest.raises(ValueError, match="copy"):
        np.asarray(t, dtype=np.float32, copy=False)


class Exported:
    """A consumer of the protocol as it was before 1.0, or one that asks for an older version."""

    def __init__(self, tensor, **options):
        self.tensor = tensor
        self.options = options

    def __dlpack__(self, **_):
        return self.tensor.__dlpack__(**self.options)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


def test_dlpack_exports_a_copy_as_some_consumers_write_to_what_is_read_only():
    t = dl.Tensor(A)
    assert t.__dlpack_device__() == A.__dlpack_device__()
    for consumer in (t, Exported(t), Exported(t, max_version=(1, 0)), Exported(t, copy=True)):
        copied = np.from_dlpack(consumer)
        np.testing.assert_array_equal(copied, A)
        assert not np.shares_memory(copied, A)
    copied = np.from_dlpack(t)
    copied += 1                         # it may be written to
    np.testing.assert_array_equal(copied, t.data + 1)


def test_dlpack_without_a_copy_shares_the_array_read_only():
    t = dl.Tensor(A)
    shared = np.from_dlpack(t, copy=False)
    assert np.shares_memory(shared, A)
    assert not shared.flags.writeable
    with pytest.raises(BufferError, match="readonly"):      # a protocol of before 1.0 can't say read-only
        np.from_dlpack(Exported(t, copy=False))


def test_arrays_come_in_by_dlpack_without_a_copy():
    class OnlyDLPack:
        def __dlpack__(self, **options):
            return A.__dlpack__(**options)

        def __dlpack_device__(self):
            return A.__dlpack_device__()

    t = dl.Tensor(OnlyDLPack())
    assert np.shares_memory(t.data, A)
    assert not t.data.flags.writeable


def test_torch_tensors_go_both_ways():
    torch = pytest.importorskip("torch")
    t = dl.Tensor(A)
    theirs = torch.from_dlpack(t)
    theirs += 1                         # PyTorch takes no notice of the read-only mark
    np.testing.assert_array_equal(theirs.numpy(), t.data + 1)
    assert dl.Tensor(theirs).data.tolist() == theirs.tolist()


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "**", "@"])
def test_every_operator_with_an_array_on_the_left_is_a_tensor_on_the_tape(operator):
    array, t = A + 0.5, dl.Tensor(A, requires_grad=True)
    scope = {"array": array, "t": t, "a": dl.Tensor(array)}
    with dl.Tape() as tape:
        left = eval(f"array {operator} t", scope)
        right = eval(f"a {operator} t", scope)
    assert type(left) is dl.Tensor
    np.testing.assert_array_equal(left.data, eval(f"array {operator} t", {"array": array, "t": A}))
    assert [(r.op, r.inputs[1] is t) for r in tape.records] == 2 * [(tape.records[0].op, True)]
    del right
    tape.backward(left, gradient=A)
    assert np.isfinite(t.grad).all()
    assert t.grad.any() or operator == "//"


def test_divmod_and_comparisons_with_an_array_on_the_left():
    array, t = A[::-1].copy(), dl.Tensor(A)
    for ours, theirs in zip(divmod(array, t), divmod(array, A), strict=True):
        assert type(ours) is dl.Tensor
        np.testing.assert_array_equal(ours.data, theirs)
    for operator in ("==", "!=", "<", "<=", ">", ">="):
        ours = eval(f"array {operator} t", {"array": array, "t": t})
        assert type(ours) is np.ndarray
        np.testing.assert_array_equal(ours, eval(f"array {operator} t", {"array": array, "t": A}))


def test_an_array_on_the_left_gives_a_tensor_with_its_gradient():
    t = dl.Tensor(np.ones(2), requires_grad=True)
    with dl.Tape() as tape:
        loss = (A @ t + A * t).sum()
    tape.backward(loss)
    assert t.grad.tolist() == [12, 18]    # A @ t is added to both rows


@pytest.mark.parametrize(("name", "fix"), [
    ("mean", "use minidl.ops.mean"), ("sum", "use minidl.ops.sum"), ("max", "use minidl.ops.max"),
    ("amax", "use minidl.ops.max"), ("reshape", "use minidl.ops.reshape"), ("dot", "use minidl.ops.matmul"),
    ("var", "use minidl.ops.var"), ("std", "build it from minidl.ops"),
    ("cumsum", "build it from minidl.ops"),
])
def test_numpy_functions_raise_and_name_the_op(name, fix):
    arguments = {"reshape": (4,), "dot": (A,)}.get(name, ())
    message = f"np.{name} would drop the gradient: {fix}, or use np.asarray(t) to leave the tape on purpose"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        getattr(np, name)(dl.Tensor(A), *arguments)


def test_functions_of_several_arrays_and_of_submodules_raise_too():
    t = dl.Tensor(A)
    with pytest.raises(TypeError, match=r"np\.concatenate would drop .* use minidl\.ops\.concatenate"):
        np.concatenate([A, t])
    with pytest.raises(TypeError, match=r"np\.vstack would drop .* use minidl\.ops\.concatenate"):
        np.vstack([A, t])
    with pytest.raises(TypeError, match=r"np\.where would drop the gradient: use minidl\.ops\.where"):
        np.where(A > 1, t, 0)
    with pytest.raises(TypeError, match=r"np.linalg.norm would drop the gradient"):
        np.linalg.norm(t)


@pytest.mark.parametrize(("call", "what"), [
    (np.square, "square"), (np.isfinite, "isfinite"), (np.add.reduce, "add.reduce"),
    (lambda t: np.add.outer(t, t), "add.outer"), (lambda t: np.add(t, 1, dtype=np.float64), "add with dtype"),
    (lambda t: np.exp(t, where=A > 1), "exp with where"),
    (lambda t: np.exp(t, where=A > 1, dtype=np.float64), "exp with where, dtype"),
    (lambda t: np.add.reduce(t, axis=1), "add.reduce with axis"),
])
def test_ufuncs_without_an_op_raise_a_sentence(call, what):
    message = (
        f"np.{what} has no minidl op, and would drop the gradient: "
        f"build it from minidl.ops, or use np.asarray(t) to leave the tape on purpose"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        call(dl.Tensor(A))


@pytest.mark.parametrize("copy", [None, False])
@pytest.mark.parametrize("options", [{"stream": 1}, {"dl_device": (2, 0)}], ids=str)
def test_dlpack_to_another_device_or_stream_is_refused(copy, options):
    with pytest.raises((RuntimeError, ValueError, BufferError)):
        dl.Tensor(A).__dlpack__(max_version=(1, 0), copy=copy, **options)


def test_a_tensor_is_never_written_into_an_array():
    array = A.copy()
    with pytest.raises(TypeError, match=r"np.add can't write a tensor into an array: use a = a \+ t"):
        array += dl.Tensor(A)
    with pytest.raises(TypeError, match=r"np.exp can't write a tensor into an array"):
        np.exp(dl.Tensor(A), out=array)
    np.testing.assert_array_equal(array, A)


def test_an_array_of_objects_is_refused():
    objects = np.empty(2, object)
    objects[:] = [dl.Tensor(1.0), dl.Tensor(2.0)]
    with pytest.raises(TypeError, match="expected real numbers, got shape"):
        dl.Tensor(objects)
