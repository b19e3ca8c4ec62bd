"""The networks of the experiments and their optimizers, built from a RunConfig."""

from __future__ import annotations

from minidl import schedules
from minidl.experiments.config import ACTIVATIONS, INITS, RunConfig
from minidl.layers import BatchNorm, Conv2D, Dense, Flatten, Layer, MaxPool2D, Sequential
from minidl.optim import SGD

HIDDEN = (100, 100, 100)  # Ioffe & Szegedy 2015, section 4.1
CHANNELS = (16, 32)
KERNEL = 5


def build(config: RunConfig) -> Sequential:
    """The network that a run trains, with its initial weights.

    Example:
        >>> from minidl.experiments.config import RunConfig
        >>> build(RunConfig(batch_norm=True))[:4]
        Sequential(
          (0) Flatten()
          (1) Dense(784, 100, bias=False)
          (2) BatchNorm(100)
          (3) Sigmoid()
        )

    """
    layers: list[Layer] = _mlp(config) if config.model == "mlp" else _cnn(config)
    return Sequential(*layers, seed=config.seed)


def build_optimizer(config: RunConfig, model: Sequential) -> SGD:
    """The optimizer of a run, with its schedule."""
    lr = schedules.cosine(config.lr, config.steps) if config.schedule == "cosine" else config.lr
    return SGD(model.parameters(), lr=lr, momentum=config.momentum)


def _mlp(config: RunConfig) -> list[Layer]:
    layers: list[Layer] = [Flatten()]
    features = 28 * 28
    for units in HIDDEN:
        dense = Dense(features, units, bias=_has_bias(config), init=INITS[config.init])
        layers += [dense, *_activated(config, units)]
        features = units
    return [*layers, Dense(features, 10, init=INITS[config.init])]


def _cnn(config: RunConfig) -> list[Layer]:
    layers: list[Layer] = []
    channels, size = 1, 28
    for maps in CHANNELS:
        conv = Conv2D(channels, maps, KERNEL, bias=_has_bias(config), init=INITS[config.init])
        layers += [conv, *_activated(config, maps), MaxPool2D(2)]
        channels, size = maps, (size - KERNEL + 1) // 2
    return [*layers, Flatten(), Dense(size * size * channels, 10, init=INITS[config.init])]


def _has_bias(config: RunConfig) -> bool:
    # A BN right behind it would take the bias away again, and has its beta instead (the paper, section 3.2).
    return not (config.batch_norm and config.placement == "before")


def _activated(config: RunConfig, units: int) -> list[Layer]:
    activation = ACTIVATIONS[config.activation]()
    if not config.batch_norm:
        return [activation]
    return [BatchNorm(units), activation] if config.placement == "before" else [activation, BatchNorm(units)]
