"""Run the same computation in minidl and in PyTorch, in float64, and compare values and all gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minidl as dl
from tests.parity.convert import gradients_of, load, nchw, nhwc, state_of

torch = pytest.importorskip("torch")

Array = np.ndarray


def assert_close(
    ours: Any, theirs: Any, what: str = "", rtol: float = 1e-12, floor: float = 1e-13
) -> None:
    """Each element to `rtol`; what is almost 0 because larger numbers cancel, to `floor`·max(1, largest)."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), what
    finite = np.abs(theirs[np.isfinite(theirs)])
    scale = max(1.0, finite.max(initial=0.0))
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=floor * scale, err_msg=what)


def compare(
    ours: Callable[..., Any], theirs: Callable[..., Any], *arrays: Array, images: bool = False,
    rtol: float = 1e-12,
) -> None:
    """Functions of tensors: the value, and each input's gradient for a random upstream gradient.

    With `images` the first input and the output are NHWC for minidl and NCHW for PyTorch.
    """
    there, back = (nchw, nhwc) if images else (np.array, np.array)
    leaves = [dl.Tensor(a, requires_grad=True) for a in arrays]
    tensors = [torch.tensor(there(a) if i == 0 else a, requires_grad=True) for i, a in enumerate(arrays)]
    with dl.Tape() as tape, np.errstate(all="ignore"):
        y = ours(*leaves)
    z = theirs(*tensors)
    assert_close(y.data, back(z.detach().numpy()), "value", rtol)
    g = np.random.default_rng(9).normal(size=y.shape)
    with np.errstate(all="ignore"):     # at limits, log 0 and the like: both give the same infinity
        tape.backward(y, gradient=g)
    z.backward(torch.tensor(there(g)))
    for i, (leaf, tensor) in enumerate(zip(leaves, tensors, strict=True)):
        gradient = tensor.grad.numpy()
        assert_close(leaf.grad, back(gradient) if i == 0 else gradient, f"gradient of input {i}", rtol)


def compare_layers(
    layer: dl.Layer, module: Any, x: Array, images: bool = False, rtol: float = 1e-12
) -> None:
    """One forward and backward pass of a layer and of a module with equal weights: all that they change.

    The output, the gradients of the input and of each parameter, and the buffers afterwards.
    """
    module.train(layer.training)
    layer.zero_grad()
    module.zero_grad()
    compare(layer, module, x, images=images, rtol=rtol)
    for name, gradient in gradients_of(module, layer).items():
        assert_close(dict(layer.named_parameters())[name].grad, gradient, f"gradient of {name}", rtol)
    for name, value in state_of(module, layer).items():
        assert_close(layer.state_dict()[name], value, name, rtol)


def twins(layer: dl.Layer, module: Any, seed: int = 0) -> tuple[dl.Layer, Any]:
    """Both in float64, with the same random parameters; running statistics far from any batch's."""
    rng = np.random.default_rng(seed)
    layer.astype(np.float64)
    state = layer.state_dict()
    for name, a in state.items():
        if name.endswith("running_var"):
            state[name] = rng.uniform(2, 9, a.shape)
        elif not name.endswith("batches_seen"):
            state[name] = rng.normal(size=a.shape)
    layer.load_state_dict(state)
    module = module.double()
    load(module, layer)
    return layer, module
