"""What the checks of A5 work on: numbers of few digits, so that they can be read and typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import solution

Draw = Callable[[np.random.Generator], dict[str, Any]]


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).round(2)


def _images(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Images whose mean depends on the position, and on the channel."""
    _, height, width, channels = shape
    row, column, channel = np.ogrid[:height, :width, :channels]
    return (rng.standard_normal(shape) + 1.5 * row - 0.8 * column + 2.0 * channel).round(2)


def convolution(shape: tuple[int, ...], kernel: int, out: int, stride: int = 1, padding: int = 0) -> Draw:
    """What `conv2d` and `conv2d_backward` work on."""
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        x, weight = _images(rng, *shape), _normal(rng, kernel, kernel, shape[3], out)
        bias, given = _normal(rng, out), {"stride": stride, "padding": padding}
        g = _normal(rng, *solution.conv2d(x, weight, bias, stride, padding).shape)
        return {"x": x, "weight": weight, "bias": bias, "g": g, **given}

    return draw


def without(draw: Draw, *names: str) -> Draw:
    return lambda rng: {name: value for name, value in draw(rng).items() if name not in names}


def forward(*a: Any) -> Draw:
    return without(convolution(*a), "g")


def backward(*a: Any) -> Draw:
    return without(convolution(*a), "bias")


def pool(shape: tuple[int, ...], size: int, values: str = "apart") -> Draw:
    """What pooling works on: different values, most of them negative, or few, so that many are equal."""
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        count = int(np.prod(shape))
        x = (rng.permutation(count) - 0.9 * count) / 8
        if values == "ties":
            x = rng.integers(-3, 0, count).astype(np.float64)
        elif values == "rectified":
            x = np.maximum(x, 0)
        n, height, width, channels = shape
        g = _normal(rng, n, height // size, width // size, channels)
        return {"x": x.round(2).reshape(shape), "g": g, "size": size}

    return draw


def maps(shape: tuple[int, ...], eps: float, spread: float = 1.0, mean: float = 0.0) -> Draw:
    """What batch normalization works on; gamma has both signs."""
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        x, features = mean + spread * _images(rng, *shape), shape[3]
        gamma, beta = _normal(rng, features) + np.resize([2.0, -2.0], features), _normal(rng, features)
        return {"x": x, "gamma": gamma.round(2), "beta": beta, "eps": eps, "g": _normal(rng, *shape)}

    return draw


def dilated(shape: tuple[int, ...], kernel: int, out: int, stride: int, padding: int, dilation: int) -> Draw:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        x, weight, bias = _images(rng, *shape), _normal(rng, kernel, kernel, shape[3], out), _normal(rng, out)
        y = solution.dilated_conv2d(x, weight, bias, stride, padding, dilation)
        given = {"stride": stride, "padding": padding, "dilation": dilation}
        return {"x": x, "weight": weight, "bias": bias, "g": _normal(rng, *y.shape), **given}

    return draw
