"""The wrong batch normalizations that courses and libraries really contain, each with what it gives.

A grader names one only where an implementation gives the same; see `judge`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.grading import mistakes
from minidl.grading.mistakes import Prediction, dbeta, dgamma, dx, output, running, times
from minidl.grading.probes import INITIAL


@dataclass(frozen=True)
class Wrong:
    """One wrong batch normalization: its name, what to tell its author, and what it gives for a probe."""

    name: str
    sentence: str
    predict: Prediction


INITIAL_GAMMA, _, _, INITIAL_VAR = INITIAL

OUTPUTS = (
    Wrong(
        "no gamma and beta in training",
        "gamma and beta are left out in training mode",
        mistakes.bare(training=True),
    ),
    Wrong(
        "no gamma and beta in evaluation",
        "gamma and beta are left out in evaluation mode",
        mistakes.bare(training=False),
    ),
    Wrong(
        "per activation",
        "each position is normalised on its own: expected one mean and variance per feature map",
        output(mistakes.per_activation, training=True),
    ),
    Wrong(
        "per example",
        "each example is normalised on its own, as in layer norm: expected each feature over the batch",
        output(mistakes.per_example, training=True),
    ),
    Wrong(
        "std + eps",
        "eps is added to the standard deviation, sqrt(var) + eps: expected sqrt(var + eps)",
        output(times(lambda var, eps: 1 / (np.sqrt(var) + eps))),
    ),
    Wrong(
        "eps outside the root",
        "eps is added outside the root, 1 / sqrt(var) + eps: expected 1 / sqrt(var + eps)",
        output(times(lambda var, eps: 1 / np.sqrt(var) + eps)),
    ),
    Wrong(
        "no eps",
        "eps is left out: expected sqrt(var + eps)",
        output(times(lambda var, eps: 1 / np.sqrt(var))),
    ),
    Wrong(
        "built-in eps",
        "eps is 1e-5 whatever was asked for",
        output(times(lambda var, eps: 1 / np.sqrt(var + 1e-5))),
    ),
    Wrong(
        "no root",
        "x - mean is divided by var + eps: expected its square root",
        output(times(lambda var, eps: 1 / (var + eps))),
    ),
    Wrong(
        "batch by unbiased variance",
        "the batch is normalised with the unbiased variance (1/(m-1)): expected the biased one (1/m)",
        output(mistakes.by_unbiased_variance, training=True),
    ),
    Wrong(
        "batch statistics in evaluation",
        "evaluation mode normalises with the batch's own statistics: expected the running ones",
        output(mistakes.by_the_batch, training=False),
    ),
)

GRADIENTS = (
    Wrong(
        "mean detached",
        "the gradient takes the batch's mean for a constant: its term is missing in dx",
        dx(lambda p: p.inverse * (p.h - p.along), training=True),
    ),
    Wrong(
        "variance detached",
        "the gradient takes the batch's variance for a constant: its term is missing in dx",
        dx(lambda p: p.inverse * (p.h - p.h_mean), training=True),
    ),
    Wrong(
        "both detached",
        "the gradient takes the batch's mean and variance for constants: both terms are missing in dx",
        dx(lambda p: p.inverse * p.h, training=True),
    ),
    Wrong(
        "sign of the x_hat term",
        "the sign of the x_hat term in dx is flipped: expected - x_hat * mean(g * x_hat)",
        dx(lambda p: p.inverse * (p.h - p.h_mean + p.along), training=True),
    ),
    Wrong(
        "N for N*H*W in the gradient",
        "dx divides by N where the number of values per feature map, N*H*W, belongs",
        dx(lambda p: p.inverse * (p.h - (p.h_mean + p.along) * (p.h[..., 0].size / len(p.h))), training=True),
    ),
    Wrong(
        "no gamma in dx",
        "gamma is left out of the gradient of x in training mode",
        dx(lambda p: mistakes.training_formula(p) / p.gamma, training=True),
    ),
    Wrong(
        "no gamma in dx, evaluation",
        "gamma is left out of the gradient of x in evaluation mode",
        dx(lambda p: p.inverse * p.g, training=False),
    ),
    Wrong(
        "training formula in evaluation",
        "evaluation mode uses the training formula for dx: mean and variance are constants there",
        dx(mistakes.training_formula, training=False),
    ),
    Wrong(
        "batch's gradient in evaluation",
        "evaluation mode differentiates through the batch's own statistics: the running ones are constants",
        dx(mistakes.training_formula, training=False, by_batch=True),
    ),
    Wrong(
        "gamma's gradient not summed over positions",
        "the gradient of gamma is summed over N alone: expected a sum over N, H and W",
        dgamma(lambda p: (p.g * p.x_hat).sum(axis=0)),
    ),
    Wrong(
        "gamma's gradient averaged over positions",
        "the gradient of gamma is averaged over H and W: expected a sum over N, H and W",
        dgamma(mistakes.averaged_over_positions),
    ),
    Wrong(
        "gamma's gradient by x",
        "the gradient of gamma is the sum of g * x: expected g * x_hat",
        dgamma(lambda p: mistakes.total(p.g * p.x)),
    ),
    Wrong(
        "gamma's gradient is beta's",
        "the gradient of gamma is the sum of g, which is beta's: expected the sum of g * x_hat",
        dgamma(lambda p: mistakes.total(p.g)),
    ),
    Wrong(
        "gamma's gradient averaged",
        "the gradient of gamma is a mean: expected the sum of g * x_hat",
        dgamma(lambda p: mistakes.mean(p.g * p.x_hat)),
    ),
    Wrong(
        "beta's gradient is gamma's",
        "the gradient of beta is the sum of g * x_hat, which is gamma's: expected the sum of g",
        dbeta(lambda p: mistakes.total(p.g * p.x_hat)),
    ),
    Wrong(
        "beta's gradient averaged",
        "the gradient of beta is a mean: expected the sum of g",
        dbeta(lambda p: mistakes.mean(p.g)),
    ),
    Wrong(
        "gamma's gradient by the batch",
        "the gradient of gamma takes the batch's x_hat in evaluation mode: expected the running statistics'",
        dgamma(mistakes.by_batch_x_hat, training=False),
    ),
)

STATISTICS = (
    Wrong(
        "biased running variance",
        "the running variance is biased (1/m): expected m/(m-1) times the batch's",
        running(factor=lambda m, n: 1.0),
    ),
    Wrong(
        "running variance corrected twice",
        "the running variance takes the factor m/(m-1) twice",
        running(factor=lambda m, n: (m / (m - 1)) ** 2),
    ),
    Wrong(
        "N for N*H*W in the running variance",
        "the running variance takes N/(N-1): expected m/(m-1) with m = N*H*W values per feature map",
        running(factor=lambda m, n: n / (n - 1)),
    ),
    Wrong(
        "momentum swapped",
        "momentum is swapped: expected (1 - momentum) * running + momentum * batch",
        running(weight=lambda momentum, seen: 1 / seen if momentum is None else 1 - momentum),
    ),
    Wrong(
        "running statistics not updated",
        "training doesn't update the running statistics",
        running(weight=lambda momentum, seen: 0.0),
    ),
    Wrong(
        "momentum None as 0.1",
        "momentum None weighs each batch with 0.1: expected the plain average of all batches",
        running(weight=lambda momentum, seen: 0.1 if momentum is None else momentum),
    ),
    Wrong(
        "running statistics updated in evaluation",
        "evaluation mode updates the running statistics: expected them to stay",
        running(in_evaluation=True),
    ),
    Wrong(
        "gamma from 0",
        "gamma starts at 0: expected 1",
        lambda probe: {INITIAL_GAMMA: np.zeros(probe.features)},
    ),
    Wrong(
        "running variance from 0",
        "the running variance starts at 0: expected 1",
        lambda probe: {INITIAL_VAR: np.zeros(probe.features)},
    ),
)

SHARED = (
    Wrong(
        "outputs share one array",
        "two outputs share one array: the second call overwrote what the first had returned",
        mistakes.second_output_for_first,
    ),
    Wrong(
        "gradients share one array",
        "the gradients of two inputs share one array: the later one overwrote the earlier one",
        mistakes.first_gradient_for_second,
    ),
    Wrong(
        "calls share what they keep",
        "the second call overwrote what the first had kept for its backward pass",
        mistakes.first_by_what_second_kept,
    ),
)

WRONG = (*OUTPUTS, *GRADIENTS, *STATISTICS, *SHARED)
