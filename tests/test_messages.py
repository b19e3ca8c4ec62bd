"""Every error that the design promises: it says where, what was expected, what came, and how to mend it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import minidl as dl
from minidl import Parameter, Tape, Tensor, ops
from minidl.layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    GroupNorm,
    LayerNorm,
    MaxPool2D,
    ReLU,
    Sequential,
    fold_batch_norm,
)
from minidl.losses import binary_cross_entropy, cross_entropy, mse

X = np.ones((2, 3), np.float32)
ROWS = np.full((8, 4), 0.25, np.float32)     # probabilities
LABELS = np.zeros(8, int)


class Case(NamedTuple):
    """What a user does wrong, and the message, in its parts; where a part is empty, another one says it."""

    call: Callable[[], Any]
    kind: type[Exception]
    where: str
    expected: str
    got: str
    fix: str


def replayed():
    x = Tensor(X, requires_grad=True)
    with Tape() as tape:
        loss = (x * x).sum()
    tape.backward(loss)
    return tape, loss


def recorded(function=lambda x: (x * x).sum()):
    x = Tensor(X, requires_grad=True)
    with Tape() as tape:
        loss = function(x)
    return tape, loss


def on_a_tape(function):
    with Tape():
        return function()


def broken_tape():
    tape = Tape()
    with pytest.raises(KeyError), tape:
        loss = Parameter([1.0]) * 2
        raise KeyError
    tape.backward(loss)


def backward_inside():
    with Tape() as tape:
        tape.backward(Parameter([1.0]).sum())


def nested():
    with Tape(), Tape():
        pass


def a_tape_twice():
    tape, _ = recorded()
    with tape:
        pass


def changed_parameter(change=lambda p: setattr(p, "data", p.data * 2)):
    model = Sequential(Flatten(), Dense(3, 1), seed=0)
    with Tape() as tape:
        loss = model(X).sum()
    change(model[1].weight)
    tape.backward(loss)


def requires_grad_too_late():
    x = Tensor(X)
    with Tape():
        x * 2
        x.requires_grad = True


def in_place(leaf):
    leaf += 1


def own_op(vjp):
    x, y = Tensor(X, requires_grad=True), Tensor(X, requires_grad=True)
    with Tape() as tape:
        loss = dl.record("mine", x.data + y.data, (x, y), vjp).sum()
    tape.backward(loss)


def anomaly():
    model = Sequential(ReLU(), Dense(3, 2), seed=0)
    model[1].weight.data = np.full((3, 2), np.inf, np.float32)
    with dl.detect_anomaly(), Tape():
        model(X)


def anomaly_backward():
    x = Tensor([0.0, 1.0], requires_grad=True)
    with Tape() as tape:
        loss = ops.sqrt(x).sum()
    with dl.detect_anomaly(), np.errstate(divide="ignore"):
        tape.backward(loss)


def into_array():
    a = X.copy()
    a += Tensor(X)


def load(change):
    model = Sequential(Dense(3, 2), BatchNorm(2), seed=0)
    state = model.state_dict()
    change(state)
    model.load_state_dict(state)


CASES = {
    # ---- Errors ----
    "Dense before Flatten": Case(
        lambda: Dense(784, 100)(np.zeros((60, 28, 28, 1))), ValueError,
        "Dense(784, 100)", "expects (batch, 784)", "got (60, 28, 28, 1)", ": put Flatten() before it"),
    "Dense of another size": Case(
        lambda: Dense(512, 10)(np.zeros((128, 800))), ValueError,
        "Dense(512, 10)", "expects (batch, 512)", "got (128, 800)", ": use Dense(800, 10)"),
    "Dense of another size before Flatten": Case(
        lambda: Dense(512, 10)(np.zeros((2, 10, 10, 8))), ValueError,
        "Dense(512, 10)", "expects (batch, 512)", "got (2, 10, 10, 8)",
        ": put Flatten() before it, and use Dense(800, 10)"),
    "Dense of one example": Case(
        lambda: Dense(3, 2)(np.zeros(3)), ValueError,
        "Dense(3, 2)", "expects (batch, 3)", "got (3,)", "x[None] for a single one"),
    "anomaly forward": Case(
        anomaly, FloatingPointError, "dense (layer 1)", "", "NaN or infinity in the output", ""),
    "anomaly backward": Case(
        anomaly_backward, FloatingPointError, "sqrt", "", "NaN or infinity in the gradient", ""),
    # ---- The tape ----
    "step without a gradient": Case(
        lambda: dl.optim.SGD([Parameter([1.0])], lr=1.0).step(), RuntimeError,
        "SGD.step()", "", "found no gradient", ": call tape.backward(loss) before"),
    "no path to the loss": Case(
        lambda: (lambda t: t[0].gradients(t[1], [Parameter(X)]))(recorded()), ValueError,
        "tape.gradients", "path to the loss on this tape", "tensor 0, shape (2, 3) of float32",
        ": use it inside"),
    "computed outside": Case(
        lambda: (lambda y: on_a_tape(lambda: y + 1))(Parameter(X) * 2), RuntimeError,
        "op add", "", "got a tensor (2, 3) that was computed outside any tape", "or use .detach()"),
    "computed on another tape": Case(
        lambda: (lambda y: on_a_tape(lambda: y + 1))(recorded()[1]), RuntimeError,
        "op add", "", "got a tensor () that was computed on another tape", "or use .detach()"),
    "nested tapes": Case(
        nested, RuntimeError, "Tape", "tapes don't nest", "is recording on another",
        ": leave its `with` first"),
    "second derivatives": Case(
        lambda: dl.grad(lambda x: dl.Tensor(dl.grad(lambda y: y * y)(x)))(2.0), RuntimeError,
        "Tape", "no second derivatives", "is recording on another", ": leave its `with` first"),
    "a tape entered twice": Case(
        a_tape_twice, RuntimeError, "Tape", "records once", "", ": make a new one"),
    "backward twice": Case(
        lambda: (lambda t: t[0].backward(t[1]))(replayed()), RuntimeError,
        "this tape", "", "was replayed already", ": record again, or use Tape(persistent=True)"),
    "backward inside": Case(
        backward_inside, RuntimeError, "the tape", "", "is still recording",
        ": call backward after the `with"),
    "backward of nothing": Case(
        lambda: Tape().backward(Tensor(1.0)), RuntimeError,
        "this tape", "", "has recorded nothing", ": compute the loss inside"),
    "backward after an exception": Case(
        broken_tape, RuntimeError, "this tape", "", "was left by an exception", ": record again"),
    "backward of no scalar": Case(
        lambda: (lambda t: t[0].backward(t[1]))(recorded(lambda x: x * x)), ValueError,
        "backward", "expects a scalar loss", "got shape (2, 3)", ": use loss.mean() or loss.sum(), or pass"),
    "backward of what isn't recorded": Case(
        lambda: recorded()[0].backward(Tensor(1.0)), ValueError,
        "backward", "expects a result recorded on this tape", "got one that is a leaf",
        ": compute it inside `with Tape()`, from something that requires a gradient"),
    "an upstream gradient of another shape": Case(
        lambda: (lambda t: t[0].backward(t[1], gradient=[1.0]))(recorded(lambda x: x * x)), ValueError,
        "backward", "of the loss's shape (2, 3)", "got (1,)", ""),
    "a parameter changed before backward": Case(
        changed_parameter, RuntimeError,
        "dense (layer 1)", "", "used a parameter (3, 1) that was changed afterwards",
        ": call backward before"),
    "a parameter frozen before backward": Case(
        lambda: changed_parameter(lambda p: setattr(p, "requires_grad", False)), RuntimeError,
        "dense (layer 1)", "", "that was changed afterwards", "sets its .data or .requires_grad"),
    "requires_grad too late": Case(
        requires_grad_too_late, RuntimeError,
        "requires_grad = True", "", "a Tensor (2, 3) of float32 that this tape has used already",
        ": set it before `with Tape()`"),
    "requires_grad of a result": Case(
        lambda: setattr(Parameter(X) * 2, "requires_grad", False), ValueError,
        "requires_grad", "on leaves only", "this tensor was computed", ": use .detach()"),
    "loss.backward()": Case(
        lambda: recorded()[1].backward(), TypeError,
        "a Tensor () of float32", "", "has no backward", ": call tape.backward(loss) after"),
    "a copy of a result": Case(
        lambda: copy.deepcopy(Parameter(X) * 2), TypeError,
        "a Tensor (2, 3) of float32", "", "can't be copied or pickled", ": copy t.detach()"),
    # ---- Extending ----
    "a vjp's count": Case(
        lambda: own_op(lambda g: (g,)), ValueError,
        "the vjp of mine", "one array (or None) for each of the 2 inputs", "got 1", "must return a tuple"),
    "a vjp's shape": Case(
        lambda: own_op(lambda g: (g, g[0])), ValueError,
        "the vjp of mine", "for input 1 an array of shape (2, 3)", "got shape (3,) of float32",
        "must return"),
    "a vjp's dtype": Case(
        lambda: own_op(lambda g: (g.astype(np.float64), g)), ValueError,
        "the vjp of mine", "for input 0 an array of shape (2, 3) of float32", "of float64", "must return"),
    "an op's inputs": Case(
        lambda: dl.record("mine", X, (X,), lambda g: (g,)), TypeError,
        "op mine", "expects its inputs as tensors", "got shape (2, 3) of float32", ": use minidl.Tensor"),
    "an op's one input": Case(
        lambda: dl.record("mine", X, Tensor(X), lambda g: (g,)), TypeError,
        "op mine", "expects a tuple of inputs", "got one tensor", ": write (x,)"),
    "a layer's class": Case(
        lambda: Sequential(Flatten), TypeError,
        "Sequential", "expects layers", "Flatten'> at position 0", ": write its parentheses"),
    "a layer without forward": Case(
        lambda: dl.Layer()(X), TypeError, "Layer", "", "has no forward method",
        ": write `def forward(self, x)`"),
    # ---- dtype, arrays ----
    "two float dtypes": Case(
        lambda: Tensor(X) * Tensor(X.astype(np.float64)), TypeError,
        "multiply", "expects one dtype", "got float32 and float64", ": convert the model with model.astype("),
    "uint8 images": Case(
        lambda: Dense(3, 2)(X.astype(np.uint8)), TypeError,
        "Dense(3, 2)", "expects floats", "got uint8 images (2, 3)", ": divide by 255"),
    "strings": Case(
        lambda: Tensor(["a"]), TypeError, "", "expected real numbers", "got list ['a']", ""),
    "a mask": Case(
        lambda: Tensor(np.ma.array([1.0, 2.0], mask=[0, 1])), TypeError,
        "", "expected an array without a mask", "got shape (2,) of float64 with masked", "a.filled(value)"),
    "a list of tensors": Case(
        lambda: Tensor([Tensor(1.0)]), TypeError,
        "", "expected numbers or an array", "got a list of tensors", ": use minidl.ops.stack"),
    "a tensor of a tensor": Case(
        lambda: Tensor(Tensor(1.0)), TypeError,
        "", "expected numbers or an array", "got a Tensor already", ": use t.detach()"),
    "setting an element": Case(
        lambda: Tensor(X).__setitem__(0, 1), TypeError,
        "a tensor", "is read-only", "", ": use minidl.ops.where, or change a parameter by"),
    "in place on a leaf": Case(
        lambda: in_place(Parameter(X)), TypeError,
        "`t += ...`", "", "a Parameter (2, 3) of float32 that requires grad", ": write `new = t + ...`"),
    "a parameter's new shape": Case(
        lambda: setattr(Parameter(X), "data", X[0]), ValueError,
        "parameter.data", "expects an array (2, 3) of float32", "got shape (3,) of float32", "model.astype"),
    "a parameter replaced": Case(
        lambda: setattr(Dense(3, 2), "weight", X), TypeError,
        "Dense.weight", "is a Parameter", "got shape (2, 3) of float32", ": assign to weight.data"),
    # ---- layers ----
    "channels first": Case(
        lambda: Conv2D(3, 8, 5)(np.zeros((2, 3, 32, 32))), ValueError,
        "Conv2D(3, 8, 5)", "expects (batch, height, width, 3)", "got (2, 3, 32, 32)",
        ": put the channels last, x.transpose(0, 2, 3, 1)"),
    "other channels": Case(
        lambda: Conv2D(3, 8, 5)(np.zeros((2, 32, 32, 1))), ValueError,
        "Conv2D(3, 8, 5)", "expects (batch, height, width, 3)", "got (2, 32, 32, 1)",
        ": use Conv2D(1, 8, 5)"),
    "images without channels": Case(
        lambda: Conv2D(1, 8, 5)(np.zeros((2, 28, 28))), ValueError,
        "Conv2D(1, 8, 5)", "expects (batch, height, width, 1)", "got (2, 28, 28)", "x[..., None]"),
    "Conv2D after Flatten": Case(
        lambda: Conv2D(1, 8, 5)(np.zeros((2, 784))), ValueError,
        "Conv2D(1, 8, 5)", "expects (batch, height, width, 1)", "got (2, 784)", ": put it before Flatten()"),
    "small images": Case(
        lambda: Conv2D(1, 8, 5)(np.zeros((2, 4, 9, 1))), ValueError,
        "Conv2D(1, 8, 5)", "of at least 5 pixels", "got (2, 4, 9, 1)",
        ": use a smaller kernel or more padding"),
    "MaxPool2D of rows": Case(
        lambda: MaxPool2D(2)(X), ValueError, "MaxPool2D(2)", "expects (batch, height, width, channels)",
        "got (2, 3)",
        ": put it before Flatten()"),
    "AvgPool2D of small images": Case(
        lambda: AvgPool2D(3)(np.zeros((1, 2, 2, 1))), ValueError,
        "AvgPool2D(3)", "of 3 x 3 or more", "got (1, 2, 2, 1)", ": pool less"),
    "BatchNorm of other features": Case(
        lambda: BatchNorm(4)(X), ValueError, "BatchNorm(4)", "expects (batch, ..., 4)", "got (2, 3)",
        "BatchNorm(3)"),
    "LayerNorm of other features": Case(
        lambda: LayerNorm(4)(X), ValueError, "LayerNorm(4)", "expects (batch, ..., 4)", "got (2, 3)",
        "LayerNorm(3)"),
    "GroupNorm of other features": Case(
        lambda: GroupNorm(2, 4)(np.zeros((1, 2, 2, 6))), ValueError,
        "GroupNorm(2, 4)", "expects (batch, ..., 4)", "got (1, 2, 2, 6)", "GroupNorm(2, 6)"),
    "one value per feature": Case(
        lambda: BatchNorm(3)(X[:1]), ValueError,
        "BatchNorm(3)", "expects more than one value per feature", "got (1, 3)",
        ": use drop_last=True if this is the last short batch, or model.eval()"),
    "folding through MaxPool2D": Case(
        lambda: fold_batch_norm(Sequential(Conv2D(1, 2, 3), MaxPool2D(2), BatchNorm(2), ReLU())), ValueError,
        "fold_batch_norm", "", "BatchNorm(2) between MaxPool2D(2) and ReLU()", ": put it right before or"),
    "folding into padding": Case(
        lambda: fold_batch_norm(Sequential(ReLU(), BatchNorm(2), Conv2D(2, 2, 3, padding=1))), ValueError,
        "fold_batch_norm", "", "into Conv2D(2, 2, 3, padding=1) after it", ": use padding=0, or put the"),
    "folding into nothing": Case(
        lambda: fold_batch_norm(Sequential(BatchNorm(2))), ValueError,
        "fold_batch_norm", "", "BatchNorm(2) between nothing",
        ": put it right before or right after a Dense"),
    "a state that doesn't fit": Case(
        lambda: load(lambda s: (s.pop("0.bias"), s.update({"1.gamma": X, "new": X}))), ValueError,
        "load_state_dict", "1.gamma expects (2,)", "got (2, 3)", "missing: 0.bias; unexpected: new"),
    # ---- NumPy's protocols ----
    "a NumPy function": Case(
        lambda: np.mean(Tensor(X)), TypeError,
        "np.mean", "", "would drop the gradient", ": use minidl.ops.mean, or use np.asarray(t)"),
    "a NumPy function without an op": Case(
        lambda: np.median(Tensor(X)), TypeError,
        "np.median", "", "would drop the gradient", ": build it from minidl.ops, or use np.asarray(t)"),
    "a ufunc without an op": Case(
        lambda: np.floor(Tensor(X)), TypeError,
        "np.floor", "", "has no minidl op, and would drop the gradient", ": build it from minidl.ops"),
    "a tensor into an array": Case(
        into_array, TypeError, "np.add", "", "can't write a tensor into an array", ": use a = a + t"),
    # ---- losses ----
    "(N,) against (N, 1)": Case(
        lambda: mse(np.ones((8, 1)), np.ones(8)), ValueError,
        "mse", "expects two of the same shape", "got (8, 1) and (8,)", "use prediction[..., 0]"),
    "(N, 1) against (N,)": Case(
        lambda: binary_cross_entropy(np.ones(8), np.ones((8, 1))), ValueError,
        "binary_cross_entropy", "expects two of the same shape", "got (8,) and (8, 1)", "use target[..., 0]"),
    "class labels for mse": Case(
        lambda: mse(ROWS, LABELS), ValueError,
        "mse", "expects two of the same shape", "got (8, 4) and (8,)",
        ": use cross_entropy for class labels"),
    "one-hot labels": Case(
        lambda: cross_entropy(ROWS - 1, np.eye(4)[LABELS]), ValueError,
        "cross_entropy", "expects integers (8,)", "got one-hot (8, 4)", ": use .argmax(1)"),
    "float labels": Case(
        lambda: cross_entropy(ROWS - 1, LABELS.astype(float)), ValueError,
        "cross_entropy", "expects integer labels", "got shape (8,) of float64", ": use labels.astype(int)"),
    "labels as a column": Case(
        lambda: cross_entropy(ROWS - 1, LABELS[:, None]), ValueError,
        "cross_entropy", "expects labels (8,)", "got (8, 1)", ": use labels[:, 0]"),
    "labels out of range": Case(
        lambda: cross_entropy(ROWS - 1, LABELS + 7), ValueError,
        "cross_entropy", "expects labels from 0 to 3", "got 7 to 7", ": give the last Dense more outputs"),
    "labels counted from 1": Case(
        lambda: cross_entropy(ROWS - 1, np.arange(8) % 4 + 1), ValueError,
        "cross_entropy", "expects labels from 0 to 3", "got 1 to 4", ": use labels - 1"),
    "labels below 0": Case(
        lambda: cross_entropy(ROWS - 1, LABELS - 1), ValueError,
        "cross_entropy", "expects labels from 0 to 3", "got -1 to -1", ": labels are counted from 0"),
    "probabilities that softmax made": Case(
        lambda: on_a_tape(lambda: cross_entropy(ops.softmax(ROWS[:2]), LABELS[:2])), ValueError,
        "cross_entropy", "expects logits", "got the output of softmax", ": leave it out"),
    "probabilities that sigmoid made": Case(
        lambda: on_a_tape(lambda: binary_cross_entropy(ops.sigmoid(X), X)), ValueError,
        "binary_cross_entropy", "expects logits", "got the output of sigmoid", ": leave it out"),
    "probabilities by their looks": Case(
        lambda: cross_entropy(ROWS, LABELS), ValueError,
        "cross_entropy", "expects logits", "got probabilities (rows sum to 1)", ": leave softmax out"),
    # ---- kinks and sums ----
    "an index twice in one operand": Case(
        lambda: ops.einsum("ii->i", np.eye(3)), ValueError,
        "einsum 'ii->i'", "", "has a letter twice in one operand", ": index the diagonal"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_says_where_what_was_expected_what_came_and_the_fix(name):
    case = CASES[name]
    with pytest.raises(case.kind) as caught:
        case.call()
    message = str(caught.value)
    assert type(caught.value) is case.kind
    for part in (case.where, case.expected, case.got, case.fix):
        assert part in message
    assert message.isascii()
    assert "\n" not in message
    assert ". " not in message      # one sentence
