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
    ("sums over batch, height and width are divided by the batch size: expected m, the number of values "
     "per feature",
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

def _changed(name: str) -> Mistake:
    return lambda **_: {f"{name}_changed": 1}


def _changes(function: str, arguments: str, results: str) -> list[tuple[str, Mistake]]:
    """What a function may do to arrays that others hold: arguments first, then what it returned before."""
    return [
        *((f"{function} changed its argument {name}: work on a copy", _changed(name))
          for name in arguments.split()),
        *((f"two calls of {function} share one array: the second one overwrote the first one's {name}",
           _changed(name)) for name in results.split()),
    ]


CHANGED = _changes("forward", "x gamma beta", "y x_hat inverse")


# ---- backward ----------------------------------------------------------------------------------------------


def _positions(a: np.ndarray) -> float:
    return a[..., 0].size / len(a)


def _dgamma(formula: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Mistake:
    return lambda g, x_hat, inverse, gamma: {"dgamma": formula(g, x_hat)}


PARAMETERS: list[tuple[str, Mistake]] = [
    ("the gradients come in the wrong order: expected (dgamma, dbeta)",
     lambda g, x_hat, inverse, gamma: {"dgamma": g.sum(_others(g)), "dbeta": (g * x_hat).sum(_others(g))}),
    ("dgamma and dbeta are summed over the batch alone: expected sums over batch, height and width",
     lambda g, x_hat, inverse, gamma: {"dgamma": (g * x_hat).sum(0), "dbeta": g.sum(0)}),
    ("dgamma is summed over the batch alone: expected a sum over batch, height and width",
     _dgamma(lambda g, x_hat: (g * x_hat).sum(0))),
    ("dgamma is summed over the batch and averaged over height and width: expected a sum over all three",
     _dgamma(lambda g, x_hat: (g * x_hat).sum(_others(g)) / _positions(g))),
    ("dgamma is the sum of g, which is dbeta: expected the sum of g * x_hat",
     _dgamma(lambda g, x_hat: g.sum(_others(g)))),
    ("dgamma and dbeta are means: expected sums",
     lambda g, x_hat, inverse, gamma: {"dgamma": _mean(g * x_hat), "dbeta": _mean(g)}),
    ("dgamma is multiplied by gamma: expected the sum of g * x_hat",
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
    ("dx divides by the batch size where m, the number of values per feature, belongs",
     _dx(lambda h, x_hat: h - _positions(h) * (_mean(h) + _share(h, x_hat)))),
    ("the means in dx are over the batch alone: expected means over batch, height and width",
     _dx(lambda h, x_hat: h - h.mean(0) - x_hat * (h * x_hat).mean(0))),
    ("the sums in dx are over the batch alone, and divided by m: expected sums over batch, height and width",
     _dx(lambda h, x_hat: h - (h.mean(0) + x_hat * (h * x_hat).mean(0)) / _positions(h))),
    ("one sum in dx, that of h, is over the batch alone: expected batch, height and width",
     _dx(lambda h, x_hat: h - h.mean(0) - _share(h, x_hat))),
    ("one sum in dx, that of h * x_hat, is over the batch alone: expected batch, height and width",
     _dx(lambda h, x_hat: h - _mean(h) - x_hat * (h * x_hat).mean(0))),
    ("gamma is left out of dx",
     lambda g, x_hat, inverse, gamma: {"dx": _right_dx(g, x_hat, inverse, np.ones_like(gamma))}),
    ("dx isn't divided by the standard deviation",
     lambda g, x_hat, inverse, gamma: {"dx": _right_dx(g, x_hat, np.ones_like(inverse), gamma)}),
]

INPUT_CHANGED = _changes("input_gradient", "g x_hat inverse gamma", "dx")


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
    ("the weights are counted once an example: expected once for each of its height * width positions",
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
    ("dx: each example's share of mean and variance is 1/m: expected its weight / sum of the weights",
     _share_of(lambda w, g: 1 / g[..., 0].size)),
    ("dx: the weights are summed over the examples: expected their height * width positions as well",
     _share_of(lambda w, g: w / w.sum())),
    ("dx: mean and variance are taken for constants: both terms are missing", _share_of(lambda w, g: 0)),
    ("dx: the means of h and h * x_hat are weighted: expected plain sums, times the example's own share",
     lambda g, x_hat, inverse, gamma, weights: _dx_of_weighted_means(g, x_hat, inverse, gamma, weights)),
    ("dx: the sums of h and h * x_hat have weights in them: expected plain sums, over all outputs alike",
     lambda g, x_hat, inverse, gamma, weights: _dx_of_weighted_sums(g, x_hat, inverse, gamma, weights)),
    ("dx: g is multiplied by the weights, as if the loss were weighted: they act on the statistics alone",
     lambda g, x_hat, inverse, gamma, weights: _weighted_dx(
         spread_weights(weights, g) * g, x_hat, inverse, gamma,
         spread_weights(weights, g) / (weights.sum() * _positions(g)),
     )),
    ("dgamma and dbeta: their sums are weighted, as if the loss were: expected plain sums",
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


def _dx_of_weighted_sums(
    g: np.ndarray, x_hat: np.ndarray, inverse: np.ndarray, gamma: np.ndarray, weights: np.ndarray
) -> dict[str, Any]:
    w, over = spread_weights(weights, g), _others(g)
    h, share = gamma * g, w / (weights.sum() * _positions(g))
    return {"dx": inverse * (h - share * ((w * h).sum(over) + x_hat * (w * h * x_hat).sum(over)))}
