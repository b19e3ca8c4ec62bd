"""fold_batch_norm: the same outputs without any BatchNorm, and the refusals."""

from __future__ import annotations

import numpy as np
import pytest

from minidl.layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    fold_batch_norm,
)


def trained(*layers):
    """A model with random parameters of both signs and running statistics that no batch has."""
    model = Sequential(*layers, seed=0)
    rng = np.random.default_rng(1)
    for _, layer in model.named_layers():
        if isinstance(layer, BatchNorm):
            if layer.gamma is not None:
                layer.gamma.data = rng.normal(size=layer.num_features).astype(np.float32)
                layer.beta.data = rng.normal(size=layer.num_features).astype(np.float32)
            layer.running_mean = rng.normal(size=layer.num_features).astype(np.float32)
            layer.running_var = rng.uniform(0.5, 4, layer.num_features).astype(np.float32)
        elif isinstance(layer, Dense | Conv2D) and layer.bias is not None:
            layer.bias.data = rng.normal(size=layer.bias.shape).astype(np.float32)
    return model


MLP = (6, 4)
IMAGES = (5, 9, 9, 2)
NETWORKS = {
    "dense": ((Dense(4, 5), BatchNorm(5), Sigmoid(), Dense(5, 3)), MLP),
    "without bias": ((Dense(4, 5, bias=False), BatchNorm(5), Sigmoid(), Dense(5, 3, bias=False)), MLP),
    "not affine": ((Dense(4, 5), BatchNorm(5, affine=False, eps=0.1), Tanh()), MLP),
    "after the activation": ((Dense(4, 5), Sigmoid(), BatchNorm(5), Dense(5, 3)), MLP),
    "after it, without bias": ((Dense(4, 5), Sigmoid(), BatchNorm(5), Dense(5, 3, bias=False)), MLP),
    "at the input": ((BatchNorm(4), Dense(4, 3)), MLP),
    "two in a row": ((Dense(4, 5), BatchNorm(5), BatchNorm(5), Sigmoid()), MLP),
    "two around one": ((BatchNorm(4), Dense(4, 5), BatchNorm(5)), MLP),
    "through dropout before": ((Dense(4, 5), Dropout(0.5), BatchNorm(5), ReLU()), MLP),
    "through dropout after": ((ReLU(), BatchNorm(4), Dropout(0.5), Dense(4, 3)), MLP),
    "flattened rows": ((Dense(4, 5), Flatten(), BatchNorm(5), ReLU()), MLP),
    "nested": ((Sequential(Dense(4, 5), BatchNorm(5)), Sequential(Sequential(Sigmoid()), Dense(5, 3))), MLP),
    "nothing to fold": ((Dense(4, 5), Sigmoid(), LayerNorm(5)), MLP),
    "convolution": ((Conv2D(2, 3, 3, padding=1, bias=False), BatchNorm(3), ReLU(), MaxPool2D(2)), IMAGES),
    "strided": ((Conv2D(2, 3, 3, stride=2), BatchNorm(3), ReLU()), IMAGES),
    "before a convolution": ((Conv2D(2, 3, 2), ReLU(), BatchNorm(3), Conv2D(3, 4, 3)), IMAGES),
    "through pool and flatten": ((ReLU(), BatchNorm(2), AvgPool2D(2), Flatten(), Dense(32, 3)), IMAGES),
    "pooled before": ((Conv2D(2, 3, 2), AvgPool2D(3), BatchNorm(3), ReLU()), IMAGES),
    "of flattened pixels": ((Conv2D(2, 1, 5), Flatten(), BatchNorm(25), Dense(25, 2)), IMAGES),
    "padded before": ((Conv2D(2, 3, 3), BatchNorm(3), Tanh(), Conv2D(3, 1, 3, padding=1)), IMAGES),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_outputs_stay_the_same(name):
    layers, shape = NETWORKS[name]
    model = trained(*layers)
    x = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    before = model.state_dict()
    folded = fold_batch_norm(model)
    assert not any(isinstance(layer, BatchNorm) for _, layer in folded.named_layers())
    assert not any(layer.training for _, layer in folded.named_layers())
    with model.evaluating():
        np.testing.assert_allclose(folded(x).data, model(x).data, rtol=1e-5, atol=3e-6)
    assert model.training
    for key, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[key])
    assert {p.dtype for p in folded.parameters()} == {np.dtype(np.float32)}


def test_in_float64_to_all_digits():
    model = trained(Dense(4, 5), BatchNorm(5), Sigmoid(), Dense(5, 3)).astype(np.float64).eval()
    x = np.random.default_rng(2).normal(size=(6, 4))
    np.testing.assert_allclose(fold_batch_norm(model)(x).data, model(x).data, rtol=1e-12)


class Block(Layer):
    def __init__(self):
        super().__init__()
        self.norm = BatchNorm(4)

    def forward(self, x):
        return self.norm(x)


@pytest.mark.parametrize(("layers", "message"), [
    ((BatchNorm(4), Sigmoid()), r"can't fold BatchNorm\(4\) between Sigmoid\(\): put it right before or"),
    ((BatchNorm(4),), r"can't fold BatchNorm\(4\) between nothing"),
    ((Dense(4, 5), Sigmoid(), BatchNorm(5), Tanh()), r"BatchNorm\(5\) between Sigmoid\(\) and Tanh\(\)"),
    ((Conv2D(2, 3, 3), MaxPool2D(2), BatchNorm(3), ReLU()), r"between MaxPool2D\(2\) and ReLU\(\)"),
    ((ReLU(), BatchNorm(3), MaxPool2D(2), Conv2D(3, 4, 3)), r"between ReLU\(\) and MaxPool2D\(2\)"),
    ((Conv2D(2, 1, 5), Flatten(), BatchNorm(25), ReLU()), r"between Conv2D\(2, 1, 5\) and ReLU\(\)"),
    ((ReLU(), BatchNorm(3), Conv2D(3, 4, 3, padding=1)), r"into Conv2D\(3, 4, 3, padding=1\) after it"),
    ((Dense(4, 4), Block()), r"can't look into a Block: use Sequential"),
])
def test_refusals(layers, message):
    with pytest.raises(ValueError, match=message):
        fold_batch_norm(trained(*layers))


def test_only_a_sequential_can_be_folded():
    with pytest.raises(TypeError, match="fold_batch_norm expects a Sequential, got Block"):
        fold_batch_norm(Block())
