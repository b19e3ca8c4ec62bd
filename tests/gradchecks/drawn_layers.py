"""One strategy for each public loss and each public layer: shapes, options, modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import minidl as dl
from minidl import layers, losses
from tests.gradchecks.draw import Drawn, apart, normal, seeds, through_layouts, wide
from tests.gradchecks.drawn_ops import EPS, Draw, shapes


@st.composite
def cross_entropy(draw: Draw) -> Drawn:
    batch, classes = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    labels = np.random.default_rng(draw(seeds)).integers(0, classes, batch)
    smoothing = draw(st.sampled_from([0.0, 0.1, 0.7]))
    return Drawn(
        lambda x: losses.cross_entropy(x, labels, smoothing), normal(draw(seeds), (batch, classes)),
        f"smoothing {smoothing}",
    )


@st.composite
def binary_cross_entropy(draw: Draw) -> Drawn:
    """Targets from 0 to 1, or constants with the ends 0 and 1, where differences would leave the range."""
    seed, shape = draw(seeds), draw(shapes(side=1))
    (x,), rng = normal(seed, shape), np.random.default_rng(seed)
    if draw(st.booleans()):
        ends = rng.choice([0.0, 1.0, 0.3], shape)
        return Drawn(lambda t: losses.binary_cross_entropy(t, ends), [3 * x], "ends")
    return Drawn(losses.binary_cross_entropy, [3 * x, rng.uniform(0.1, 0.9, shape)], "between")


@st.composite
def difference(draw: Draw, name: str, **options: float) -> Drawn:
    """A prediction and a target whose differences lie apart from 0 and from ±1.4, Huber's delta here."""
    seed, shape = draw(seeds), draw(shapes(side=1))
    (error,), (target,) = apart(seed, shape), normal(seed, shape)
    scale = draw(st.sampled_from([4, 30, 1]))      # 1.4 is no odd multiple of 0.14, 1.05 or 0.035
    return Drawn(
        lambda x, t: getattr(losses, name)(x, t, **options), [target + scale * error, target],
        f"{name} {scale}",
    )


LOSSES: dict[str, st.SearchStrategy[Drawn]] = {
    "cross_entropy": cross_entropy(), "binary_cross_entropy": binary_cross_entropy(),
    "mse": difference("mse"), "mae": difference("mae"), "huber": difference("huber", delta=1.4),
}


class InLayouts(layers.Layer):
    """A layer whose input and whose incoming gradient lie in memory as said."""

    def __init__(self, inner: layers.Layer, inputs: list[str], upstream: str) -> None:
        super().__init__()
        self.inner = inner
        self.how = (inputs, upstream)

    def forward(self, x: Any) -> dl.Tensor:
        y: dl.Tensor = through_layouts(self.inner, *self.how)(x)
        return y


def randomised(layer: layers.Layer, seed: int) -> layers.Layer:
    """Parameters away from 0, running statistics unlike a batch's."""
    rng = np.random.default_rng(seed)
    layer.initialize(seed=seed % 1000)
    for parameter in layer.parameters():
        values = rng.uniform(0.4, 1.5, parameter.shape) * rng.choice([-1, 1], parameter.shape)
        parameter.data = values.astype(parameter.dtype)
    for _, inner in layer.named_layers():
        if isinstance(inner, layers.BatchNorm):
            inner.running_mean = rng.uniform(1, 3, inner.num_features).astype(np.float32)
            inner.running_var = rng.uniform(3, 9, inner.num_features).astype(np.float32)
    return layer


Values = Callable[..., list[np.ndarray]]


def made(draw: Draw, layer: layers.Layer, shape: tuple[int, ...], values: Values = normal) -> Drawn:
    seed, training = draw(seeds), draw(st.booleans())
    layer = randomised(layer, seed)
    layer = layer.train() if training else layer.eval()
    return Drawn(layer, values(seed, shape), f"{layer!r} {'training' if training else 'evaluation'}")


@st.composite
def activation(draw: Draw, kind: Callable[[], layers.Layer], values: Values = normal) -> Drawn:
    return made(draw, kind(), draw(shapes()), values)


@st.composite
def leaky_relu(draw: Draw) -> Drawn:
    return made(draw, layers.LeakyReLU(draw(st.sampled_from([0.01, 0.2, 0.9]))), draw(shapes()), apart)


@st.composite
def dense(draw: Draw) -> Drawn:
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    return made(draw, layers.Dense(n, m, bias=draw(st.booleans())), (*draw(shapes(1, most=2)), n))


@st.composite
def conv2d(draw: Draw) -> Drawn:
    kernel, stride, padding = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    side, channels = st.integers(max(1, kernel - 2 * padding), 5), draw(st.integers(1, 2))
    layer = layers.Conv2D(
        channels, draw(st.integers(1, 2)), kernel, stride=stride, padding=padding, bias=draw(st.booleans())
    )
    return made(draw, layer, (draw(st.sampled_from([2, 1, 3, 0])), draw(side), draw(side), channels))


@st.composite
def batch_norm(draw: Draw) -> Drawn:
    features, lead = draw(st.integers(1, 3)), draw(shapes(1, side=1))
    assume(np.prod(lead) > 1)
    layer = layers.BatchNorm(
        features, momentum=draw(st.sampled_from([0.1, 1.0, None])), eps=draw(EPS), affine=draw(st.booleans())
    )
    return made(draw, layer, (*lead, features), wide)


@st.composite
def layer_norm(draw: Draw) -> Drawn:
    features = draw(st.integers(1, 4))
    layer = layers.LayerNorm(features, eps=draw(EPS))
    return made(draw, layer, (*draw(shapes(1, most=2)), features), wide)


@st.composite
def group_norm(draw: Draw) -> Drawn:
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 2))
    layer = layers.GroupNorm(groups, channels, eps=draw(EPS))
    lead = (draw(st.sampled_from([3, 2, 1, 0])), *draw(shapes(side=1, most=2)))
    return made(draw, layer, (*lead, channels), wide)


@st.composite
def pool(draw: Draw, kind: Callable[[int], layers.Layer], values: Values = normal) -> Drawn:
    size = draw(st.integers(1, 3))
    side = st.integers(size, 2 * size + 1)
    shape = (draw(st.sampled_from([2, 1, 3, 0])), draw(side), draw(side), draw(st.integers(1, 2)))
    return made(draw, kind(size), shape, values)


@st.composite
def flatten(draw: Draw) -> Drawn:
    return made(draw, layers.Flatten(), draw(shapes(2, most=4)))


@st.composite
def dropout(draw: Draw) -> Drawn:
    return made(draw, layers.Dropout(draw(st.sampled_from([0.0, 0.3, 0.8]))), draw(shapes()))


@st.composite
def sequential(draw: Draw) -> Drawn:
    """Blocks of Dense, BN before or after a smooth activation, and Dropout; nested."""
    width = draw(st.integers(2, 3))
    blocks: list[layers.Layer] = []
    for _ in range(draw(st.integers(1, 2))):
        inner = [layers.BatchNorm(width), draw(st.sampled_from([layers.Tanh, layers.Sigmoid, layers.GELU]))()]
        inner = list(draw(st.permutations(inner)))
        if draw(st.booleans()):
            inner.append(layers.Dropout(0.4))
        blocks.append(layers.Sequential(layers.Dense(width, width, bias=draw(st.booleans())), *inner))
    model = layers.Sequential(*blocks, layers.Dense(width, 2))
    return made(draw, model, (draw(st.integers(4, 6)), width), wide)


LAYERS: dict[type[layers.Layer], st.SearchStrategy[Drawn]] = {
    layers.Dense: dense(), layers.Conv2D: conv2d(), layers.BatchNorm: batch_norm(),
    layers.LayerNorm: layer_norm(), layers.GroupNorm: group_norm(), layers.Flatten: flatten(),
    layers.MaxPool2D: pool(layers.MaxPool2D, apart), layers.AvgPool2D: pool(layers.AvgPool2D),
    layers.Dropout: dropout(), layers.Sigmoid: activation(layers.Sigmoid),
    layers.Tanh: activation(layers.Tanh), layers.GELU: activation(layers.GELU),
    layers.ReLU: activation(layers.ReLU, apart),
    layers.LeakyReLU: leaky_relu(), layers.Sequential: sequential(),
}
