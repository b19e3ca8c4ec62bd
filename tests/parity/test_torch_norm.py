"""Batch, layer and group normalization against PyTorch: values, gradients, running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minidl import ops
from minidl.layers import BatchNorm, GroupNorm, LayerNorm
from tests.parity.compare import compare, compare_layers, twins

torch = pytest.importorskip("torch")

SHAPES = [
    (2, 5), (3, 5), (4, 5), (17, 5), (64, 5), (64, 1),                              # dense
    (1, 4, 3, 5), (2, 1, 1, 5), (2, 3, 4, 5), (5, 7, 2, 3), (64, 4, 4, 2),          # images
    (4, 6, 3),                                                                      # sequences
]
MODULES = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)
affine = pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
momenta = pytest.mark.parametrize("momentum", [0.1, 0.7, None, 0.0, 1.0], ids=str)


def batch(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Means that differ from feature to feature, from position to position, from batch to batch."""
    rng = np.random.default_rng([seed, 7])
    x = rng.normal(size=shape) * rng.uniform(0.5, 2, shape[-1]) + rng.normal(size=shape[1:])
    return x + rng.normal(size=shape[-1])


def pair(shape: tuple[int, ...], **options: Any) -> tuple[BatchNorm, Any]:
    n = shape[-1]
    layer, module = twins(BatchNorm(n, **options), MODULES[len(shape)](n, **options))
    assert isinstance(layer, BatchNorm)
    return layer, module


@shapes
@affine
@momenta
def test_batch_norm_in_training_over_several_batches(shape, affine, momentum):
    layer, module = pair(shape, momentum=momentum, affine=affine)
    before = layer.running_mean
    for step in range(4):
        compare_layers(layer, module, batch(shape, step), images=True)
    assert int(layer.batches_seen) == 4
    assert (layer.running_mean != before).all() == (momentum != 0)


@shapes
@affine
def test_batch_norm_in_evaluation(shape, affine):
    layer, module = pair(shape, affine=affine)
    layer.eval()
    before = layer.state_dict()
    for x in (batch(shape), batch((1, *shape[1:]))):
        compare_layers(layer, module, x, images=True)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("shape", [(6, 5), (3, 4, 2, 5)], ids=str)
@pytest.mark.parametrize("momentum", [0.1, None], ids=str)
def test_batch_norm_trained_evaluated_and_trained_again(shape, momentum):
    layer, module = pair(shape, momentum=momentum)
    for step, training in enumerate([True, True, False, True, False]):
        layer.training = training
        compare_layers(layer, module, batch(shape, step), images=True)


@pytest.mark.parametrize("eps", [1e-12, 1e-3, 1.0])
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_batch_norm_with_another_eps(eps, training):
    layer, module = pair((5, 4), eps=eps)
    layer.training = training
    compare_layers(layer, module, batch((5, 4)), images=True)


def test_a_new_batch_norm_is_pytorchs():
    shape = (6, 5)
    layer, module = BatchNorm(5).astype(np.float64), torch.nn.BatchNorm1d(5).double()
    assert (layer.momentum, layer.eps) == (module.momentum, module.eps)
    compare_layers(layer, module, batch(shape))


@pytest.mark.parametrize("shape", [(2, 6), (64, 6), (3, 4, 6), (2, 3, 4, 6)], ids=str)
def test_layer_norm(shape):
    layer, module = twins(LayerNorm(6, eps=1e-3), torch.nn.LayerNorm(6, eps=1e-3))
    compare_layers(layer, module, batch(shape))
    compare(ops.layer_norm, lambda t: torch.nn.functional.layer_norm(t, (6,)), batch(shape))


@pytest.mark.parametrize("shape", [(1, 12), (5, 12), (3, 4, 12), (2, 3, 4, 12), (64, 2, 2, 12)], ids=str)
@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_group_norm(shape, groups):
    layer, module = twins(GroupNorm(groups, 12, eps=1e-3), torch.nn.GroupNorm(groups, 12, eps=1e-3))
    compare_layers(layer, module, batch(shape), images=True)
    functional = torch.nn.functional.group_norm
    compare(lambda x: ops.group_norm(x, groups), lambda t: functional(t, groups), batch(shape), images=True)


@pytest.mark.parametrize("shape", [(4, 6, 3), (2, 3, 4, 3)], ids=str)
def test_group_norm_of_one_channel_each_is_instance_norm(shape):
    compare(lambda x: ops.group_norm(x, 3), torch.nn.functional.instance_norm, batch(shape), images=True)
