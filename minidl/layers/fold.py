"""Folding: a trained network in which each batch normalization is part of the linear layer next to it."""

from __future__ import annotations

import copy
import itertools

import numpy as np

from minidl.engine.array import Array
from minidl.engine.parameter import Parameter
from minidl.layers.conv import Conv2D
from minidl.layers.dense import Dense, Flatten
from minidl.layers.dropout import Dropout
from minidl.layers.layer import Layer
from minidl.layers.norm import BatchNorm
from minidl.layers.pool import AvgPool2D
from minidl.layers.sequential import Sequential


def fold_batch_norm(model: Sequential) -> Sequential:
    """The network of Algorithm 2, step 11 (Ioffe & Szegedy 2015): inference without any BatchNorm left.

    With the population statistics fixed, BN is an affine map y = scale·x + shift, with
    scale = gamma / √(var + eps), shift = beta - scale·mean. It goes into the Dense or Conv2D before it; or,
    where an activation stands between, into the one after it; through Flatten, AvgPool2D and Dropout.

    Args:
        model: a Sequential, of Sequentials perhaps; it stays as it is.

    Returns:
        A new Sequential in evaluation mode, with biases where there were none.

    Raises:
        TypeError: a model that is no Sequential.
        ValueError: a BN with no linear layer to go to, with a MaxPool2D in the way (a negative scale would
            turn maxima into minima), or before a zero-padded Conv2D (the padding isn't shifted).

    Example:
        >>> from minidl.layers import Sigmoid
        >>> fold_batch_norm(Sequential(Dense(4, 3, bias=False), BatchNorm(3), Sigmoid()))
        Sequential(
          (0) Dense(4, 3)
          (1) Sigmoid()
        )

    """
    if not isinstance(model, Sequential):
        raise TypeError(f"fold_batch_norm expects a Sequential, got {type(model).__name__}")
    layers = [copy.deepcopy(layer) for layer in _flat(model)]
    for layer in layers:
        if layer.children() and any(isinstance(inner, BatchNorm) for _, inner in layer.named_layers()):
            raise ValueError(f"fold_batch_norm can't look into a {type(layer).__name__}: use Sequential")
    while True:
        position = next((i for i, layer in enumerate(layers) if isinstance(layer, BatchNorm)), None)
        if position is None:
            break
        _fold_one(layers, position)
        del layers[position]
    folded = model[:0]
    folded.layers = layers
    return folded.eval()


def _flat(model: Sequential) -> list[Layer]:
    nested = [_flat(layer) if isinstance(layer, Sequential) else [layer] for layer in model]
    return list(itertools.chain.from_iterable(nested))


def _fold_one(layers: list[Layer], position: int) -> None:
    norm = layers[position]
    assert isinstance(norm, BatchNorm)
    scale = 1 / np.sqrt(norm.running_var.astype(np.float64) + norm.eps)
    if norm.gamma is not None:
        scale = scale * norm.gamma.data
    shift = -scale * norm.running_mean + (0 if norm.beta is None else norm.beta.data)

    before = _neighbour(layers[:position][::-1])
    after = _neighbour(layers[position + 1 :])
    # With a Flatten between, only the features of a Dense, or of 1 x 1 maps, are still the same ones.
    if isinstance(before, Dense | Conv2D) and before.weight.shape[-1] == norm.num_features:
        _scale_outputs(before, scale, shift)
    elif isinstance(after, Dense | Conv2D):
        _scale_inputs(after, scale, shift)
    else:
        between = " and ".join(repr(layer) for layer in (before, after) if layer is not None)
        raise ValueError(
            f"fold_batch_norm can't fold {norm!r} between {between or 'nothing'}: "
            f"put it right before or right after a Dense or Conv2D"
        )


def _neighbour(layers: list[Layer]) -> Layer | None:
    """The first layer that isn't one through which an affine map for each feature can pass unchanged."""
    return next((layer for layer in layers if not isinstance(layer, Flatten | Dropout | AvgPool2D)), None)


def _scale_outputs(layer: Dense | Conv2D, scale: Array, shift: Array) -> None:
    """scale·(x W + b) + shift = x (W·scale) + (b·scale + shift)."""
    bias = 0.0 if layer.bias is None else layer.bias.data
    _replace(layer, layer.weight.data * scale, bias * scale + shift)


def _scale_inputs(layer: Dense | Conv2D, scale: Array, shift: Array) -> None:
    """(scale·x + shift) W + b = x (scale·W) + (b + shift W)."""
    if isinstance(layer, Conv2D) and layer.padding:
        raise ValueError(
            f"fold_batch_norm can't fold a BatchNorm into {layer!r} after it, "
            f"as the zeros of its padding would be shifted too: use padding=0, or put the BatchNorm after it"
        )
    W = layer.weight.data
    if isinstance(layer, Dense):
        positions = len(W) // len(scale)      # after Flatten each feature map has several rows, channels last
        scale, shift = np.tile(scale, positions), np.tile(shift, positions)
    bias = 0.0 if layer.bias is None else layer.bias.data
    moved = (shift[:, None] * W).reshape(-1, W.shape[-1]).sum(axis=0)
    _replace(layer, W * scale[:, None], bias + moved)


def _replace(layer: Dense | Conv2D, weight: Array, bias: Array) -> None:
    dtype = layer.weight.dtype
    layer.weight.data = weight.astype(dtype)
    layer.bias = Parameter(np.asarray(bias).astype(dtype))
