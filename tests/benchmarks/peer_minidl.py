"""minidl, as its README shows it."""

from __future__ import annotations

from typing import Any

import numpy as np

import minidl as dl
from minidl import layers
from tests.benchmarks import workloads
from tests.benchmarks.workloads import Array, Network


def version() -> str:
    return f"minidl {dl.__version__}, NumPy {np.__version__}"


def build(network: Network) -> layers.Sequential:
    model = layers.Sequential(*[_layer(spec) for spec in network.layers], seed=0)
    weights = workloads.initial_weights(network)
    for name, parameter in model.named_parameters():
        if name in weights:
            parameter.data = weights[name]
    return model


def _layer(spec: workloads.Layer) -> layers.Layer:
    match spec:
        case ("dense", inputs, outputs, bias):
            return layers.Dense(inputs, outputs, bias=bias)
        case ("conv", inputs, outputs, kernel):
            return layers.Conv2D(inputs, outputs, kernel, bias=False)
        case ("batch_norm", features):
            return layers.BatchNorm(features)
        case ("max_pool", size):
            return layers.MaxPool2D(size)
        case ("flatten", *_):
            return layers.Flatten()
        case ("sigmoid",):
            return layers.Sigmoid()
        case ("relu",):
            return layers.ReLU()
    raise ValueError(f"minidl has no layer {spec}")


class Training:
    """Forward, backward, SGD. The number of threads is minidl's own choice: it has no options."""

    def __init__(self, network: Network, options: dict[str, Any]) -> None:
        self.model = build(network)
        self.batches = workloads.training_batches(network)
        self.optimizer = dl.optim.SGD(self.model.parameters(), lr=workloads.LR)
        self.steps = 0
        self.loss: dl.Tensor | None = None

    def run(self, steps: int) -> None:
        for _ in range(steps):
            images, labels = self.batches[self.steps % len(self.batches)]
            with dl.Tape() as tape:
                loss = dl.losses.cross_entropy(self.model(images), labels)
            tape.backward(loss)
            self.optimizer.step()
            self.steps += 1
        self.loss = loss

    def state(self) -> dict[str, Array]:
        assert self.loss is not None
        return {**self.model.state_dict(), "loss": np.array(self.loss.item())}


class Inference:
    """Logits of a batch, outside of any tape."""

    def __init__(self, network: Network, options: dict[str, Any]) -> None:
        self.model = build(network).eval()
        self.images = workloads.inference_batch(network)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.logits = self.model(self.images)

    def state(self) -> dict[str, Array]:
        return {"logits": np.asarray(self.logits)}


class Records:
    """A tape of many tiny records and its replay: what recording costs. `options["records"]` of them."""

    def __init__(self, network: Network, options: dict[str, Any]) -> None:
        self.count = options["records"]
        self.x = dl.Tensor(np.ones(4, np.float32), requires_grad=True)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            with dl.Tape() as tape:
                y = self.x
                for _ in range(self.count - 1):
                    y = dl.ops.negative(y)
                total = dl.ops.sum(y)
            tape.backward(total)
            self.x.grad = None

    def state(self) -> dict[str, Array]:
        return {}
