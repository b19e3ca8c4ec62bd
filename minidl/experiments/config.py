"""RunConfig: everything that determines one training run, as a frozen record."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from minidl import init
from minidl.checks import whole
from minidl.layers import GELU, Layer, LeakyReLU, ReLU, Sigmoid, Tanh

ACTIVATIONS: dict[str, Callable[[], Layer]] = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky-relu": LeakyReLU,
    "gelu": GELU,
}

# The paper says "small random Gaussian" and no more (Ioffe & Szegedy 2015, section 4.1).
PAPER = "N(0, 0.1^2)"
INITS: dict[str, init.Initialiser] = {
    PAPER: init.gaussian(0.1),
    "Glorot x 4": partial(init.glorot_uniform, gain=4),
    "Glorot": init.glorot_uniform,
    "He": init.he_normal,
}
# The start that suits each activation, for a plain network that is no straw man.
TUNED = {"sigmoid": "Glorot x 4", "tanh": "Glorot", "relu": "He", "leaky-relu": "He", "gelu": "He"}


@dataclass(frozen=True)
class RunConfig:
    """One training run: a network, its data, its optimizer (SGD) and a seed.

    Runs that differ in `batch_norm` or `init` alone share their batches; those of one `init` also share their
    initial weights.

    Attributes:
        model: "mlp", the paper's 784-100-100-100-10, or "cnn", two blocks Conv2D-BN-activation-MaxPool2D
            and a Dense.
        data: "mnist", "fashion-mnist" or "stroke-digits".
        batch_norm: whether each hidden layer has a BatchNorm.
        init: a key of `INITS`.
        activation: a key of `ACTIVATIONS`.
        placement: BN "before" the activation, as in the paper, or "after" it.
        lr: learning rate, at the start.
        momentum: of SGD; 0 for none.
        schedule: "constant", or "cosine" from lr down to 0 over all steps.
        steps: training steps.
        batch_size: examples a step.
        seed: draws the initial weights and orders the data.

    Raises:
        ValueError: a value that no run can have.

    Example:
        >>> RunConfig(lr=0.5, batch_norm=True).arm
        'BN, N(0, 0.1^2)'

    """

    model: str = "mlp"
    data: str = "mnist"
    batch_norm: bool = False
    init: str = PAPER
    activation: str = "sigmoid"
    placement: str = "before"
    lr: float = 0.5
    momentum: float = 0.0
    schedule: str = "constant"
    steps: int = 1500
    batch_size: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        choices = {
            "model": ("mlp", "cnn"),
            "placement": ("before", "after"),
            "schedule": ("constant", "cosine"),
            "init": tuple(INITS),
            "activation": tuple(ACTIVATIONS),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"RunConfig expects {name} to be one of {known}, got {getattr(self, name)!r}"
                )
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"RunConfig expects lr to be a finite number above 0, got {self.lr!r}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"RunConfig expects momentum from 0 to below 1, got {self.momentum!r}")
        for name, least in (("steps", 1), ("batch_size", 2 if self.batch_norm else 1), ("seed", 0)):
            whole("RunConfig", name, getattr(self, name), least)

    @property
    def network(self) -> str:
        """The network, for titles: "MLP, sigmoid"; where BN stands, unless it is where the paper has it."""
        return f"{self.model.upper()}, {self.activation}{', BN after it' * (self.placement == 'after')}"

    @property
    def recipe(self) -> str:
        """How SGD goes, for titles: "lr 0.3, momentum 0.9, cosine to 0"."""
        momentum = f", momentum {self.momentum:g}" if self.momentum else ""
        return f"lr {self.lr:g}{momentum}{', cosine to 0' * (self.schedule == 'cosine')}"

    @property
    def arm(self) -> str:
        """What is compared: with or without batch normalization, and the initial weights."""
        return f"{'BN' if self.batch_norm else 'plain'}, {self.init}"


# One good network of each kind, as `minidl train` makes it. The rates were chosen among a few on the last
# 5,000 training images, with other seeds than those of any reported figure.
RECIPES = {
    "mlp": RunConfig("mlp", batch_norm=True, init="Glorot x 4", lr=0.3, momentum=0.9, schedule="cosine"),
    "cnn": RunConfig(
        "cnn", batch_norm=True, init="He", activation="relu", lr=0.05, momentum=0.9, schedule="cosine"
    ),
}


def arms(config: RunConfig) -> list[RunConfig]:
    """The three arms of a comparison: plain as the paper starts it, plain well started, and BN.

    Example:
        >>> [c.arm for c in arms(RunConfig())]
        ['plain, N(0, 0.1^2)', 'plain, Glorot x 4', 'BN, N(0, 0.1^2)']

    """
    return [
        replace(config, batch_norm=False, init=PAPER),
        replace(config, batch_norm=False, init=TUNED[config.activation]),
        replace(config, batch_norm=True, init=PAPER),
    ]
