"""Arrays, weights and states between minidl (features last) and PyTorch (features second)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from minidl.layers import Layer

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

Array = np.ndarray
Images = Mapping[str, tuple[int, int, int]]     # shape (h, w, c) of what a Flatten flattens for this weight

NAMES = {"gamma": "weight", "beta": "bias", "batches_seen": "num_batches_tracked"}


def nchw(a: Array) -> Array:
    """(n, ..., features) to (n, features, ...), a copy in C order."""
    return np.ascontiguousarray(np.moveaxis(a, -1, 1))


def nhwc(a: Array) -> Array:
    """(n, features, ...) to (n, ..., features), a copy in C order."""
    return np.ascontiguousarray(np.moveaxis(a, 1, -1))


def weight_to_pytorch(a: Array, image: tuple[int, int, int] | None = None) -> Array:
    """(in, out) to (out, in), (kernel, kernel, in, out) to (out, in, kernel, kernel); vectors stay.

    Behind a Flatten of images (h, w, c) the rows of a dense weight change their order too: PyTorch's pixels
    come channel by channel.
    """
    if image is not None:
        a = a.reshape(*image, -1).transpose(2, 0, 1, 3).reshape(a.shape)
    return a.transpose(3, 2, 0, 1) if a.ndim == 4 else a.T


def weight_to_minidl(a: Array, image: tuple[int, int, int] | None = None) -> Array:
    """What `weight_to_pytorch` did, undone."""
    a = a.transpose(2, 3, 1, 0) if a.ndim == 4 else a.T
    if image is not None:
        h, w, c = image
        a = a.reshape(c, h, w, -1).transpose(1, 2, 0, 3).reshape(a.shape)
    return a


def load(module: Any, layer: Layer, images: Images | None = None) -> None:
    """Copy all parameters and buffers of a layer into the module of the same structure."""
    images = images or {}
    state = {
        _their_name(name): torch.tensor(np.ascontiguousarray(weight_to_pytorch(a, images.get(name))))
        for name, a in layer.state_dict().items()
    }
    module.load_state_dict(state)


def state_of(module: Any, layer: Layer, images: Images | None = None) -> dict[str, Array]:
    """The module's parameters and buffers under the layer's names and in its layout."""
    images = images or {}
    state = module.state_dict()
    assert {_their_name(name) for name in layer.state_dict()} == set(state)
    return {
        name: weight_to_minidl(state[_their_name(name)].numpy(), images.get(name))
        for name in layer.state_dict()
    }


def gradients_of(module: Any, layer: Layer, images: Images | None = None) -> dict[str, Array]:
    """The gradients of the module's parameters under the layer's names and in its layout."""
    images = images or {}
    theirs = dict(module.named_parameters())
    return {
        name: weight_to_minidl(theirs[_their_name(name)].grad.numpy(), images.get(name))
        for name, _ in layer.named_parameters()
    }


def _their_name(name: str) -> str:
    path, dot, last = name.rpartition(".")
    return f"{path}{dot}{NAMES.get(last, last)}"
