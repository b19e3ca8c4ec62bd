"""PyTorch, eager, as its documentation writes a training loop.

What its performance tuning guide recommends for the CPU is done: the number of threads is chosen (both are
measured), gradients are set to None, the optimizer is the foreach or the fused one (both are measured),
inference runs without autograd, and channels_last is a side of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.benchmarks import workloads
from tests.benchmarks.workloads import Array, Network

# minidl's names of what a batch normalization has, and PyTorch's.
BATCH_NORM = {
    "gamma": "weight",
    "beta": "bias",
    "running_mean": "running_mean",
    "running_var": "running_var",
    "batches_seen": "num_batches_tracked",
}


def version() -> str:
    return f"PyTorch {torch.__version__}"


def build(network: Network, options: dict[str, Any]) -> nn.Sequential:
    model = nn.Sequential(*_modules(network))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".bias"):
                parameter.zero_()
        for name, weight in workloads.initial_weights(network).items():
            theirs = torch.tensor(np.ascontiguousarray(_to_torch(weight, _image_before(network, name))))
            model.get_parameter(name).copy_(theirs)
    return model.to(memory_format=_format(options)) if len(network.inputs) == 3 else model


def _modules(network: Network) -> Iterator[nn.Module]:
    images = len(network.inputs) == 3   # PyTorch has one batch normalization for images and one for rows
    for spec in network.layers:
        match spec:
            case ("dense", inputs, outputs, bias):
                yield nn.Linear(inputs, outputs, bias=bias)
            case ("conv", inputs, outputs, kernel):
                yield nn.Conv2d(inputs, outputs, kernel, bias=False)
            case ("batch_norm", features):
                yield nn.BatchNorm2d(features) if images else nn.BatchNorm1d(features)
            case ("max_pool", size):
                yield nn.MaxPool2d(size)
            case ("flatten", *_):
                images = False
                yield nn.Flatten()
            case ("sigmoid",):
                yield nn.Sigmoid()
            case ("relu",):
                yield nn.ReLU()
            case _:
                raise ValueError(f"PyTorch has no layer {spec}")


def _format(options: dict[str, Any]) -> torch.memory_format:
    return torch.channels_last if options.get("layout") == "channels_last" else torch.contiguous_format


def _image_before(network: Network, name: str) -> tuple[int, int, int] | None:
    """The (height, width, channels) that the layer before this one has flattened, if it has."""
    i = int(name.partition(".")[0])
    previous = network.layers[i - 1]
    return previous[1:] if i and previous[0] == "flatten" else None


def _to_torch(a: Array, image: tuple[int, int, int] | None) -> Array:
    """(in, out) to (out, in), (kernel, kernel, in, out) to (out, in, kernel, kernel).

    Behind a flatten the inputs change their order too: PyTorch flattens channel by channel.
    """
    if image is not None:
        a = a.reshape(*image, -1).transpose(2, 0, 1, 3).reshape(a.shape)
    return a.transpose(3, 2, 0, 1) if a.ndim == 4 else a.T


def _from_torch(a: Array, image: tuple[int, int, int] | None) -> Array:
    a = a.transpose(2, 3, 1, 0) if a.ndim == 4 else a.T
    if image is not None:
        h, w, c = image
        a = a.reshape(c, h, w, -1).transpose(1, 2, 0, 3).reshape(a.shape)
    return a


def _examples(x: Array, options: dict[str, Any]) -> torch.Tensor:
    if x.ndim == 2:
        return torch.from_numpy(x)
    nchw = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    return nchw.contiguous(memory_format=_format(options))


class Training:
    """Forward, backward, SGD. Options: threads, layout, sgd ("foreach" or "fused")."""

    def __init__(self, network: Network, options: dict[str, Any]) -> None:
        self.network = network
        self.threads = options["threads"]
        self.model = build(network, options)
        self.batches = [
            (_examples(x, options), torch.from_numpy(labels))
            for x, labels in workloads.training_batches(network)
        ]
        kind = {options["sgd"]: True}
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=workloads.LR, **kind)
        self.steps = 0

    def run(self, steps: int) -> None:
        torch.set_num_threads(self.threads)
        for _ in range(steps):
            images, labels = self.batches[self.steps % len(self.batches)]
            self.optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(self.model(images), labels)
            loss.backward()
            self.optimizer.step()
            self.steps += 1
        self.loss = loss

    def state(self) -> dict[str, Array]:
        state = {"loss": np.array(self.loss.item())}
        for i, spec in enumerate(self.network.layers):
            names = BATCH_NORM if spec[0] == "batch_norm" else {"weight": "weight", "bias": "bias"}
            image = _image_before(self.network, f"{i}.weight")
            for ours, theirs in names.items():
                tensor = getattr(self.model[i], theirs, None)
                if tensor is not None:
                    array = tensor.detach().numpy()
                    state[f"{i}.{ours}"] = _from_torch(array, image) if array.ndim > 1 else array
        return state


class Inference:
    """Logits of a batch, without autograd. Options: threads, layout."""

    def __init__(self, network: Network, options: dict[str, Any]) -> None:
        self.threads = options["threads"]
        self.model = build(network, options).eval()
        self.images = _examples(workloads.inference_batch(network), options)

    def run(self, steps: int) -> None:
        torch.set_num_threads(self.threads)
        with torch.no_grad():
            for _ in range(steps):
                self.logits = self.model(self.images)

    def state(self) -> dict[str, Array]:
        return {"logits": self.logits.numpy()}
