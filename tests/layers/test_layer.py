"""Layer: what belongs to it, names, modes, dtypes, state, custom layers."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl import Parameter, ops
from minidl.datasets import Dataset
from minidl.layers import BatchNorm, Dense, Dropout, Layer, Sequential, Sigmoid


class Scale(Layer):
    """A custom layer as the documentation shows it."""

    def __init__(self, features):
        super().__init__()
        self.factor = Parameter(np.ones(features, np.float32))
        self.buffer("calls", np.zeros(1, np.float32))
        self.note = "ignored"
        self.plain = [Dense(2, 2)]

    def forward(self, x):
        self.calls = self.calls + 1
        return x * self.factor


class Network(Layer):
    """Children as attributes; one calls another; one is used twice."""

    def __init__(self):
        super().__init__()
        self.encoder = Sequential(Dense(4, 3), Sigmoid())
        self.scale = Scale(3)
        self.head = Dense(3, 2)
        self.loose = [Sigmoid()]

    def forward(self, x):
        h = self.scale(self.encoder(x))
        h = self.scale(h)
        h = self.loose[0](h)
        return self.head(h) + ops.exp(h).sum(1, keepdims=True)


def test_parameters_children_and_buffers_are_found_by_their_attributes():
    network = Network()
    assert [name for name, _ in network.named_parameters()] == [
        "encoder.0.weight", "encoder.0.bias", "scale.factor", "head.weight", "head.bias",
    ]
    assert [name for name, _ in network.named_buffers()] == ["scale.calls"]
    assert [name for name, _ in network.named_layers()] == [
        "", "encoder", "encoder.0", "encoder.1", "scale", "head",
    ]
    assert len(network.parameters()) == 5
    matrices = network.parameters(where=lambda name, p: p.ndim > 1 and name.endswith("weight"))
    assert [id(p) for p in matrices] == [id(network.encoder[0].weight), id(network.head.weight)]


def test_records_carry_the_path_seen_from_the_outermost_layer_called():
    network = Network()
    with dl.Tape() as tape:
        network(np.ones((2, 4)))
    assert [(r.op, r.layer) for r in tape.records] == [
        ("dense", "encoder.0"), ("sigmoid", "encoder.1"), ("multiply", "scale"), ("multiply", "scale"),
        ("sigmoid", "Sigmoid"), ("dense", "head"), ("exp", ""), ("sum", ""), ("add", ""),
    ]
    with dl.Tape() as tape:
        network.encoder(np.ones((2, 4)))
        network.encoder[1](np.ones(2))
    assert [r.layer for r in tape.records] == ["0", "1", ""]


def test_a_layer_called_deep_inside_anothers_forward_has_its_full_path():
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.network = Network()

        def forward(self, x):
            return self.network.encoder[0](x)

    with dl.Tape() as tape:
        Outer()(np.ones((2, 4)))
    assert tape.records[0].layer == "network.encoder.0"


def test_a_sequential_of_ones_own_may_reach_into_its_parts():
    class Skip(Sequential):
        def forward(self, x):
            return self[0][1](x) + self.layers[1](x)

    with dl.Tape() as tape:
        Skip(Sequential(Dense(2, 2), Sigmoid()), Sigmoid())(np.ones((1, 2)))
    assert [record.layer for record in tape.records] == ["0.1", "1", ""]


def test_a_buffer_may_be_made_again():
    layer = Scale(2)
    layer.buffer("calls", np.full(1, 5, np.float32))
    assert [(name, array.item()) for name, array in layer.named_buffers()] == [("calls", 5)]


def test_an_exception_inside_a_layer_leaves_no_path_behind():
    network = Network()
    with dl.Tape() as tape:
        with pytest.raises(ValueError, match="expects"):
            network(np.ones((2, 5)))
        ops.exp([1.0])
    assert tape.records[-1].layer is None


def test_a_shared_layer_and_a_shared_parameter_come_once():
    shared = Dense(3, 3)
    model = Sequential(shared, Sigmoid(), shared, Dense(3, 3))
    model[3].weight = shared.weight
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "3.bias"]
    assert [name for name, _ in model.named_layers()] == ["", "0", "1", "3"]
    with dl.Tape() as tape:
        loss = model(np.ones((2, 3))).sum()
    tape.backward(loss)
    dl.gradcheck(model, np.random.default_rng(0).normal(size=(2, 3)))
    assert list(model.state_dict()) == ["0.weight", "0.bias", "3.bias"]


def test_a_child_may_know_its_parent():
    network = Network()
    network.head.parent = network
    assert len(list(network.named_layers())) == 6
    assert len(network.train().parameters()) == 5


def test_modes():
    model = Sequential(Dense(2, 2), Sequential(BatchNorm(2), Dropout(0.5)))
    assert all(layer.training for _, layer in model.named_layers())
    assert model.eval() is model
    assert not any(layer.training for _, layer in model.named_layers())
    assert model.train() is model
    model[1][0].eval()      # frozen by the user
    with pytest.raises(KeyError), model.evaluating():
        assert not any(layer.training for _, layer in model.named_layers())
        raise KeyError
    assert [layer.training for _, layer in model.named_layers()] == [True, True, True, False, True]


def test_plain_arrays_take_the_dtype_of_the_layer():
    small, large = Dense(2, 2), Dense(2, 2).astype(np.float64)
    for x in (np.ones((1, 2)), np.ones((1, 2), np.float32), np.ones((1, 2), int), [[1, 2]]):
        assert small(x).dtype == np.float32
        assert large(x).dtype == np.float64
    with pytest.raises(TypeError, match="dense expects one dtype, got float32 and float64: convert the"):
        small(dl.Tensor(np.ones((1, 2))))
    assert Sigmoid()(np.ones(2)).dtype == np.float64
    plain = BatchNorm(2, affine=False)
    assert plain(np.ones((3, 2))).dtype == np.float32
    assert plain.astype(np.float64)(np.ones((3, 2), np.float32)).dtype == np.float64


def test_a_float64_model_sees_all_digits_of_its_input():
    x = np.array([[0.1]])
    layer = Dense(1, 1, init="zeros").astype(np.float64)
    layer.weight.data = np.ones((1, 1))
    assert layer(x).item() == 0.1


@pytest.mark.parametrize(("layer", "message"), [
    (Sequential(Dense(784, 10)), r"^Sequential expects floats, got uint8 images \(2, 28, 28, 1\): divide"),
    (Dense(784, 10), r"Dense\(784, 10\) expects floats, got uint8 images"),
])
def test_uint8_images_are_refused(layer, message):
    with pytest.raises(TypeError, match=message):
        layer(np.zeros((2, 28, 28, 1), np.uint8))


def test_astype_converts_parameters_and_float_buffers():
    model = Sequential(Dense(2, 2), BatchNorm(2))
    assert model.astype(np.float64) is model
    dtypes = {name: array.dtype for name, array in model.state_dict().items()}
    assert dtypes.pop("1.batches_seen") == np.int64
    assert set(dtypes.values()) == {np.dtype(np.float64)}
    with pytest.raises(TypeError, match="astype expects float32 or float64, got int32"):
        model.astype(np.int32)


def test_zero_grad():
    model = Network()
    with dl.Tape() as tape:
        loss = model(np.ones((2, 4))).sum()
    tape.backward(loss)
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_state_dict_has_copies_of_parameters_and_buffers():
    model = Sequential(Dense(2, 3), BatchNorm(3))
    state = model.state_dict()
    assert list(state) == [
        "0.weight", "0.bias", "1.gamma", "1.beta", "1.running_mean", "1.running_var", "1.batches_seen",
    ]
    state["0.weight"][...] = 7
    assert not (model[0].weight.data == 7).any()


def test_loading_converts_dtypes_and_lets_training_go_on():
    model = Sequential(Dense(2, 3), BatchNorm(3), seed=0)
    state = {name: array.astype(np.float64) + 1 for name, array in model.state_dict().items()}
    model.load_state_dict(state)
    assert model[0].weight.dtype == np.float32
    assert model[1].batches_seen == 1
    assert model[1].batches_seen.dtype == np.int64
    np.testing.assert_array_equal(model[1].running_var, [2, 2, 2])
    state["0.bias"][...] = 100
    assert model[0].bias.data.tolist() == [1, 1, 1]


def test_a_state_that_does_not_fit_is_listed_and_changes_nothing():
    model = Sequential(Dense(2, 3), BatchNorm(3), seed=0)
    before = model.state_dict()
    state = {name: array + 1 for name, array in before.items()}
    del state["0.bias"]
    state["2.weight"] = np.zeros(3)
    state["1.gamma"] = np.zeros((3, 1))
    state["1.beta"] = np.array(["a", "b", "c"])
    with pytest.raises(ValueError, match="load_state_dict changed nothing") as caught:
        model.load_state_dict(state)
    text = str(caught.value)
    assert "missing: 0.bias" in text
    assert "unexpected: 2.weight" in text
    assert "1.gamma expects (3,), got (3, 1)" in text
    assert "1.beta holds no numbers" in text
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_preserved_puts_buffers_and_noise_back():
    model = Sequential(BatchNorm(2), Dropout(0.5), Scale(2), seed=0)
    x = np.random.default_rng(0).normal(size=(8, 2))
    with model.preserved():
        first = model(x).data
    with model.preserved():
        np.testing.assert_array_equal(model(x).data, first)
    assert model[0].batches_seen == 0
    assert not model[0].running_mean.any()
    assert model[0].running_var.tolist() == [1, 1]
    assert model[2].calls == 0
    assert list(model.generators()) == ["1"]


def test_a_layer_without_forward_says_so():
    class Empty(Layer):
        pass

    with pytest.raises(TypeError, match=r"Empty has no forward method: write `def forward\(self, x\)`"):
        Empty()(1.0)


def test_forward_may_take_more_arguments():
    class Attention(Layer):
        def forward(self, query, key, scale=1.0):
            return ops.softmax(query @ key.T * scale)

    y = Attention()(np.eye(2), dl.Tensor(np.eye(2)), scale=0.5)
    np.testing.assert_allclose(y.data.sum(1), 1)


def test_printing():
    model = Sequential(Dense(2, 3), Sequential(BatchNorm(3), Sigmoid()))
    assert repr(model).splitlines() == [
        "Sequential(", "  (0) Dense(2, 3)", "  (1) Sequential(", "    (0) BatchNorm(3)", "    (1) Sigmoid()",
        "  )", ")",
    ]
    assert str(model).splitlines() == [
        "Sequential(", "  (0) Dense(2, 3)   weight (2, 3)   bias (3,)", "  (1) Sequential(",
        "    (0) BatchNorm(3)   gamma (3,)   beta (3,)", "    (1) Sigmoid()", "  )   6 parameters",
        ")   15 parameters   in training mode",
    ]
    model[1][0].eval()
    lines = str(model).splitlines()
    assert lines[3] == "    (0) BatchNorm(3)   gamma (3,)   beta (3,)   in evaluation mode"
    assert lines[-1] == ")   15 parameters   in both modes"
    assert str(model.eval()).splitlines()[-1] == ")   15 parameters   in evaluation mode"
    assert str(Sigmoid()) == "Sigmoid()   in training mode"
    assert repr(Network()).splitlines()[1] == "  (encoder) Sequential("


@pytest.mark.parametrize(("value", "got"), [
    (np.zeros((2, 3)), "shape (2, 3) of float64"),
    (dl.Tensor([1.0]), "shape (1,) of float32"),
    (3, "int 3"),
])
def test_a_parameter_is_not_replaced_by_what_nobody_trains(value, got):
    layer = Dense(2, 3)
    weight = layer.weight
    with pytest.raises(TypeError, match=re.escape(f"Dense.weight is a Parameter, got {got} in its place")):
        layer.weight = value
    assert layer.weight is weight
    layer.weight = dl.Parameter(np.ones((2, 3), np.float32))
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


@pytest.mark.parametrize(("forward", "message"), [
    (lambda self, x: None, "Own.forward expects to return a tensor, got None: end it with `return ...`"),
    (lambda self, x: x.data, "Own.forward expects to return a tensor, got shape (2,) of float32: compute"),
    (lambda self, x: x.sum().item(), "Own.forward expects to return a tensor, got float 3.0: compute"),
])
def test_forward_returns_a_tensor(forward, message):
    own = type("Own", (Layer,), {"forward": forward})()
    with pytest.raises(TypeError, match=re.escape(message)):
        own([1.0, 2.0])
    with dl.Tape(), pytest.raises(TypeError, match=re.escape(message)):
        own([1.0, 2.0])


def test_forward_may_return_several():
    class Split(Layer):
        def forward(self, x):
            return x[:1], x[1:]

    first, second = Split()([1.0, 2.0])
    assert (first.item(), second.item()) == (1, 2)


@pytest.mark.parametrize(("x", "message"), [
    (None, r"Dense\(1, 1\) expects an array of numbers, got NoneType None"),
    ("abc", r"Dense\(1, 1\) expects an array of numbers, got str 'abc'"),
    (Dataset(np.zeros((2, 1, 1, 1), np.float32), [0, 1], ("a", "b"), "x"), r"got Dataset .*: use data\."),
])
def test_what_is_no_array(x, message):
    with pytest.raises(TypeError, match=message):
        Dense(1, 1)(x)
