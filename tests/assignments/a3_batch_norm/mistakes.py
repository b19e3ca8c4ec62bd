"""What wrong batch normalizations give, for the hints of A3: each differs from the right one in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.grading.course.hints import Mistake


def _others(a: np.ndarray) -> tuple[int, ...]:
    return tuple(range(a.ndim - 1))


def _mean(a: np.ndarray) -> np.ndarray:
    return a.mean(_others(a))


# ---- forward -----------------------------------------------------------------------------------------------


def _output(x_hat: Callable[[np.ndarray, float], np.ndarray]) -> Mistake:
    return lambda x, gamma, beta, eps: {"y": gamma * x_hat(x, eps) + beta}


def _times(inverse: Callable[[np.ndarray, float], np.ndarray]) -> Mistake:
    return _output(lambda x, eps: (x - _mean(x)) * inverse(x.var(_others(x)), eps))


def _along(axis: int) -> Mistake:
    def x_hat(x: np.ndarray, eps: float) -> np.ndarray:
        return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)

    return _output(x_hat)


def _n_for_nhw(x: np.ndarray, eps: float) -> np.ndarray:
    mean = x.sum(_others(x)) / len(x)
    return (x - mean) / np.sqrt(((x - mean) ** 2).sum(_others(x)) / len(x) + eps)


_right_output = _times(lambda var, eps: 1 / np.sqrt(var + eps))

OUTPUT: list[tuple[str, Mistake]] = [
    ("eps is added to the standard deviation, sqrt(var) + eps: expected sqrt(var + eps)",
     _times(lambda var, eps: 1 / (np.sqrt(var) + eps))),
    ("eps is added outside the root, 1 / sqrt(var) + eps: expected 1 / sqrt(var + eps)",
     _times(lambda var, eps: 1 / np.sqrt(var) + eps)),
    ("eps is left out: expected sqrt(var + eps)", _times(lambda var, eps: 1 / np.sqrt(var))),
    ("eps is 1e-5 whatever was asked for", _times(lambda var, eps: 1 / np.sqrt(var + 1e-5))),
    ("x - mean is divided by var + eps: expected its square root", _times(lambda var, eps: 1 / (var + eps))),
    ("the batch is normalised with the unbiased variance (1/(m-1)): expected the biased one (1/m)",
     _output(lambda x, eps: (x - _mean(x)) / np.sqrt(x.var(_others(x), ddof=1) + eps))),
    ("each position is normalised on its own: expected one mean and variance per feature map", _along(0)),
    ("each example is normalised on its own, as in layer norm: expected each feature over the batch",
     _along(-1)),
    ("sums over N, H and W are divided by N: expected m = N*H*W, the number of values per feature",
     _output(_n_for_nhw)),
    ("gamma and beta are left out",
     lambda x, gamma, beta, eps: {"y": (x - _mean(x)) / np.sqrt(x.var(_others(x)) + eps)}),
]

KEPT: list[tuple[str, Mistake]] = [
    ("the cache holds sqrt(var + eps): expected 1 / sqrt(var + eps)",
     lambda x, gamma, beta, eps: {"inverse": np.sqrt(x.var(_others(x)) + eps)}),
    ("the cache holds x - mean: expected x_hat, which is divided by the standard deviation as well",
     lambda x, gamma, beta, eps: {"x_hat": x - _mean(x)}),
    ("the cache holds y: expected x_hat, before gamma and beta",
     lambda x, gamma, beta, eps: {
         "x_hat": gamma * (x - _mean(x)) / np.sqrt(x.var(_others(x)) + eps) + beta
     }),
]

CHANGED: list[tuple[str, Mistake]] = [
    ("forward subtracts the mean from the caller's x, in place",
     lambda x, **_: {"x_after": x - _mean(x)}),
    ("forward normalises the caller's x, in place",
     lambda x, eps, **_: {"x_after": (x - _mean(x)) / np.sqrt(x.var(_others(x)) + eps)}),
    ("two outputs share one array: the second call overwrote what the first had returned",
     lambda x_2, gamma, beta, eps, **_: _right_output(x_2, gamma, beta, eps)),
]


# ---- backward ----------------------------------------------------------------------------------------------


def _positions(a: np.ndarray) -> float:
    return a[..., 0].size / len(a)


def _dgamma(formula: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Mistake:
    return lambda g, x_hat, inverse, gamma: {"dgamma": formula(g, x_hat)}


PARAMETERS: list[tuple[str, Mistake]] = [
    ("the gradients come in the wrong order: expected (dgamma, dbeta)",
     lambda g, x_hat, inverse, gamma: {"dgamma": g.sum(_others(g)), "dbeta": (g * x_hat).sum(_others(g))}),
    ("the gradients of gamma and beta are summed over N alone: expected a sum over N, H and W",
     lambda g, x_hat, inverse, gamma: {"dgamma": (g * x_hat).sum(0), "dbeta": g.sum(0)}),
    ("the gradient of gamma is summed over N alone: expected a sum over N, H and W",
     _dgamma(lambda g, x_hat: (g * x_hat).sum(0))),
    ("the gradient of gamma is summed over N and averaged over H and W: expected a sum over all three",
     _dgamma(lambda g, x_hat: (g * x_hat).sum(_others(g)) / _positions(g))),
    ("the gradient of gamma is the sum of g, which is beta's: expected the sum of g * x_hat",
     _dgamma(lambda g, x_hat: g.sum(_others(g)))),
    ("the gradients of gamma and beta are means: expected sums",
     lambda g, x_hat, inverse, gamma: {"dgamma": _mean(g * x_hat), "dbeta": _mean(g)}),
    ("the gradient of gamma is multiplied by gamma: expected the sum of g * x_hat",
     lambda g, x_hat, inverse, gamma: {"dgamma": gamma * (g * x_hat).sum(_others(g))}),
]


def _dx(formula: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Mistake:
    """`formula` of h = gamma * g and x_hat is multiplied by `inverse`."""
    return lambda g, x_hat, inverse, gamma: {"dx": inverse * formula(gamma * g, x_hat)}


def _share(h: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    return x_hat * _mean(h * x_hat)


def _right_dx(g: np.ndarray, x_hat: np.ndarray, inverse: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    h = gamma * g
    return inverse * (h - _mean(h) - _share(h, x_hat))


INPUT: list[tuple[str, Mistake]] = [
    ("the gradient takes the batch's mean for a constant: its term is missing in dx",
     _dx(lambda h, x_hat: h - _share(h, x_hat))),
    ("the gradient takes the batch's variance for a constant: its term is missing in dx",
     _dx(lambda h, x_hat: h - _mean(h))),
    ("the gradient takes the batch's mean and variance for constants: both terms are missing in dx",
     _dx(lambda h, x_hat: h)),
    ("the sign of the x_hat term in dx is flipped: expected - x_hat * mean(h * x_hat)",
     _dx(lambda h, x_hat: h - _mean(h) + _share(h, x_hat))),
    ("dx divides by N where the number of values per feature map, N*H*W, belongs",
     _dx(lambda h, x_hat: h - _positions(h) * (_mean(h) + _share(h, x_hat)))),
    ("dx sums over N alone: expected sums over N, H and W",
     _dx(lambda h, x_hat: h - h.mean(0) - x_hat * (h * x_hat).mean(0))),
    ("gamma is left out of dx",
     lambda g, x_hat, inverse, gamma: {"dx": _right_dx(g, x_hat, inverse, np.ones_like(gamma))}),
    ("dx isn't divided by the standard deviation",
     lambda g, x_hat, inverse, gamma: {"dx": _right_dx(g, x_hat, np.ones_like(inverse), gamma)}),
]

INPUT_CHANGED: list[tuple[str, Mistake]] = [
    ("input_gradient multiplies the caller's g by gamma, in place",
     lambda g, gamma, **_: {"g_after": g * gamma}),
    ("the gradients of two inputs share one array: the later one overwrote the earlier one",
     lambda g_2, x_hat_2, inverse_2, gamma, **_: {"dx": _right_dx(g_2, x_hat_2, inverse_2, gamma)}),
]


# ---- with weights ------------------------------------------------------------------------------------------


def spread_weights(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Weights (N,) in a shape that x (N, ..., features) is multiplied by."""
    return weights.reshape(-1, *[1] * (x.ndim - 1))


def weighted_x_hat(
    x: np.ndarray, eps: float, weights: np.ndarray, total: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """x_hat and 1 / sqrt(var + eps); `total` is the sum of all weights."""
    w, over = spread_weights(weights, x), _others(x)
    total = total or weights.sum() * _positions(x)
    centred = x - (w * x).sum(over) / total
    inverse = 1 / np.sqrt((w * centred**2).sum(over) / total + eps)
    return centred * inverse, inverse


def _weighted_output(
    weights_of: Callable[[np.ndarray], np.ndarray],
    total_of: Callable[[np.ndarray, np.ndarray], float | None] = lambda w, x: None,
) -> Mistake:
    def mistake(
        x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float, weights: np.ndarray
    ) -> dict[str, Any]:
        w = weights_of(weights)
        return {"y": gamma * weighted_x_hat(x, eps, w, total_of(w, x))[0] + beta}

    return mistake


WEIGHTED_OUTPUT: list[tuple[str, Mistake]] = [
    ("the weights are ignored: expected weighted mean and variance", _weighted_output(np.ones_like)),
    ("the weighted sums are divided by the number of values: expected the sum of the weights",
     _weighted_output(lambda w: w, lambda w, x: x[..., 0].size)),
    ("the weights are counted once an example: expected once for each of its H*W positions",
     _weighted_output(lambda w: w, lambda w, x: w.sum())),
    ("x_hat is multiplied by the weights: expected them in mean and variance alone",
     lambda x, gamma, beta, eps, weights: {
         "y": gamma * spread_weights(weights, x) * weighted_x_hat(x, eps, weights)[0] + beta
     }),
]


def _weighted_dx(
    g: np.ndarray, x_hat: np.ndarray, inverse: np.ndarray, gamma: np.ndarray, share: Any
) -> dict[str, Any]:
    h, over = gamma * g, _others(g)
    return {"dx": inverse * (h - share * (h.sum(over) + x_hat * (h * x_hat).sum(over)))}


def _share_of(formula: Callable[[np.ndarray, np.ndarray], Any]) -> Mistake:
    """`formula` of the weights, in a shape to be multiplied, and of g stands for w / (sum of all weights)."""
    return lambda g, x_hat, inverse, gamma, weights: _weighted_dx(
        g, x_hat, inverse, gamma, formula(spread_weights(weights, g), g)
    )


WEIGHTED_GRADIENTS: list[tuple[str, Mistake]] = [
    ("dx takes each example's share of mean and variance for 1/m: expected weight / sum of the weights",
     _share_of(lambda w, g: 1 / g[..., 0].size)),
    ("dx divides by the weights of the examples: expected the sum over their H*W positions as well",
     _share_of(lambda w, g: w / w.sum())),
    ("dx takes mean and variance for constants: both terms are missing", _share_of(lambda w, g: 0)),
    ("dx takes the weighted means of h and h * x_hat: expected plain sums, times the example's own share",
     lambda g, x_hat, inverse, gamma, weights: _dx_of_weighted_means(g, x_hat, inverse, gamma, weights)),
    ("the gradients of gamma and beta are weighted: weights act on the statistics alone, not on the loss",
     lambda g, x_hat, inverse, gamma, weights: {
         "dgamma": (spread_weights(weights, g) * g * x_hat).sum(_others(g)),
         "dbeta": (spread_weights(weights, g) * g).sum(_others(g)),
     }),
]


def _dx_of_weighted_means(
    g: np.ndarray, x_hat: np.ndarray, inverse: np.ndarray, gamma: np.ndarray, weights: np.ndarray
) -> dict[str, Any]:
    h, share = gamma * g, spread_weights(weights, g) / (weights.sum() * _positions(g))
    over = _others(g)
    return {"dx": inverse * (h - (share * h).sum(over) - x_hat * (share * h * x_hat).sum(over))}
