"""The networks of the laboratory, from a record of what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from minidl import init
from minidl.experiments.config import ACTIVATIONS, INITS
from minidl.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, Sequential

Normalize = Callable[[int], Layer]


@dataclass(frozen=True)
class Network:
    """What a network is made of.

    Attributes:
        model: "mlp", `depth` hidden layers of `width` units, or "cnn", two blocks of convolution and pooling.
        batch_norm: whether each hidden layer has a normalisation.
        placement: it stands "before" the activation, as in the paper, or "after" it.
        activation: a key of `ACTIVATIONS`.
        init: a key of `INITS`, or the factor of Glorot's uniform weights.
        depth: hidden layers of the MLP.
        width: units of each.
        dropout: rate after each activation; 0 for none.
        image: height and width of the images.
        channels: feature maps of the CNN's two convolutions.
        bias: whether the hidden layers keep their bias where a normalisation follows at once.

    """

    model: str = "mlp"
    batch_norm: bool = False
    placement: str = "before"
    activation: str = "sigmoid"
    init: str | float = "N(0, 0.1^2)"
    depth: int = 3
    width: int = 100
    dropout: float = 0.0
    image: int = 28
    channels: tuple[int, int] = (8, 16)
    bias: bool = False


def build(network: Network, seed: int, normalize: Normalize = BatchNorm) -> Sequential:
    """The network with its initial weights, which are the same with and without normalisation.

    Args:
        network: what it is made of.
        seed: draws the weights.
        normalize: makes the normalisation of so many features.

    Example:
        >>> build(Network(batch_norm=True, depth=1), seed=0)
        Sequential(
          (0) Flatten()
          (1) Dense(784, 100, bias=False)
          (2) BatchNorm(100)
          (3) Sigmoid()
          (4) Dense(100, 10)
        )

    """
    layers = _mlp(network, normalize) if network.model == "mlp" else _cnn(network, normalize)
    return Sequential(*layers, seed=seed)


def initialiser(name: str | float) -> init.Initialiser:
    """An initialiser by its name, or Glorot's with a factor."""
    if isinstance(name, str):
        return INITS[name]
    return partial(init.glorot_uniform, gain=float(name))


def kernel_size(image: int) -> int:
    """Height and width of the CNN's kernels: smaller ones for small images."""
    return 5 if image >= 28 else 3


def _mlp(network: Network, normalize: Normalize) -> list[Layer]:
    layers: list[Layer] = [Flatten()]
    features = network.image**2
    for _ in range(network.depth):
        dense = Dense(features, network.width, bias=_has_bias(network), init=initialiser(network.init))
        layers += [dense, *_activated(network, network.width, normalize)]
        features = network.width
    return [*layers, Dense(features, 10, init=initialiser(network.init))]


def _cnn(network: Network, normalize: Normalize) -> list[Layer]:
    layers: list[Layer] = []
    channels, size, kernel = 1, network.image, kernel_size(network.image)
    for maps in network.channels:
        options: dict[str, Any] = {"bias": _has_bias(network), "init": initialiser(network.init)}
        layers += [Conv2D(channels, maps, kernel, **options), *_activated(network, maps, normalize)]
        layers.append(MaxPool2D(2))
        channels, size = maps, (size - kernel + 1) // 2
    return [*layers, Flatten(), Dense(size * size * channels, 10, init=initialiser(network.init))]


def _has_bias(network: Network) -> bool:
    # A normalisation right behind it would take the bias away again, and has its beta instead.
    return network.bias or not (network.batch_norm and network.placement == "before")


def _activated(network: Network, units: int, normalize: Normalize) -> list[Layer]:
    layers = [ACTIVATIONS[network.activation]()]
    if network.batch_norm:
        layers.insert(0 if network.placement == "before" else 1, normalize(units))
    return [*layers, *([Dropout(network.dropout)] if network.dropout else [])]
