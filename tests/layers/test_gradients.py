"""What holds for every layer: right gradients in both modes, dtypes, state, copies."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import minidl as dl
from minidl import layers
from minidl.gradchecks.layers import CASES

every_case = pytest.mark.parametrize("case", CASES, ids=str)


def test_every_public_layer_has_a_case():
    kinds = {f for f in vars(layers).values() if isinstance(f, type) and issubclass(f, layers.Layer)}
    assert {case.kind for case in CASES} == kinds - {layers.Layer}


@every_case
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_gradients_equal_central_differences(case, training):
    layer = case.layer().train() if training else case.layer().eval()
    dl.gradcheck(layer, case.input())


@every_case
def test_float32_in_float32_out_and_float64_after_astype(case):
    layer = case.layer()
    for dtype in (np.float32, np.float64):
        layer.astype(dtype)
        x = dl.Tensor(case.input().astype(dtype), requires_grad=True)
        with dl.Tape() as tape:
            y = layer(x)
        tape.backward(y, gradient=np.ones(y.shape))
        assert y.dtype == dtype
        for t in (x, *layer.parameters()):
            assert (t.grad.dtype, t.grad.shape) == (dtype, t.shape)
        assert all(a.dtype == dtype for name, a in layer.named_buffers() if not name.endswith("seen"))
        layer.zero_grad()


@every_case
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_or_a_pickle_computes_the_same_and_shares_nothing(case, duplicate):
    layer = case.layer()
    twin = duplicate(layer)
    np.testing.assert_array_equal(layer(case.input()).data, twin(case.input()).data)
    for p, q in zip(layer.parameters(), twin.parameters(), strict=True):
        assert p is not q
        assert not np.shares_memory(p.data, q.data)
    assert repr(twin) == repr(layer)


@every_case
def test_the_state_of_one_can_be_loaded_into_another(case):
    layer, other = case.layer(), case.make()
    layer(case.input())
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(layer.eval()(case.input()).data, other.eval()(case.input()).data)
    for name, array in layer.state_dict().items():
        assert not np.shares_memory(array, dict(layer.named_buffers()).get(name, np.empty(0)))


@every_case
def test_evaluation_changes_nothing_and_gives_the_same_each_time(case):
    layer = case.layer().eval()
    before = layer.state_dict()
    first = layer(case.input()).data
    np.testing.assert_array_equal(layer(case.input()).data, first)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@every_case
def test_the_input_is_left_alone(case):
    x = case.input()
    case.layer()(x)
    np.testing.assert_array_equal(x, case.input())
    assert x.flags.writeable


@every_case
def test_its_repr_makes_the_same_layer_again(case):
    layer = case.layer()
    if isinstance(layer, layers.Sequential):
        assert repr(layer).startswith("Sequential(\n  (0) ")
    else:
        assert repr(eval(repr(layer), vars(layers))) == repr(layer)
    assert str(layer).isascii()
