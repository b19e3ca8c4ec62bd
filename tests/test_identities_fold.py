"""Folding (Ioffe & Szegedy 2015, Algorithm 2, step 11): the same outputs without any batch normalization."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl.layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    fold_batch_norm,
)
from minidl.training import recalibrate

FOLDABLE = {
    "Dense, before the activation": ((6,), lambda: [Dense(6, 4, bias=False), BatchNorm(4), Sigmoid()]),
    "Dense with a bias": ((6,), lambda: [Dense(6, 4), BatchNorm(4), ReLU(), Dense(4, 3)]),
    "Dense, after the activation": ((6,), lambda: [
        Dense(6, 4), Tanh(), BatchNorm(4), Dense(4, 3, bias=False),
    ]),
    "before all": ((6,), lambda: [BatchNorm(6), Dense(6, 3)]),
    "deep": ((6,), lambda: [
        Dense(6, 5, bias=False), BatchNorm(5), Sigmoid(), Dense(5, 4), Tanh(), BatchNorm(4), Dense(4, 3),
    ]),
    "two in a row": ((6,), lambda: [Dense(6, 4), BatchNorm(4), BatchNorm(4), ReLU(), Dense(4, 3)]),
    "without gamma and beta": ((6,), lambda: [Dense(6, 4), BatchNorm(4, affine=False, eps=0.1), ReLU()]),
    "Dropout between": ((6,), lambda: [
        Dense(6, 4), Dropout(0.5), BatchNorm(4), ReLU(), BatchNorm(4), Dropout(0.5), Dense(4, 3),
    ]),
    "Sequential inside": ((6,), lambda: [
        Sequential(Dense(6, 4), Sequential(BatchNorm(4), ReLU())), Sequential(BatchNorm(4)), Dense(4, 3),
    ]),
    "Conv2D, before the activation": ((6, 5, 2), lambda: [Conv2D(2, 3, 2, bias=False), BatchNorm(3), ReLU()]),
    "padded Conv2D before it": ((6, 5, 2), lambda: [Conv2D(2, 3, 3, 2, 1), BatchNorm(3), ReLU()]),
    "Conv2D, after the activation": ((6, 5, 2), lambda: [
        Conv2D(2, 3, 3, padding=1), ReLU(), BatchNorm(3), Conv2D(3, 2, 2),
    ]),
    "Flatten and Dense after it": ((4, 3, 2), lambda: [
        Conv2D(2, 3, 2), ReLU(), BatchNorm(3), Flatten(), Dense(18, 4),
    ]),
    "AvgPool2D on either side": ((7, 6, 2), lambda: [
        Conv2D(2, 3, 2), AvgPool2D(2), BatchNorm(3), ReLU(),
        BatchNorm(3), AvgPool2D(2), Flatten(), Dense(3, 2),
    ]),
    "MaxPool2D before it": ((7, 6, 2), lambda: [
        Conv2D(2, 3, 2), MaxPool2D(2), BatchNorm(3), Flatten(), Dense(18, 4),
    ]),
    "Flatten before it": ((4, 3, 2), lambda: [Conv2D(2, 3, 2), Flatten(), BatchNorm(18), Dense(18, 4)]),
    "Dense on maps": ((4, 3, 2), lambda: [Dense(2, 3), ReLU(), BatchNorm(3), Dense(3, 4)]),
}

REFUSED = {
    "nothing beside it": (lambda: [BatchNorm(4)], "between nothing"),
    "activations on both sides": (lambda: [Dense(6, 4), ReLU(), BatchNorm(4), ReLU(), Dense(4, 3)], "ReLU"),
    "through MaxPool2D, to the one before": (lambda: [Conv2D(2, 3, 2), MaxPool2D(2), BatchNorm(3), ReLU()],
                                             r"MaxPool2D\(2\) and ReLU"),
    "through MaxPool2D, to the one after": (
        lambda: [Conv2D(2, 3, 2), ReLU(), BatchNorm(3), MaxPool2D(2), Conv2D(3, 2, 2)], r"MaxPool2D\(2\)"
    ),
    "into a padded Conv2D": (
        lambda: [Conv2D(2, 3, 2), ReLU(), BatchNorm(3), Conv2D(3, 2, 3, padding=1)], "zeros of its padding"
    ),
    "through LayerNorm": (lambda: [Dense(6, 4), LayerNorm(4), BatchNorm(4), ReLU()], "LayerNorm"),
    "through Flatten of larger maps": (
        lambda: [Conv2D(2, 3, 2), Flatten(), BatchNorm(18), ReLU()], r"BatchNorm\(18\)"
    ),
}


def trained(layers, shape):
    """In float32, with weights, gammas of both signs, and statistics as training would leave them."""
    rng = np.random.default_rng(11)
    model = Sequential(*layers, seed=0)
    for name, p in model.named_parameters():
        if name.endswith(("gamma", "beta")):
            p.data = (rng.uniform(0.5, 1.5, p.shape) * rng.choice([-1, 1], p.shape)).astype(np.float32)
        elif name.endswith("bias"):
            # Small: BN after a saturated, nearly constant unit magnifies rounding errors in either network.
            p.data = rng.normal(0, 0.3, p.shape).astype(np.float32)
    x = (rng.normal(size=(40, *shape)) + rng.normal(size=shape)).astype(np.float32)
    recalibrate(model, (x, np.zeros(40)), batch_size=20)
    return model, x


@pytest.mark.parametrize("case", FOLDABLE)
def test_folded_networks_give_the_same(case):
    shape, layers = FOLDABLE[case]
    model, x = trained(layers(), shape)
    before = model.state_dict()
    folded = fold_batch_norm(model)
    assert not any(isinstance(layer, BatchNorm) for _, layer in folded.named_layers())
    with model.evaluating():
        y = model(x).data
    z = folded(x).data
    assert y.dtype == z.dtype == np.float32 and y.std() > 0.05
    np.testing.assert_allclose(z, y, rtol=0, atol=1e-6 * abs(y).max())
    # The model itself stays as it was, and shares nothing with the folded one.
    after = model.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert not {id(layer) for _, layer in model.named_layers()} & {id(p) for _, p in folded.named_layers()}
    assert not any(layer.training for _, layer in folded.named_layers()) and model.training


@pytest.mark.parametrize("case", REFUSED)
def test_folding_refuses_what_would_not_be_the_same(case):
    layers, message = REFUSED[case]
    with pytest.raises(ValueError, match=f"fold_batch_norm can't fold .*{message}"):
        fold_batch_norm(Sequential(*layers()))


def test_folding_is_exact_algebra():
    shape, layers = FOLDABLE["deep"]
    model, x = trained(layers(), shape)
    model.astype(np.float64).eval()
    y = model(x.astype(np.float64)).data
    np.testing.assert_allclose(fold_batch_norm(model)(x.astype(np.float64)).data, y, rtol=1e-12, atol=1e-13)


def test_folding_looks_into_sequentials_only():
    class Block(dl.Layer):
        def __init__(self):
            super().__init__()
            self.norm = BatchNorm(3)

    with pytest.raises(ValueError, match="can't look into a Block: use Sequential"):
        fold_batch_norm(Sequential(Dense(2, 3), Block()))
    with pytest.raises(TypeError, match="expects a Sequential, got Dense"):
        fold_batch_norm(Dense(2, 3))
