"""What wrong batch normalizations give for a probe: formulas that differ from the right ones in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from minidl.engine.array import Array
from minidl.grading.probes import DBETA, DGAMMA, DX, OUTPUT, RUNNING_MEAN, RUNNING_VAR, Probe, keyed
from minidl.grading.reference import (
    follow,
    layer_inputs,
    others,
    passes,
    scale_and_shift,
    statistics,
    training_pass,
)

# The quantities of a probe in which the mistake shows, by name, and no others. An argument `training` says
# below in which mode the mistake is made; None for both.
Prediction: TypeAlias = Callable[[Probe], dict[str, Array]]


# ---- outputs -----------------------------------------------------------------------------------------------

def output(x_hat: Callable[[Probe, Array], Array], training: bool | None = None) -> Prediction:
    """Outputs of a layer that normalises by `x_hat(probe, x)`, with gamma and beta as they should be."""
    def predict(probe: Probe) -> dict[str, Array]:
        if training not in (None, probe.training):
            return {}
        gamma, beta = scale_and_shift(probe)
        values = [gamma * x_hat(probe, x) + beta for x in layer_inputs(probe)]
        return keyed(OUTPUT, values)

    return predict


def times(inverse: Callable[[Array, float], Array]) -> Callable[[Probe, Array], Array]:
    """x_hat = (x - mean) * inverse(var, eps), with the statistics of the mode."""
    def x_hat(probe: Probe, x: Array) -> Array:
        mean, var = _statistics_in_use(probe, x)
        return np.asarray((x - mean) * inverse(var, probe.eps))

    return x_hat


def by_the_batch(probe: Probe, x: Array) -> Array:
    """x_hat by the statistics of the batch, in either mode."""
    mean, var, _ = statistics(x)
    return np.asarray((x - mean) / np.sqrt(var + probe.eps))


def by_unbiased_variance(probe: Probe, x: Array) -> Array:
    """x_hat by the batch's unbiased variance."""
    mean, var, m = statistics(x)
    return np.asarray((x - mean) / np.sqrt(var * m / (m - 1) + probe.eps))


def per_activation(probe: Probe, x: Array) -> Array:
    """x_hat by statistics over N alone."""
    return np.asarray((x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + probe.eps))


def per_example(probe: Probe, x: Array) -> Array:
    """x_hat by the statistics of the features, as layer normalization has it."""
    mean, var = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(var + probe.eps))


def bare(training: bool) -> Prediction:
    """Outputs without gamma and beta."""
    def predict(probe: Probe) -> dict[str, Array]:
        if training != probe.training:
            return {}
        gamma, beta = scale_and_shift(probe)
        values = [(right.y - beta) / gamma for right in passes(probe)]
        return keyed(OUTPUT, values)

    return predict


def _statistics_in_use(probe: Probe, x: Array) -> tuple[Array, Array]:
    if probe.training:
        return statistics(x)[:2]
    return follow(probe.running_mean, probe.running_var, probe.warm_up, probe.momentum)


# ---- gradients ---------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Parts:
    """What the closed form is made of: dx = inverse * (h - mean(h) - x_hat * mean(h * x_hat)).

    Attributes:
        g: gradient of the output.
        h: g * gamma.
        x: the layer's input.
        x_hat: x, normalised.
        inverse: 1 / sqrt(var + eps).
        gamma: (features,).

    """

    g: Array
    h: Array
    x: Array
    x_hat: Array
    inverse: Array
    gamma: Array

    @property
    def h_mean(self) -> Array:
        """mean(h) of each feature."""
        return mean(self.h)

    @property
    def along(self) -> Array:
        """x_hat * mean(h * x_hat): the share of h along x_hat."""
        return self.x_hat * mean(self.h * self.x_hat)


def mean(a: Array) -> Array:
    """Of each feature, over all other axes."""
    return np.asarray(a.mean(axis=others(a)))


def total(a: Array) -> Array:
    """Of each feature, over all other axes."""
    return np.asarray(a.sum(axis=others(a)))


def dx(formula: Callable[[Parts], Array], training: bool, by_batch: bool = False) -> Prediction:
    """Gradients of x by another formula; `by_batch` takes the batch's statistics in evaluation mode too."""
    def predict(probe: Probe) -> dict[str, Array]:
        if training != probe.training:
            return {}
        values = [formula(parts) for parts in _parts(probe, by_batch)]
        return keyed(DX, values)

    return predict


def dgamma(formula: Callable[[Parts], Array], training: bool | None = None) -> Prediction:
    """Gradient of gamma by another formula."""
    def predict(probe: Probe) -> dict[str, Array]:
        if training not in (None, probe.training):
            return {}
        return {DGAMMA: np.sum([formula(parts) for parts in _parts(probe)], axis=0)}

    return predict


def dbeta(formula: Callable[[Parts], Array]) -> Prediction:
    """Gradient of beta by another formula."""
    def predict(probe: Probe) -> dict[str, Array]:
        return {DBETA: np.sum([formula(parts) for parts in _parts(probe)], axis=0)}

    return predict


def training_formula(p: Parts) -> Array:
    """The right closed form for training mode."""
    return np.asarray(p.inverse * (p.h - p.h_mean - p.along))


def averaged_over_positions(p: Parts) -> Array:
    """Gradient of gamma, summed over N and averaged over H and W."""
    over_n = (p.g * p.x_hat).sum(axis=0)
    return np.asarray(over_n if over_n.ndim == 1 else over_n.mean(axis=others(over_n)))


def by_batch_x_hat(p: Parts) -> Array:
    """Gradient of gamma with the x_hat of the batch."""
    return total(p.g * (p.x - mean(p.x)) / np.sqrt(statistics(p.x)[1]))


def _parts(probe: Probe, by_batch: bool = False) -> list[Parts]:
    gamma, _ = scale_and_shift(probe)
    made = []
    for x, g in zip(layer_inputs(probe), probe.upstream, strict=True):
        centre, var = statistics(x)[:2] if by_batch else _statistics_in_use(probe, x)
        inverse = 1 / np.sqrt(var + probe.eps)
        made.append(Parts(g, g * gamma, x, (x - centre) * inverse, inverse, gamma))
    return made


# ---- running statistics ------------------------------------------------------------------------------------

def _bessel(m: int, n: int) -> float:
    return m / (m - 1)


def _weight(momentum: float | None, seen: int) -> float:
    return 1 / seen if momentum is None else momentum


def running(
    factor: Callable[[int, int], float] = _bessel,
    weight: Callable[[float | None, int], float] = _weight,
    in_evaluation: bool = False,
) -> Prediction:
    """Running statistics with another factor(m', N) on the variance, or another weight of the new batch."""
    def predict(probe: Probe) -> dict[str, Array]:
        average, var = probe.running_mean, probe.running_var
        own = layer_inputs(probe) if probe.training or in_evaluation else []
        for seen, x in enumerate([*probe.warm_up, *own], start=1):
            batch_mean, batch_var, m = statistics(x)
            if m == 1:
                return {}
            new = weight(probe.momentum, seen)
            average = (1 - new) * average + new * batch_mean
            var = (1 - new) * var + new * batch_var * factor(m, len(x))
        return {RUNNING_MEAN: average, RUNNING_VAR: var}

    return predict


# ---- arrays that two inputs share --------------------------------------------------------------------------

def second_output_for_first(probe: Probe) -> dict[str, Array]:
    """The first input's output is the second's."""
    if len(probe.inputs) != 2 or not probe.training:
        return {}
    return {f"{OUTPUT} 1": passes(probe)[1].y}


def first_gradient_for_second(probe: Probe) -> dict[str, Array]:
    """The second input's gradient is the first's, which is computed later."""
    if len(probe.inputs) != 2 or not probe.training:
        return {}
    return {f"{DX} 2": passes(probe)[0].dx}


def first_by_what_second_kept(probe: Probe) -> dict[str, Array]:
    """The first input's gradients are made of what the second call has kept."""
    if len(probe.inputs) != 2 or not probe.training:
        return {}
    gamma, beta = scale_and_shift(probe)
    mixed = training_pass(probe.inputs[1], gamma, beta, probe.upstream[0], probe.eps)
    return {f"{DX} 1": mixed.dx, DGAMMA: mixed.dgamma + passes(probe)[1].dgamma}
