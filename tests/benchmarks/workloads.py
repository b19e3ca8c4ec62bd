"""What is measured: the networks, their initial weights and their batches, the same for every library.

A network is plain data, so that it travels to the peers' processes as JSON. Its layers are tuples:

    ("flatten", height, width, channels)        ("dense", inputs, outputs, bias)
    ("conv", inputs, outputs, kernel)           ("batch_norm", features)
    ("max_pool", size)    ("sigmoid",)          ("relu",)

Convolutions have stride 1, no padding and no bias. Images are (batch, height, width, channels); a library
that wants them otherwise gets them converted before the clock runs. The data is synthetic: uniform pixels and
labels, drawn from a fixed seed. The speed of dense arithmetic doesn't depend on what the pixels show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
Layer = tuple[Any, ...]

# Small, so that thousands of steps on the same few batches stay an ordinary training: no loss near 0, no
# saturated units whose gradients become denormal numbers.
LR = 0.01
BATCHES_IN_MEMORY = 16
CLASSES = 10
INFERENCE_BATCH = 1000


@dataclass(frozen=True)
class Network:
    """One network and the batch that it trains on.

    Attributes:
        name: as it stands in the table, and for --only.
        inputs: shape of one example: (features,) or (height, width, channels).
        batch: examples in a training step.
        layers: see the top of this file.

    """

    name: str
    inputs: tuple[int, ...]
    batch: int
    layers: tuple[Layer, ...]


def network_from(fields: dict[str, Any]) -> Network:
    """The Network that `dataclasses.asdict` and JSON have taken apart."""
    layers = tuple([tuple(layer) for layer in fields["layers"]])
    return Network(fields["name"], tuple(fields["inputs"]), fields["batch"], layers)


def mlp(name: str, widths: tuple[int, ...], batch: int, batch_norm: bool, inputs: int = 784) -> Network:
    """Dense, batch normalization if wanted, sigmoid for each width; then a Dense to the classes."""
    layers: list[Layer] = []
    features = inputs
    for width in widths:
        layers += _dense_block(features, width, batch_norm)
        features = width
    layers.append(("dense", features, CLASSES, True))
    return Network(name, (inputs,), batch, tuple(layers))


def cnn(
    name: str,
    channels: tuple[int, ...],
    kernel: int,
    batch: int,
    activation: str = "relu",
    dense: tuple[int, ...] = (),
    image: tuple[int, int] = (28, 1),
) -> Network:
    """Convolution, batch normalization, activation, 2 x 2 max-pool for each of channels; then dense."""
    layers: list[Layer] = []
    size, maps = image
    for out in channels:
        layers += [("conv", maps, out, kernel), ("batch_norm", out), (activation,), ("max_pool", 2)]
        size, maps = (size - kernel + 1) // 2, out
    layers.append(("flatten", size, size, maps))
    features = size * size * maps
    for width in dense:
        layers += _dense_block(features, width, True)
        features = width
    layers.append(("dense", features, CLASSES, True))
    return Network(name, (image[0], image[0], image[1]), batch, tuple(layers))


def _dense_block(inputs: int, outputs: int, batch_norm: bool) -> list[Layer]:
    # No bias before a batch normalization, which would take it away again.
    dense: Layer = ("dense", inputs, outputs, not batch_norm)
    return [dense, ("batch_norm", outputs), ("sigmoid",)] if batch_norm else [dense, ("sigmoid",)]


# The table's. The first two are the paper's network (Ioffe & Szegedy 2015, section 4.1).
MLP_PLAIN = mlp("mlp-100", (100, 100, 100), 60, batch_norm=False)
MLP_BN = mlp("mlp-100-bn", (100, 100, 100), 60, batch_norm=True)
MLP_512 = mlp("mlp-512-bn", (512, 512, 512), 128, batch_norm=True)
MLP_1024 = mlp("mlp-1024-bn", (1024, 1024, 1024), 256, batch_norm=True)
CNN_5X5 = cnn("cnn-5x5-16-32", (16, 32), 5, 128)
CNN_3X3 = cnn("cnn-3x3-32-64", (32, 64), 3, 128)
LENET = cnn("lenet-6-16", (6, 16), 5, 60, "sigmoid", (120, 84))

NETWORKS = (MLP_PLAIN, MLP_BN, MLP_512, MLP_1024, CNN_5X5, CNN_3X3, LENET)


def initial_weights(network: Network) -> dict[str, Array]:
    """Glorot-uniform weights by name: "0.weight" is (inputs, outputs) or (kernel, kernel, inputs, outputs).

    All else starts where it starts in every library: biases and beta at 0, gamma at 1.
    """
    rng = np.random.default_rng(0)
    weights = {}
    for i, layer in enumerate(network.layers):
        match layer:
            case ("dense", inputs, outputs, _):
                shape, fan = (inputs, outputs), inputs + outputs
            case ("conv", inputs, outputs, kernel):
                shape, fan = (kernel, kernel, inputs, outputs), kernel * kernel * (inputs + outputs)
            case _:
                continue
        limit = math.sqrt(6 / fan)
        weights[f"{i}.weight"] = rng.uniform(-limit, limit, shape).astype(np.float32)
    return weights


def training_batches(network: Network) -> list[tuple[Array, Array]]:
    """The (examples, labels) that a training goes through again and again, float32 and int64."""
    rng = np.random.default_rng(1)
    return [
        (
            rng.random((network.batch, *network.inputs), dtype=np.float32),
            rng.integers(0, CLASSES, network.batch),
        )
        for _ in range(BATCHES_IN_MEMORY)
    ]


def inference_batch(network: Network) -> Array:
    """The examples that are classified again and again, float32."""
    shape = (INFERENCE_BATCH, *network.inputs)
    return np.random.default_rng(2).random(shape, dtype=np.float32)
