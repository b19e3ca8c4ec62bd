"""BatchNorm: both modes, running statistics step by step, buffers, messages; LayerNorm and GroupNorm."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl.layers import BatchNorm, Dense, GroupNorm, LayerNorm, Sequential

SHAPES = [(4, 3), (2, 3), (5, 2, 3, 3)]


def batches(shape, n=4):
    """Each with another mean and spread, and a mean that depends on the position."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) * (k + 1) + 3 * k + rng.normal(size=shape[1:]) for k in range(n)]


def statistics(x):
    """Mean, biased and unbiased variance of each feature, over all other axes."""
    rows = x.reshape(-1, x.shape[-1])
    return rows.mean(0), rows.var(0), rows.var(0, ddof=1)


def make(*, momentum=0.1, eps=1e-3, affine=True):
    layer = BatchNorm(3, momentum=momentum, eps=eps, affine=affine).astype(np.float64)
    if affine:
        layer.gamma.data = np.array([0.5, -2.0, 1.5])
        layer.beta.data = np.array([3.0, 0.1, -1.0])
    return layer


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("affine", [True, False])
def test_training_mode_normalises_with_the_batchs_biased_variance(shape, affine):
    layer, (x, *_) = make(affine=affine), batches(shape)
    mean, var, _ = statistics(x)
    expected = (x - mean) / np.sqrt(var + 1e-3)
    if affine:
        expected = expected * layer.gamma.data + layer.beta.data
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0, 0.0])
def test_running_statistics_follow_with_the_unbiased_variance(shape, momentum):
    layer, running_mean, running_var = make(momentum=momentum), np.zeros(3), np.ones(3)
    for k, x in enumerate(batches(shape)):
        mean, _, unbiased = statistics(x)
        layer(x)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * unbiased
        np.testing.assert_allclose(layer.running_mean, running_mean, rtol=1e-12)
        np.testing.assert_allclose(layer.running_var, running_var, rtol=1e-12)
        assert layer.batches_seen == k + 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_momentum_none_keeps_the_plain_average_of_all_batches(shape):
    layer, seen = make(momentum=None), batches(shape)
    for x in seen:
        layer(x)
    means, _, variances = np.mean([statistics(x) for x in seen], axis=0)
    np.testing.assert_allclose(layer.running_mean, means, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, variances, rtol=1e-12)


@pytest.mark.parametrize("shape", [*SHAPES, (1, 3)], ids=str)
@pytest.mark.parametrize("affine", [True, False])
def test_evaluation_mode_uses_the_running_statistics_and_leaves_them_alone(shape, affine):
    layer = make(affine=affine).eval()
    mean, var = np.array([50.0, -7.0, 0.3]), np.array([0.2, 30.0, 5.0])     # far from the batch's
    layer.running_mean, layer.running_var = mean.copy(), var.copy()
    x = batches(shape)[1]
    expected = (x - mean) / np.sqrt(var + 1e-3)
    if affine:
        expected = expected * layer.gamma.data + layer.beta.data
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-12)
    np.testing.assert_array_equal(layer.running_mean, mean)
    np.testing.assert_array_equal(layer.running_var, var)
    assert layer.batches_seen == 0


def test_backward_in_evaluation_mode_is_that_of_an_affine_map():
    layer = make().eval()
    layer.running_mean, layer.running_var = np.array([5.0, -7.0, 0.3]), np.array([0.2, 30.0, 5.0])
    x = dl.Tensor(batches((4, 3))[0], requires_grad=True)
    g = np.random.default_rng(1).normal(size=(4, 3))
    with dl.Tape() as tape:
        y = layer(x)
    tape.backward(y, gradient=g)
    np.testing.assert_allclose(x.grad, g * layer.gamma.data / np.sqrt(layer.running_var + 1e-3), rtol=1e-12)
    np.testing.assert_allclose(layer.beta.grad, g.sum(0), rtol=1e-12)


def test_training_and_evaluation_are_different_ops_on_the_tape():
    layer = BatchNorm(3)
    with dl.Tape() as tape:
        layer(np.eye(3))
        layer.eval()(np.eye(3))
    assert [record.op for record in tape.records] == ["batch_norm", "batch_norm_inference"]


def test_a_tape_of_evaluation_is_not_spoilt_by_later_training():
    layer = make().eval()
    x = dl.Tensor(batches((4, 3))[0], requires_grad=True)
    with dl.Tape(persistent=True) as tape:
        y = layer(x)
    (before,) = tape.gradients(y, [x], gradient=np.ones((4, 3)))
    layer.train()(batches((4, 3))[1])
    (after,) = tape.gradients(y, [x], gradient=np.ones((4, 3)))
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("momentum", [0.1, np.float64(0.1), None])
@pytest.mark.parametrize("affine", [True, False])
def test_buffers_keep_their_dtype(momentum, affine):
    layer = BatchNorm(3, momentum=momentum, eps=np.float64(1e-5), affine=affine)
    for dtype in (np.float32, np.float64):
        layer.astype(dtype)
        for x in batches((4, 3)):
            assert layer(x).dtype == dtype
        assert layer.running_mean.dtype == layer.running_var.dtype == dtype
        layer.reset_statistics()
        assert layer.running_mean.dtype == layer.running_var.dtype == dtype
        assert (layer.running_mean.tolist(), layer.running_var.tolist()) == ([0] * 3, [1] * 3)
        assert layer.batches_seen == 0


def test_dense_batch_norm_is_convolutional_batch_norm_on_1_by_1_maps():
    dense, maps = make(), make()
    for x in batches((6, 3)):
        np.testing.assert_array_equal(dense(x).data, maps(x[:, None, None, :]).data[:, 0, 0])
    for name, array in dense.state_dict().items():
        np.testing.assert_array_equal(array, maps.state_dict()[name])


def test_a_bias_before_it_gets_no_gradient():
    model = Sequential(Dense(4, 3), BatchNorm(3), seed=0).astype(np.float64)
    rng = np.random.default_rng(0)
    with dl.Tape() as tape:
        y = model(rng.normal(size=(6, 4)))
    tape.backward(y, gradient=rng.normal(size=(6, 3)))
    assert abs(model[0].bias.grad).max() < 1e-14
    assert abs(model[0].weight.grad).max() > 0.1


def test_changing_one_feature_leaves_the_others_as_they_were():
    x = batches((5, 2, 2, 3))[1]
    other = x.copy()
    other[..., 1] *= 7
    g = np.random.default_rng(2).normal(size=x.shape)
    found = []
    for a in (x, other):
        leaf, layer = dl.Tensor(a, requires_grad=True), make()
        with dl.Tape() as tape:
            y = layer(leaf)
        tape.backward(y, gradient=g)
        found.append([y.data, leaf.grad, layer.gamma.grad, layer.beta.grad])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a[..., [0, 2]], b[..., [0, 2]])


WHOLE = "a whole number of 1 or more, got"


@pytest.mark.parametrize(("call", "message"), [
    (lambda: BatchNorm(3)(np.zeros((1, 3))),
     "BatchNorm(3) in training mode expects more than one value per feature, got (1, 3): use drop_last=True "
     "if this is the last short batch, or model.eval() for a single example"),
    (lambda: BatchNorm(3)(np.zeros((1, 1, 1, 3))),
     "BatchNorm(3) in training mode expects more than one value per feature, got (1, 1, 1, 3): use "
     "drop_last=True if this is the last short batch, or model.eval() for a single example"),
    (lambda: BatchNorm(3)(np.zeros((4, 5))),
     "BatchNorm(3) expects (batch, ..., 3), got (4, 5): use BatchNorm(5)"),
    (lambda: BatchNorm(3)(np.zeros((4, 3, 8, 8))),
     "BatchNorm(3) expects (batch, ..., 3), got (4, 3, 8, 8): put the channels last, "
     "x.transpose(0, 2, 3, 1)"),
    (lambda: BatchNorm(3)(np.zeros((4, 3, 8))),
     "BatchNorm(3) expects (batch, ..., 3), got (4, 3, 8): use BatchNorm(8)"),
    (lambda: BatchNorm(3)(np.zeros((4, 8, 3, 8))),
     "BatchNorm(3) expects (batch, ..., 3), got (4, 8, 3, 8): use BatchNorm(8)"),
    (lambda: BatchNorm(3)(np.zeros(3)),
     "BatchNorm(3) expects (batch, ..., 3), got (3,): put it into a batch, x[None]"),
    (lambda: LayerNorm(3)(np.zeros((4, 2, 5))),
     "LayerNorm(3) expects (batch, ..., 3), got (4, 2, 5): use LayerNorm(5)"),
    (lambda: GroupNorm(2, 4)(np.zeros((4, 6))),
     "GroupNorm(2, 4) expects (batch, ..., 4), got (4, 6): use GroupNorm(2, 6)"),
    (lambda: BatchNorm(0), f"BatchNorm expects num_features to be {WHOLE} 0"),
    (lambda: LayerNorm(-1), f"LayerNorm expects num_features to be {WHOLE} -1"),
    (lambda: GroupNorm(1.5, 3), f"GroupNorm expects groups to be {WHOLE} 1.5"),
    (lambda: GroupNorm(0, 4), f"GroupNorm expects groups to be {WHOLE} 0"),
    (lambda: GroupNorm(3, 4), "GroupNorm expects 4 features to be divisible by 3 groups"),
    (lambda: BatchNorm(3, momentum=1.5),
     "BatchNorm expects momentum to be a number in [0, 1] or None, got 1.5"),
    (lambda: BatchNorm(3, eps=-1), "BatchNorm expects eps to be a number in [0, inf), got -1"),
    (lambda: BatchNorm(3, eps="a"), "BatchNorm expects eps to be a number in [0, inf), got 'a'"),
    (lambda: LayerNorm(3, eps=-1), "LayerNorm expects eps to be a number in [0, inf), got -1"),
    (lambda: GroupNorm(1, 3, eps=float("nan")), "GroupNorm expects eps to be a number in [0, inf), got nan"),
])
def test_messages(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_gamma_ones_and_beta_zeros_are_the_parameters_unless_left_out():
    for layer in (BatchNorm(3), LayerNorm(3), GroupNorm(1, 3)):
        found = {name: (p.data.tolist(), p.dtype) for name, p in layer.named_parameters()}
        assert found == {"gamma": ([1] * 3, np.float32), "beta": ([0] * 3, np.float32)}
    assert list(BatchNorm(3, affine=False).named_parameters()) == []


def test_their_reprs_name_what_differs_from_the_usual():
    assert repr(BatchNorm(3)) == "BatchNorm(3)"
    other = BatchNorm(3, None, 0.001, affine=False)
    assert repr(other) == "BatchNorm(3, momentum=None, eps=0.001, affine=False)"
    assert (repr(LayerNorm(3)), repr(GroupNorm(1, 3))) == ("LayerNorm(3)", "GroupNorm(1, 3)")
    assert repr(GroupNorm(1, 3, eps=0.5)) == "GroupNorm(1, 3, eps=0.5)"


@pytest.mark.parametrize("layer", [LayerNorm(6), GroupNorm(2, 6)], ids=repr)
def test_layer_and_group_norm_know_no_batch(layer):
    x = np.random.default_rng(0).normal(size=(4, 5, 6))
    together = layer(x).data
    for mode in (layer.train, layer.eval):
        mode()
        for n in range(4):
            np.testing.assert_array_equal(layer(x[n : n + 1]).data[0], together[n])
    assert list(layer.named_buffers()) == []


@pytest.mark.parametrize(("kind", "axis"), [
    (lambda **options: LayerNorm(6, **options), 2), (lambda **options: GroupNorm(1, 6, **options), (1, 2)),
])
def test_eps_of_layer_and_group_norm_is_added_to_the_variance(kind, axis):
    x = np.random.default_rng(0).normal(size=(4, 5, 6)) * 0.01
    for options, eps in (({}, 1e-5), ({"eps": 0.5}, 0.5)):
        expected = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)
        y = kind(**options).astype(np.float64)(x)
        np.testing.assert_allclose(y.data, expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("momentum", [None, 1.0])
def test_the_first_batch_counts_in_full_however_small_its_variance(momentum):
    x = np.random.default_rng(0).normal(0, 1e-5, (50, 2)).astype(np.float32)
    layer = BatchNorm(2, momentum=momentum, eps=1e-12)
    layer(x)
    np.testing.assert_allclose(layer.running_var, x.var(0, ddof=1), rtol=1e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_batch_that_is_not_finite_leaves_the_statistics_as_they_are(bad, momentum):
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    layer = BatchNorm(3, momentum=momentum)
    layer(x)
    before = layer.state_dict()
    x[2, 1] = bad
    with np.errstate(all="ignore"):
        y = layer(x)
    assert np.isnan(y.data[:, 1]).all()
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
