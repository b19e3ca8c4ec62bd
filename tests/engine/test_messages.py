"""What tapes, ops and tensors say about wrong uses: each a whole sentence, word for word."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest

import minidl as dl
from minidl import Parameter, Tape, Tensor
from minidl.layers import Layer


def leaf(*shape):
    return Tensor(np.ones(shape), requires_grad=True)


def taped(*shape, **options):
    """A tape, and a result on it."""
    x = leaf(*shape)
    with Tape(**options) as tape:
        y = x * 2
    return tape, y


def nest():
    with Tape(), Tape():
        pass


def use_again():
    tape, _ = taped(2)
    with tape:
        pass


def replay_while_recording():
    with Tape() as tape:
        tape.backward(leaf() * 2)


def replay_after_an_exception():
    tape, x = Tape(), leaf()
    try:
        with tape:
            y = x * 2
            raise ZeroDivisionError
    except ZeroDivisionError:
        tape.backward(y)


def replay_twice():
    tape, y = taped()
    tape.backward(y)
    tape.gradients(y, [y])


def no_path():
    tape, y = taped(2)
    tape.gradients(y, [y, leaf(3)], gradient=[1, 1])


def use_on_another_tape():
    _, y = taped(2)
    with Tape():
        y * 2


def use_what_was_computed_outside():
    y = leaf(2) * 2
    with Tape():
        y * 2


class Logarithm(Layer):
    def forward(self, x):
        return dl.ops.log(x)


def find_an_anomaly(tape):
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Logarithm()

        def forward(self, x):
            return self.inner(x)

    with np.errstate(all="ignore"), dl.detect_anomaly():
        if tape:
            with Tape():
                Outer()(np.zeros(2, np.float32))
        dl.ops.log(np.zeros(2))


HERE = "compute it inside `with Tape()`, from something that requires a gradient"
LOST = "so its gradient would be lost: compute it inside this `with Tape()`, or use .detach()"


@pytest.mark.parametrize(("call", "kind", "message"), [
    (nest, RuntimeError,
     "tapes don't nest (there are no second derivatives) and this thread is recording on another Tape: "
     "leave its `with` first"),
    (use_again, RuntimeError, "a Tape records once: make a new one with `with Tape() as tape:`"),
    (lambda: Tape().backward(leaf()), RuntimeError,
     "this tape has recorded nothing: compute the loss inside `with Tape() as tape:`"),
    (replay_while_recording, RuntimeError,
     "the tape is still recording: call backward after the `with Tape()` block"),
    (replay_after_an_exception, RuntimeError,
     "this tape was left by an exception and can't be replayed: record again"),
    (replay_twice, RuntimeError,
     "this tape was replayed already: record again, or use Tape(persistent=True)"),
    (lambda: taped()[0].gradients(leaf(), leaf()), TypeError,
     "tape.gradients expects a list of tensors, got one: write [tensor]"),
    (no_path, ValueError,
     "tape.gradients: tensor 1, shape (3,) of float64, has no path to the loss on this tape: use it inside "
     "`with Tape()`, and let it require a gradient"),
    (lambda: taped()[0].backward(2.0), TypeError, "backward expects a Tensor, got float 2.0"),
    (lambda: taped()[0].backward(Tensor(1.0)), ValueError,
     "backward expects a result recorded on this tape, got one that is a leaf or doesn't depend on anything "
     "that requires a gradient: " + HERE),
    (lambda: taped()[0].backward(leaf() * 2), ValueError,
     "backward expects a result recorded on this tape, got one that was computed outside any tape: " + HERE),
    (lambda: taped()[0].backward(taped()[1]), ValueError,
     "backward expects a result recorded on this tape, got one that was computed on another tape: " + HERE),
    (lambda: (lambda tape, y: tape.backward(y))(*taped(2)), ValueError,
     "backward expects a scalar loss, got shape (2,): use loss.mean() or loss.sum(), or pass gradient= of "
     "that shape"),
    (lambda: (lambda tape, y: tape.backward(y, gradient=1))(*taped(2)), ValueError,
     "backward expects gradient= of the loss's shape (2,), got ()"),
    (use_on_another_tape, RuntimeError,
     f"op multiply got a tensor (2,) that was computed on another tape, {LOST}"),
    (use_what_was_computed_outside, RuntimeError,
     f"op multiply got a tensor (2,) that was computed outside any tape, {LOST}"),
    (lambda: dl.record("mine", np.arange(2), (leaf(2),), lambda g: (g,)), TypeError,
     "op mine expects to compute an array of float32 or float64, got shape (2,) of int64"),
    (lambda: dl.record("mine", 2, (leaf(2),), lambda g: (g,)), TypeError,
     "op mine expects to compute an array of float32 or float64, got shape () of int64"),
    (lambda: dl.record("mine", np.ones(2), leaf(2), lambda g: (g,)), TypeError,
     "op mine expects a tuple of inputs, got one tensor: write (x,)"),
    (lambda: dl.record("mine", np.ones(2), (leaf(2), 3.0), lambda g: (g,)), TypeError,
     "op mine expects its inputs as tensors, got float 3.0: use minidl.Tensor(...)"),
    (lambda: find_an_anomaly(tape=False), FloatingPointError,
     "NaN or infinity in the output of log, shape (2,)"),
    (lambda: find_an_anomaly(tape=True), FloatingPointError,
     "NaN or infinity in the output of log (layer inner), shape (2,)"),
])
def test_of_tapes_and_ops(call, kind, message):
    if "int64" in message:
        message = message.replace("int64", str(np.arange(2).dtype))     # int32 on some systems
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


def set_grad(gradient):
    Parameter(np.zeros(2)).grad = gradient


def require_a_gradient_of_a_result():
    y = leaf(2) * 2
    y.requires_grad = False


def require_a_gradient_too_late():
    x = Tensor(np.ones(2))
    with Tape():
        leaf(2) * x
        x.requires_grad = True


def change_in_place():
    x = leaf(2)
    x //= 2


def assign():
    x = leaf(2)
    x[0] = 1


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: set_grad([1.0, 1.0]), ValueError,
     ".grad of a Parameter (2,) of float64 expects None or an array of that shape and dtype, "
     "got list [1.0, 1.0]"),
    (lambda: set_grad(np.ones(3)), ValueError,
     ".grad of a Parameter (2,) of float64 expects None or an array of that shape and dtype, "
     "got shape (3,) of float64"),
    (lambda: set_grad(np.ones(2, np.float32)), ValueError,
     ".grad of a Parameter (2,) of float64 expects None or an array of that shape and dtype, "
     "got shape (2,) of float32"),
    (require_a_gradient_of_a_result, ValueError,
     "requires_grad can be set on leaves only, and this tensor was computed: use .detach()"),
    (require_a_gradient_too_late, RuntimeError,
     "requires_grad = True came too late for a Tensor (2,) of float64 that this tape has used already, so "
     "that part of its gradient would be lost: set it before `with Tape()`"),
    (lambda: leaf(2).item(), ValueError, ".item() expects a tensor of one element, got shape (2,)"),
    (lambda: len(leaf()), TypeError, "a tensor without axes has no length"),
    (lambda: bool(leaf(2)), ValueError,
     "a tensor of shape (2,) is neither true nor false: use np.asarray(t).any() or .all()"),
    (lambda: copy.copy(leaf(2) * 2), TypeError,
     "a Tensor (2,) of float64 that was computed from what requires a gradient can't be copied or pickled, "
     "as the gradient would end there: copy t.detach(), or np.array(t)"),
    (change_in_place, TypeError,
     "`t //= ...` would replace a Tensor (2,) of float64 that requires grad by a computed tensor: write "
     "`new = t // ...`, or change a parameter by `parameter.data = array`"),
    (assign, TypeError,
     "a tensor is read-only: use minidl.ops.where, or change a parameter by `parameter.data = array`"),
    (lambda: Tensor(leaf(2)), TypeError,
     "expected numbers or an array, got a Tensor already: use t.detach()"),
    (lambda: Tensor([1.0, (leaf(), 2.0)]), TypeError,
     "expected numbers or an array, got a list of tensors: use minidl.ops.stack"),
    (lambda: Tensor("a"), TypeError, "expected real numbers, got str 'a'"),
    (lambda: Tensor([[1], [2, 3]]), TypeError,
     "expected numbers in rows of equal length, got list [[1], [2, 3]]"),
    (lambda: setattr(Parameter(np.zeros(2)), "data", np.zeros(3)), ValueError,
     "parameter.data expects an array (2,) of float64, got shape (3,) of float64: a parameter keeps its "
     "shape and dtype (model.astype changes the dtype)"),
])
def test_of_tensors(call, kind, message):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()
