"""Wrong uses of the tape: each has an error of its own, one sentence with the way out."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import minidl as dl
from minidl import Parameter, Tape, Tensor, ops
from minidl.layers import Dense, Sequential


def recorded():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with Tape() as tape:
        y = x * x
    return tape, x, y


def test_backward_twice():
    tape, _, y = recorded()
    tape.backward(y, gradient=[1, 1])
    message = r"this tape was replayed already: record again, or use Tape\(persistent=True\)"
    with pytest.raises(RuntimeError, match=message):
        tape.backward(y, gradient=[1, 1])
    with pytest.raises(RuntimeError, match="replayed already"):
        tape.gradients(y, [y], gradient=[1, 1])


def test_backward_inside_the_with():
    x = Tensor(1.0, requires_grad=True)
    with Tape() as tape:
        y = x * x
        with pytest.raises(RuntimeError, match=r"the tape is still recording: call backward after the `with"):
            tape.backward(y)


def test_backward_of_a_tape_that_recorded_nothing():
    with pytest.raises(RuntimeError, match="this tape has recorded nothing: compute the loss inside"):
        Tape().backward(Tensor(1.0))


def test_backward_after_an_exception():
    x = Tensor(1.0, requires_grad=True)
    tape = Tape()
    with pytest.raises(KeyError), tape:
        y = x * x
        raise KeyError
    with pytest.raises(RuntimeError, match="left by an exception and can't be replayed: record again"):
        tape.backward(y)
    with Tape() as fresh:       # the broken one was closed
        z = x * x
    fresh.backward(z)


def test_nested_tapes():
    with Tape() as outer:
        message = r"tapes don't nest \(there are no second derivatives\) .*: leave its `with` first"
        with pytest.raises(RuntimeError, match=message), Tape():
            pass
        with pytest.raises(RuntimeError, match="tapes don't nest"):
            dl.grad(lambda x: x * x)(2.0)
        y = Tensor(1.0, requires_grad=True) * 2
    assert outer.records[0].output is y


def test_a_tape_records_once():
    tape, _, _ = recorded()
    with pytest.raises(RuntimeError, match="a Tape records once: make a new one with `with Tape"), tape:
        pass


def test_a_loss_that_is_no_scalar():
    tape, _, y = recorded()
    with pytest.raises(ValueError, match=r"expects a scalar loss, got shape \(2,\): use loss.mean\(\) or"):
        tape.backward(y)
    tape.backward(y, gradient=[1, 1])      # nothing was spent


def test_an_upstream_gradient_of_another_shape():
    tape, _, y = recorded()
    with pytest.raises(ValueError, match=r"expects gradient= of the loss's shape \(2,\), got \(1,\)"):
        tape.backward(y, gradient=[1])


@pytest.mark.parametrize(("loss", "message"), [
    (lambda x, y: x, "is a leaf or doesn't depend on anything that requires a gradient"),
    (lambda x, y: Tensor(3.0), "is a leaf or doesn't depend"),
    (lambda x, y: (x * x).sum(), "was computed outside any tape"),
    (lambda x, y: recorded()[2], "was computed on another tape"),
])
def test_a_loss_that_is_not_on_this_tape(loss, message):
    tape, x, y = recorded()
    with pytest.raises(ValueError, match=f"expects a result recorded on this tape, got one that {message}"):
        tape.backward(loss(x, y))


def test_a_loss_that_is_no_tensor():
    tape, _, _ = recorded()
    with pytest.raises(TypeError, match=r"backward expects a Tensor, got float 1.5"):
        tape.backward(1.5)


def test_a_loss_that_needs_no_gradient():
    with Tape() as tape:
        loss = Tensor([1.0]).sum()
    with pytest.raises(ValueError, match="doesn't depend on anything that requires a gradient"):
        tape.backward(loss)


def test_a_result_from_outside_used_inside():
    p = Parameter([1.0])
    outside = p * 2
    with pytest.raises(RuntimeError, match=(
        r"op add got a tensor \(1,\) that was computed outside any tape, so its gradient would be lost: "
        r"compute it inside this `with Tape\(\)`, or use .detach\(\)"
    )), Tape():
        outside + 1
    with Tape() as tape:
        y = outside.detach() * p
    tape.backward(y)
    assert p.grad.tolist() == [2]


def test_a_result_of_another_tape_used_on_this_one():
    _, _, y = recorded()
    message = r"op exp got a tensor \(2,\) that was computed on another tape"
    with pytest.raises(RuntimeError, match=message), Tape():
        ops.exp(y)


def test_a_parameter_that_was_changed_between_forward_and_backward():
    model = Sequential(Dense(2, 1), seed=0)
    for change in (
        lambda p: setattr(p, "data", p.data * 2),
        lambda p: p.writable(),
        lambda p: model.load_state_dict(model.state_dict()),
        lambda p: model.initialize(1),
    ):
        with Tape() as tape:
            loss = model(np.ones((3, 2))).sum()
        change(model[0].weight)
        with pytest.raises(RuntimeError, match=(
            r"dense \(layer 0\) used a parameter \(2, 1\) that was changed afterwards "
            r"\(version \d+, now \d+\): call backward before the optimizer's step"
        )):
            tape.backward(loss)
        assert all(p.grad is None for p in model.parameters())


def test_gradients_without_a_path():
    tape, _, y = recorded()
    other = Parameter([1.0])
    with pytest.raises(ValueError, match=r"tensor 1, shape \(1,\) of float32, has no path to the loss"):
        tape.gradients(y, [y, other], gradient=[1, 1])
    with pytest.raises(TypeError, match=r"expects a list of tensors, got one: write \[tensor\]"):
        tape.gradients(y, y)


@pytest.mark.parametrize(("vjp", "message"), [
    (lambda g: (g,), r"vjp of bad must return .* one array \(or None\) for each of the 2 inputs, got 1"),
    (lambda g: (g, g, g), r"for each of the 2 inputs, got 3"),
    (lambda g: g, r"must return a tuple .* got shape \(2, 3\) of float32"),
    (lambda g: None, r"must return a tuple .* got NoneType None"),
    (lambda g: (g, g.T), r"vjp of bad must return for input 1 .* \(2, 3\) of float32, got shape \(3, 2\)"),
    (lambda g: (g.astype(np.float64), g), r"for input 0 .* of float32, got shape \(2, 3\) of float64"),
    (lambda g: (g, 1.0), r"for input 1 an array .* got float 1.0"),
    (lambda g: (g.sum(0), None), r"for input 0 an array of shape \(2, 3\) .* got shape \(3,\)"),
])
def test_a_wrong_vector_jacobian_product(vjp, message):
    x, y = (Tensor(np.ones((2, 3), np.float32), requires_grad=True) for _ in range(2))
    with Tape() as tape:
        z = dl.record("bad", x.data + y.data, (x, y), vjp).sum()
    with pytest.raises(ValueError, match=message):
        tape.backward(z)


def test_an_error_inside_a_vjp_names_its_op():
    def write(g):
        g *= 2      # would spoil another branch's gradient
        return (g,)

    x = Tensor([1.0], requires_grad=True)
    with Tape() as tape:
        y = dl.record("writer", x.data * 2, (x,), write)
    with pytest.raises(ValueError, match="read-only") as caught:
        tape.backward(y)
    assert caught.value.__notes__ == ["in the vector-Jacobian product of writer"]


def test_a_vjp_may_return_none_or_g_itself():
    x, y = (Tensor(np.ones(2), requires_grad=True) for _ in range(2))
    with Tape() as tape:
        z = dl.record("first", x.data * 1, (x, y), lambda g: [g, None])
    tape.backward(z, gradient=[1, 2])
    assert x.grad.tolist() == [1, 2]
    assert y.grad is None


@pytest.mark.parametrize(("array", "inputs", "message"), [
    (np.ones(2), (np.ones(2),), r"op mine expects its inputs as tensors, got .* float64: use minidl.Tensor"),
    (np.ones(2, np.int32), (Tensor(1.0),), r"to compute an array of float32 or float64, got .* int32"),
    ("text", (Tensor(1.0),), "op mine expects to compute an array of float32"),
])
def test_a_wrong_call_of_record(array, inputs, message):
    with pytest.raises(TypeError, match=message):
        dl.record("mine", array, inputs, lambda g: (g,))


def test_detect_anomaly_names_the_record_forward():
    model = Sequential(Dense(2, 2), dl.layers.Sigmoid(), seed=0)
    with dl.detect_anomaly(), pytest.raises(FloatingPointError, match=(
        r"NaN or infinity in the output of dense \(layer 0\), shape \(1, 2\)"
    )), Tape():
        model(np.array([[1.0, np.nan]]))
    with dl.detect_anomaly(), np.errstate(all="ignore"):
        with pytest.raises(FloatingPointError, match=r"in the output of log, shape \(1,\)"):
            ops.log([-1.0])
        with pytest.raises(FloatingPointError, match="in the output of exp"):
            ops.exp([1000.0])


def test_detect_anomaly_names_the_record_backward():
    x = Tensor([0.0, 1.0], requires_grad=True)
    with Tape(persistent=True) as tape:
        y = ops.sqrt(x).sum()
    with np.errstate(divide="ignore"):
        with dl.detect_anomaly(), pytest.raises(FloatingPointError, match=(
            r"NaN or infinity in the gradient that sqrt sends to input 0 \(2,\)"
        )):
            tape.backward(y)
        tape.backward(y)        # outside it nobody looks
    assert np.isinf(x.grad[0])


def test_detect_anomaly_ends_with_its_block_and_stays_in_its_thread():
    seen = []

    def other():
        ops.multiply([np.inf], 1.0)
        seen.append(True)

    with dl.detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with dl.detect_anomaly():
            pass
        with pytest.raises(FloatingPointError):
            ops.multiply([np.inf], 1.0)
    assert seen
    ops.multiply([np.inf], 1.0)


def test_inputs_without_their_comma():
    x = dl.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"op square expects a tuple of inputs, got one tensor: write \(x,\)"):
        dl.record("square", x.data**2, x, lambda g: (g,))


def test_a_vjp_that_returns_a_tensor():
    x = dl.Tensor([1.0, 2.0], requires_grad=True)
    with dl.Tape() as tape:
        y = dl.record("same", x.data + 0, (x,), lambda g: (dl.Tensor(g),))
    with pytest.raises(ValueError, match="got a Tensor, shape"):
        tape.backward(y, gradient=[1.0, 1.0])
