"""What a right batch normalization gives for a probe: formulas of the grader's own, in plain NumPy.

They share nothing with `minidl.ops.norm`, which is graded like everything else: the backward pass goes
through the six lines of the paper (Ioffe & Szegedy 2015, section 3) one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minidl.engine.array import Array
from minidl.grading.probes import (
    DBETA,
    DGAMMA,
    DWEIGHT,
    DX,
    INITIAL,
    OUTPUT,
    RUNNING_MEAN,
    RUNNING_VAR,
    UPSTREAM_AFTERWARDS,
    X_AFTERWARDS,
    Probe,
    keyed,
)


@dataclass(frozen=True, eq=False)
class Pass:
    """Output and gradients of one pass."""

    y: Array
    dx: Array
    dgamma: Array
    dbeta: Array


def others(x: Array) -> tuple[int, ...]:
    """Every axis but that of the features."""
    return tuple(range(x.ndim - 1))


def statistics(x: Array) -> tuple[Array, Array, int]:
    """Mean and biased variance of each feature, and m', the number of values behind them."""
    m = int(np.prod(x.shape[:-1]))
    mean = x.sum(axis=others(x)) / m
    return mean, np.square(x - mean).sum(axis=others(x)) / m, m


def training_pass(x: Array, gamma: Array, beta: Array, g: Array, eps: float) -> Pass:
    """Algorithm 1, and its gradient, staged as in section 3; g is that of y."""
    axes = others(x)
    mean, var, m = statistics(x)
    std = np.sqrt(var + eps)
    x_hat = (x - mean) / std
    dx_hat = g * gamma
    dvar = (dx_hat * (x - mean)).sum(axes) * -0.5 * (var + eps) ** -1.5
    dmean = (dx_hat * (-1 / std)).sum(axes) + dvar * (-2 * (x - mean)).sum(axes) / m
    dx = dx_hat * (1 / std) + dvar * 2 * (x - mean) / m + dmean / m
    return Pass(gamma * x_hat + beta, dx, (g * x_hat).sum(axes), g.sum(axes))


def evaluation_pass(
    x: Array, gamma: Array, beta: Array, mean: Array, var: Array, g: Array, eps: float
) -> Pass:
    """Algorithm 2, step 11: one affine map, whose statistics are constants."""
    scale = gamma / np.sqrt(var + eps)
    dgamma = (g * (x - mean)).sum(others(x)) / np.sqrt(var + eps)
    return Pass(scale * x + (beta - scale * mean), g * scale, dgamma, g.sum(others(x)))


def follow(
    mean: Array, var: Array, batches: Sequence[Array], momentum: float | None
) -> tuple[Array, Array]:
    """Running mean and variance after the batches; a plain average of theirs for momentum None."""
    for seen, x in enumerate(batches, start=1):
        batch_mean, batch_var, m = statistics(x)
        new = 1 / seen if momentum is None else momentum
        mean = (1 - new) * mean + new * batch_mean
        var = (1 - new) * var + new * batch_var * m / (m - 1)
    return mean, var


def scale_and_shift(probe: Probe) -> tuple[Array, Array]:
    """Both parameters, gamma and beta; 1 and 0 where the layer has none."""
    ones = np.ones(probe.features)
    return (ones if probe.gamma is None else probe.gamma), (0 * ones if probe.beta is None else probe.beta)


def layer_inputs(probe: Probe) -> list[Array]:
    """What reaches the layer: the inputs, through the linear map before it if there is one."""
    return [x if probe.weight is None else x @ probe.weight for x in probe.inputs]


def passes(probe: Probe) -> list[Pass]:
    """The right pass for each input."""
    gamma, beta = scale_and_shift(probe)
    mean, var = follow(probe.running_mean, probe.running_var, probe.warm_up, probe.momentum)
    return [
        training_pass(x, gamma, beta, g, probe.eps)
        if probe.training
        else evaluation_pass(x, gamma, beta, mean, var, g, probe.eps)
        for x, g in zip(layer_inputs(probe), probe.upstream, strict=True)
    ]


def expected(probe: Probe) -> dict[str, Array]:
    """Every quantity that may be observed of a probe."""
    right = passes(probe)
    trained_on = [*probe.warm_up, *(layer_inputs(probe) if probe.training else [])]
    mean, var = follow(probe.running_mean, probe.running_var, trained_on, probe.momentum)
    found = {
        DGAMMA: np.sum([r.dgamma for r in right], axis=0),
        DBETA: np.sum([r.dbeta for r in right], axis=0),
        RUNNING_MEAN: mean,
        RUNNING_VAR: var,
    }
    found |= keyed(OUTPUT, [r.y for r in right])
    found |= keyed(DX, [r.dx for r in right])
    found |= keyed(X_AFTERWARDS, probe.inputs)
    found |= keyed(UPSTREAM_AFTERWARDS, probe.upstream)
    if probe.weight is not None:
        found[DWEIGHT] = np.sum(
            [
                x.reshape(-1, probe.features).T @ r.dx.reshape(-1, probe.features)
                for x, r in zip(probe.inputs, right, strict=True)
            ],
            axis=0,
        )
    ones = np.ones(probe.features)
    return found | dict(zip(INITIAL, (ones, 0 * ones, 0 * ones, ones), strict=True))
