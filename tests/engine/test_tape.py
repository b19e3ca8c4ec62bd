"""The tape: what it records, how it is replayed, what it keeps and what it lets go."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import minidl as dl
from minidl import Parameter, Tape, Tensor, ops
from minidl.layers import BatchNorm, Dense, Sequential, Sigmoid


def test_it_is_the_list_of_ops_in_the_order_of_their_execution():
    x, weight = Tensor(np.ones((2, 3), np.float32)), Parameter(np.ones((3, 1), np.float32))
    with Tape() as tape:
        y = x @ weight
        z = ops.exp(y)
        loss = z.mean()
    assert [record.op for record in tape.records] == ["matmul", "exp", "mean"]
    matmul, exp, mean = tape.records
    assert all(a is b for a, b in zip(matmul.inputs, (x, weight), strict=True))
    assert matmul.output is y
    assert exp.inputs[0] is y
    assert mean.output is loss
    assert mean.gradient is None
    assert repr(exp) == "Record(exp: (2, 1) -> (2, 1))"


def test_nothing_is_recorded_outside():
    p = Parameter([1.0])
    with Tape() as tape:
        pass
    y = p * 2
    assert tape.records == []
    assert y.requires_grad
    assert not y.is_leaf


def test_backward_adds_to_the_leaves_that_require_a_gradient():
    a, b, c = Parameter([1.0, 2.0]), Tensor([3.0, 4.0], requires_grad=True), Tensor([5.0, 6.0])
    for times in (1, 2):
        with Tape() as tape:
            loss = (a * b * c).sum()
        tape.backward(loss)
        assert a.grad.tolist() == [15 * times, 24 * times]
        assert b.grad.tolist() == [5 * times, 12 * times]
    assert c.grad is None


def test_a_frozen_parameter_gets_no_gradient_and_hides_no_other():
    first, frozen = Parameter([2.0]), Parameter([3.0], requires_grad=False)
    with Tape() as tape:
        loss = (first * frozen).sum()
    tape.backward(loss)
    assert first.grad.tolist() == [3]
    assert frozen.grad is None


def test_diamonds_and_repeated_inputs_add_up():
    x = Tensor(np.array([3.0]), requires_grad=True)
    with Tape() as tape:
        y = x * x           # both operands
        z = y + y * y + x   # y three times, x again
    tape.backward(z)
    assert x.grad.tolist() == [2 * 3 + 4 * 3**3 + 1]


def test_backward_takes_an_upstream_gradient():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    for gradient in (np.array([10.0, 1.0]), [10, 1], Tensor([10.0, 1.0])):
        with Tape() as tape:
            y = x * x
        tape.backward(y, gradient=gradient)
        assert x.grad.tolist() == [20, 4]
        x.grad = None


def test_one_element_of_any_shape_is_a_scalar():
    x = Tensor([[3.0]], requires_grad=True)
    with Tape() as tape:
        y = x * x
    tape.backward(y)
    assert x.grad.tolist() == [[6]]


def test_each_leafs_gradient_is_an_array_of_its_own():
    x, y = (Tensor(np.ones(3), requires_grad=True) for _ in range(2))
    saved = np.ones(3)
    with Tape(keep_gradients=True) as tape:
        total = x + y                                   # passes g itself to both
        total = total + dl.record("saved", saved * 1, (x,), lambda g: (saved,))
        turned = ops.reshape(ops.broadcast_to(y, (2, 3)), (6,))
        loss = total.sum() + turned.sum()
    tape.backward(loss)
    kept = [record.gradient for record in tape.records]
    for leaf in (x, y):
        assert leaf.grad.flags.writeable
        assert leaf.grad.flags.owndata
        assert not any(np.shares_memory(leaf.grad, other) for other in (*kept, saved))
    assert not np.shares_memory(x.grad, y.grad)
    x.grad += 1
    assert saved.tolist() == [1, 1, 1]


def test_a_result_of_a_saved_array_is_not_handed_out():
    x = Tensor(np.ones(3), requires_grad=True)
    with Tape() as tape:
        y = dl.record("constant slope", x.data * 2, (x,), lambda g: (y_saved,))
        y_saved = y.data
    tape.backward(y, gradient=np.ones(3))
    assert not np.shares_memory(x.grad, y.data)


def test_an_array_that_the_op_holds_is_copied_for_each_leaf_and_for_each_tape():
    saved = np.ones(3)
    leaves = [Tensor(np.ones(3), requires_grad=True) for _ in range(3)]
    with Tape(persistent=True) as tape:
        first = [dl.record("saved", x.data * 1, (x,), lambda g: (saved,)) for x in leaves[:2]]
        loss = (first[0] + first[1]).sum()
    tape.backward(loss)
    with Tape() as other:
        y = dl.record("saved", leaves[2].data * 1, (leaves[2],), lambda g: [saved])
    other.backward(y, gradient=np.ones(3))
    for leaf in leaves:
        leaf.grad *= 5
    assert saved.tolist() == [1, 1, 1]
    assert [leaf.grad.tolist() for leaf in leaves] == 3 * [[5, 5, 5]]


def test_an_array_that_nobody_else_holds_is_not_copied():
    x, made = Tensor(np.ones(3), requires_grad=True), []

    def vjp(g):
        fresh = g * 2
        made.append(weakref.ref(fresh))
        return (fresh,)

    with Tape() as tape:
        y = dl.record("double", x.data * 2, (x,), vjp)
    tape.backward(y, gradient=np.ones(3))
    assert x.grad is made[0]()


def test_gradients_returns_arrays_and_touches_no_grad():
    x, p = Tensor(np.array([1.0, 2.0]), requires_grad=True), Parameter(np.array([3.0, 4.0]))
    with Tape() as tape:
        y = x * p
        loss = (y * y).sum()
    for_p, for_y, for_loss = tape.gradients(loss, [p, y, loss])
    assert for_p.tolist() == [6, 32]
    assert for_y.tolist() == [6, 16]
    assert for_loss == 1
    assert x.grad is None
    assert p.grad is None
    assert all(g.flags.writeable and g.flags.owndata for g in (for_p, for_y, for_loss))


def test_a_persistent_tape_is_replayed_as_often_as_wanted():
    x = Tensor(np.array([2.0]), requires_grad=True)
    with Tape(persistent=True) as tape:
        y = x**2
        z = y * 3
    tape.backward(z)
    tape.backward(y)
    assert x.grad.tolist() == [12 + 4]
    assert tape.gradients(z, [x])[0].tolist() == [12]


def test_backward_of_an_early_result_ignores_what_came_later():
    x = Tensor(np.array([2.0]), requires_grad=True)
    with Tape() as tape:
        y = x**2
        y * 100
    tape.backward(y)
    assert x.grad.tolist() == [4]


def test_it_keeps_the_gradient_of_each_record_if_asked():
    x = Tensor(np.array([1.0, -2.0]), requires_grad=True)
    with Tape(keep_gradients=True) as tape:
        loss = (ops.exp(x) * 3).sum()
        x.detach() * 2
    tape.backward(loss)
    gradients = [record.gradient for record in tape.records]
    assert gradients[0].tolist() == [3, 3]
    assert gradients[1].tolist() == [1, 1]
    assert gradients[2] == 1
    assert gradients[3] is None


def test_a_leaf_may_be_used_on_any_tape():
    p = Parameter(np.array([2.0]))
    with Tape() as first:
        y = p * 3
    with Tape() as second:
        z = p * 5
    second.backward(z)
    first.backward(y)
    assert p.grad.tolist() == [8]


def test_find_selects_by_op_and_layer():
    model = Sequential(Dense(3, 4), Sigmoid(), Sequential(Dense(4, 2), Sigmoid()), seed=0)
    with Tape() as tape:
        model(np.ones((5, 3))).sum()
    assert [r.layer for r in tape.find(op="dense")] == ["0", "2.0"]
    assert [r.op for r in tape.find(layer="2")] == ["dense", "sigmoid"]
    assert [r.op for r in tape.find(op="sigmoid", layer="2.1")] == ["sigmoid"]
    assert tape.find(layer="2.10") == []
    assert tape.find(op="sigmoid")[-1].inputs[0].data[:, 1].shape == (5,)
    assert len(tape.find()) == 5
    assert len(tape.find(layer="")) == 4


def test_printing_it_is_a_lesson():
    model = Sequential(Dense(3, 2), BatchNorm(2), Sigmoid(), seed=0)
    with Tape(keep_gradients=True) as tape:
        loss = model(np.ones((4, 3)) * np.arange(4)[:, None]).mean()
    before = str(tape).splitlines()
    assert before[0].split() == ["#", "op", "layer", "inputs", "output"]
    assert before[1].split() == ["0", "dense", "0", "(4,3)", "P(3,2)*", "P(2,)*", "(4,2)*"]
    assert before[4].split() == ["3", "mean", "(4,2)*", "()*"]
    assert before[-1] == "4 records, closed; P parameter, * requires a gradient"
    tape.backward(loss)
    after = str(tape).splitlines()
    assert after[4].split()[-3:] == ["|g|", "=", "1"]
    assert all("|g| = " in line for line in after[1:5])
    assert str(tape).isascii()
    assert repr(tape) == "Tape(4 records, replayed)"


class Twice(dl.layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = Dense(3, 2, bias=False, init="zeros")

    def forward(self, x):
        return self.inner(x) * 2


def test_its_print_word_for_word():
    with Tape(keep_gradients=True) as tape:
        loss = Twice()(np.ones((4, 3), np.float32)).sum()
        Tensor(1.0).exp()
    lines = [
        "#  op        layer        inputs         output",
        "0  dense     inner        (4,3) P(3,2)*  (4,2)*",
        "1  multiply  (outermost)  (4,2)* ()      (4,2)*",
        "2  sum                    (4,2)*         ()*",
        "3  exp                    ()             ()",
        "4 records, closed; P parameter, * requires a gradient",
    ]
    assert str(tape).splitlines() == lines
    tape.backward(loss)
    norms = ["gradient", "|g| = 5.66", "|g| = 2.83", "|g| = 1", ""]
    expected = [
        f"{line:47}  {norm}".rstrip() for line, norm in zip(lines[:-1], norms, strict=True)
    ]
    assert str(tape).splitlines() == [*expected, lines[-1].replace("closed", "replayed")]


def test_a_tensor_that_a_tape_has_not_used_may_begin_to_require_a_gradient():
    x, late = Tensor([1.0], requires_grad=True), Tensor([2.0])
    with Tape() as tape:
        y = x * 3
        late.requires_grad = True
        z = y * late
    tape.backward(z)
    assert (x.grad.tolist(), late.grad.tolist()) == ([6], [3])


def test_ops_of_constants_keep_no_arrays_for_a_gradient():
    with Tape() as tape:
        Tensor([1.0]) * Tensor([2.0])
    assert tape.records[0].vjp is None


def test_gradients_are_kept_on_the_records_only_if_asked():
    x = Tensor([1.0], requires_grad=True)
    with Tape() as tape:
        y = x * 3
    tape.backward(y)
    assert tape.records[0].gradient is None
    assert (tape.persistent, tape.keep_gradients) == (False, False)


def test_a_record_outside_of_layers_has_none_and_of_the_outermost_layer_an_empty_path():
    class Double(dl.layers.Layer):
        def forward(self, x):
            return x * 2

    with Tape() as tape:
        Double()(np.ones(2)) + 1
    assert [record.layer for record in tape.records] == ["", None]
    assert (tape.layer, tape.running) == (None, None)
    assert "(outermost)" in str(tape)


def test_a_hundred_thousand_records_need_no_recursion():
    x, one = Tensor(np.array(1.0), requires_grad=True), Tensor(np.array(1.0))
    gc.disable()    # there are no cycles to look for: see below
    try:
        with Tape() as tape:
            y = x
            for _ in range(100_000):
                y = y + one
        tape.backward(y)
        assert y.item() == 100_001
        assert x.grad == 1
        del tape, y     # nor does letting it go
    finally:
        gc.enable()


def test_a_kept_loss_keeps_no_graph_and_no_cycle_holds_it():
    gc.collect()
    gc.disable()
    try:
        weight = Parameter(np.ones((3, 3)))
        model = Sequential(Dense(3, 3), BatchNorm(3), Sigmoid(), seed=0).astype(np.float64)
        with Tape(keep_gradients=True) as tape:
            hidden = model(ops.einsum("ij,jk->ik", np.arange(9.0).reshape(3, 3), weight) @ np.eye(3))
            loss = dl.losses.cross_entropy(hidden[[0, 0, 1]] ** 2 - hidden.mean(0), [0, 1, 2])
        tape.backward(loss)
        watched = [weakref.ref(tape), weakref.ref(hidden)]
        del tape, hidden
        assert [reference() for reference in watched] == [None, None]
        assert gc.collect() == 0
        assert np.isfinite(loss.item())
    finally:
        gc.enable()


def test_the_readme_loop_learns():
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(64, 10)).astype(np.float32), rng.integers(0, 3, 64)
    model = Sequential(Dense(10, 50, bias=False), BatchNorm(50), Sigmoid(), Dense(50, 3), seed=0)
    optimizer = dl.optim.SGD(model.parameters(), lr=2.0)
    losses = []
    for _ in range(300):
        with Tape() as tape:
            loss = dl.losses.cross_entropy(model(images), labels)
        tape.backward(loss)
        optimizer.step()
        losses.append(float(loss))
    assert losses[0] == pytest.approx(np.log(3), abs=0.5)
    assert losses[-1] < 0.1
    assert all(p.grad is None for p in model.parameters())
