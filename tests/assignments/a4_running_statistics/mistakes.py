"""What wrong running statistics, evaluation modes and merges give, for the hints of A4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.grading.course.hints import Mistake


def _others(a: np.ndarray) -> tuple[int, ...]:
    return tuple(range(a.ndim - 1))


def _count(a: np.ndarray) -> float:
    return a.size / a.shape[-1]


# ---- running statistics ------------------------------------------------------------------------------------

INITIAL: list[tuple[str, Mistake]] = [
    ("the running variance starts at 0: expected 1", lambda features: {"var": np.zeros(features)}),
    ("the running mean starts at 1: expected 0", lambda features: {"mean": np.ones(features)}),
]


def following(running_var: np.ndarray, x: np.ndarray, momentum: float, factor: float | None) -> np.ndarray:
    """The running variance with the batch's, biased one times `factor`."""
    var = x.var(_others(x)) * (_count(x) / (_count(x) - 1) if factor is None else factor)
    return (1 - momentum) * running_var + momentum * var


def _update(
    momentum_of: Callable[[float], float] = lambda momentum: momentum,
    factor: Callable[[np.ndarray], float | None] = lambda x: None,
) -> Mistake:
    def mistake(
        running_mean: np.ndarray, running_var: np.ndarray, x: np.ndarray, momentum: float
    ) -> dict[str, Any]:
        new = momentum_of(momentum)
        return {
            "new_mean": (1 - new) * running_mean + new * x.mean(_others(x)),
            "new_var": following(running_var, x, new, factor(x)),
        }

    return mistake


UPDATE: list[tuple[str, Mistake]] = [
    ("the running variance is biased (1/m): expected m/(m-1) times the batch's", _update(factor=lambda x: 1)),
    ("the running variance takes the factor m/(m-1) twice",
     _update(factor=lambda x: (_count(x) / (_count(x) - 1)) ** 2)),
    ("the running variance takes N/(N-1): expected m/(m-1) with m = N*H*W values per feature map",
     _update(factor=lambda x: len(x) / (len(x) - 1))),
    ("momentum is swapped: expected (1 - momentum) * running + momentum * batch",
     _update(lambda new: 1 - new)),
    ("the running statistics aren't updated", _update(lambda new: 0)),
    ("the batch's statistics replace the running ones: expected a moving average", _update(lambda new: 1)),
    ("the running statistics are kept for each position: expected one of each feature map",
     lambda running_mean, running_var, x, momentum: {
         "new_mean": (1 - momentum) * running_mean + momentum * x.mean(0),
         "new_var": (1 - momentum) * running_var + momentum * x.var(0, ddof=1),
     }),
    ("the squares are taken about the running mean: expected about the batch's",
     lambda running_mean, running_var, x, momentum: {
         "new_var": (1 - momentum) * running_var
         + momentum * ((x - running_mean) ** 2).sum(_others(x)) / (_count(x) - 1)
     }),
    ("the running standard deviation is averaged: expected the variance",
     lambda running_mean, running_var, x, momentum: {
         "new_var": ((1 - momentum) * np.sqrt(running_var) + momentum * x.std(_others(x), ddof=1)) ** 2
     }),
]


# ---- evaluation mode ---------------------------------------------------------------------------------------


def _evaluation(inverse: Callable[[np.ndarray, float], np.ndarray]) -> Mistake:
    return lambda x, gamma, beta, running_mean, running_var, eps: {
        "y": gamma * (x - running_mean) * inverse(running_var, eps) + beta
    }


OUTPUT: list[tuple[str, Mistake]] = [
    ("gamma and beta are left out in evaluation mode",
     lambda x, gamma, beta, running_mean, running_var, eps: {
         "y": (x - running_mean) / np.sqrt(running_var + eps)
     }),
    ("evaluation mode normalises with the batch's own statistics: expected the running ones",
     lambda x, gamma, beta, running_mean, running_var, eps: {
         "y": gamma * (x - x.mean(_others(x))) / np.sqrt(x.var(_others(x)) + eps) + beta
     }),
    ("eps is added to the standard deviation, sqrt(var) + eps: expected sqrt(var + eps)",
     _evaluation(lambda var, eps: 1 / (np.sqrt(var) + eps))),
    ("eps is added outside the root, 1 / sqrt(var) + eps: expected 1 / sqrt(var + eps)",
     _evaluation(lambda var, eps: 1 / np.sqrt(var) + eps)),
    ("eps is left out: expected sqrt(var + eps)", _evaluation(lambda var, eps: 1 / np.sqrt(var))),
    ("eps is 1e-5 whatever was asked for", _evaluation(lambda var, eps: 1 / np.sqrt(var + 1e-5))),
    ("x - mean is divided by var + eps: expected its square root",
     _evaluation(lambda var, eps: 1 / (var + eps))),
]


def _updated_twice(momentum: float) -> Mistake:
    def mistake(
        x: np.ndarray, x_2: np.ndarray, running_mean: np.ndarray, running_var: np.ndarray, **_: Any
    ) -> dict[str, Any]:
        for batch in (x, x_2):
            running_mean = (1 - momentum) * running_mean + momentum * batch.mean(_others(batch))
            running_var = following(running_var, batch, momentum, None)
        return {"mean_after": running_mean, "var_after": running_var}

    return mistake


CHANGED: list[tuple[str, Mistake]] = [
    ("evaluation mode updates the running statistics: expected them to stay", _updated_twice(0.1)),
    ("evaluation mode subtracts the mean from the caller's x, in place",
     lambda x, running_mean, **_: {"x_after": x - running_mean}),
]


def _parts(
    x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray]:
    inverse = 1 / np.sqrt(var + eps)
    return (x - mean) * inverse, inverse


def _gradients(formula: Callable[..., dict[str, Any]], by_batch: bool = False) -> Mistake:
    """`formula` of g, x, gamma, x_hat, inverse and the axes to sum over."""
    def mistake(
        g: np.ndarray, x: np.ndarray, gamma: np.ndarray, running_mean: np.ndarray, running_var: np.ndarray,
        eps: float,
    ) -> dict[str, Any]:
        statistics = (x.mean(_others(x)), x.var(_others(x))) if by_batch else (running_mean, running_var)
        return formula(g, x, gamma, *_parts(x, *statistics, eps), _others(g))

    return mistake


def _training_dx(
    g: np.ndarray, x: np.ndarray, gamma: np.ndarray, x_hat: np.ndarray, inverse: np.ndarray,
    over: tuple[int, ...],
) -> dict[str, Any]:
    h = gamma * g
    return {"dx": inverse * (h - h.mean(over) - x_hat * (h * x_hat).mean(over))}


GRADIENTS: list[tuple[str, Mistake]] = [
    ("evaluation mode uses the training formula for dx: mean and variance are constants there",
     _gradients(_training_dx)),
    ("evaluation mode differentiates through the batch's own statistics: the running ones are constants",
     _gradients(_training_dx, by_batch=True)),
    ("gamma is left out of the gradient of x",
     _gradients(lambda g, x, gamma, x_hat, inverse, over: {"dx": g * inverse})),
    ("dx isn't divided by the standard deviation",
     _gradients(lambda g, x, gamma, x_hat, inverse, over: {"dx": g * gamma})),
    ("the gradient of gamma takes the batch's x_hat: expected the running statistics'",
     _gradients(lambda g, x, gamma, x_hat, inverse, over: {"dgamma": (g * x_hat).sum(over)}, by_batch=True)),
    ("the gradient of gamma is the sum of g * x: expected g * x_hat",
     _gradients(lambda g, x, gamma, x_hat, inverse, over: {"dgamma": (g * x).sum(over)})),
    ("the gradients of gamma and beta are summed over N alone: expected a sum over N, H and W",
     _gradients(lambda g, x, gamma, x_hat, inverse, over: {"dgamma": (g * x_hat).sum(0), "dbeta": g.sum(0)})),
    ("the gradient of gamma is summed over N alone: expected a sum over N, H and W",
     _gradients(lambda g, x, gamma, x_hat, inverse, over: {"dgamma": (g * x_hat).sum(0)})),
    ("the gradients of gamma and beta are means: expected sums",
     _gradients(lambda g, x, gamma, x_hat, inverse, over: {
         "dgamma": (g * x_hat).mean(over), "dbeta": g.mean(over)
     })),
]


# ---- recalibration -----------------------------------------------------------------------------------------


def _over_batches(formula: Callable[[list[np.ndarray]], dict[str, Any]]) -> Mistake:
    return lambda **batches: formula([batches[name] for name in sorted(batches)])


def _unbiased(x: np.ndarray) -> np.ndarray:
    return x.var(_others(x), ddof=1)


def _moving(batches: list[np.ndarray]) -> dict[str, Any]:
    mean, var = np.zeros(batches[0].shape[-1]), np.ones(batches[0].shape[-1])
    for x in batches:
        mean, var = 0.9 * mean + 0.1 * x.mean(_others(x)), following(var, x, 0.1, None)
    return {"mean": mean, "var": var}


RECALIBRATE: list[tuple[str, Mistake]] = [
    ("the variance is biased (1/m): expected m/(m-1) times each batch's",
     _over_batches(lambda batches: {"var": np.mean([x.var(_others(x)) for x in batches], 0)})),
    ("the variance takes N/(N-1): expected m/(m-1) with m = N*H*W values per feature map",
     _over_batches(lambda batches: {
         "var": np.mean([x.var(_others(x)) * len(x) / (len(x) - 1) for x in batches], 0)
     })),
    ("the variance is that of all batches put together: expected the average of the batches' own",
     _over_batches(lambda batches: {"var": _unbiased(np.concatenate(batches))})),
    ("moving averages with 0.1 are taken: expected plain averages over all batches", _over_batches(_moving)),
    ("the last batch's statistics are returned: expected averages over all batches",
     _over_batches(lambda batches: {
         "mean": batches[-1].mean(_others(batches[-1])), "var": _unbiased(batches[-1])
     })),
    ("the batches' statistics are added up: expected their averages",
     _over_batches(lambda batches: {
         "mean": np.sum([x.mean(_others(x)) for x in batches], 0),
         "var": np.sum([_unbiased(x) for x in batches], 0),
     })),
]


# ---- folding -----------------------------------------------------------------------------------------------


def _folding(formula: Callable[..., tuple[Any, Any]]) -> Mistake:
    """`formula` of weight, bias, beta, mean, and the right scale."""
    def mistake(
        weight: np.ndarray, bias: np.ndarray | None, gamma: np.ndarray, beta: np.ndarray,
        running_mean: np.ndarray, running_var: np.ndarray, eps: float,
    ) -> dict[str, Any]:
        scale = gamma / np.sqrt(running_var + eps)
        b = np.zeros_like(beta) if bias is None else bias
        new_weight, new_bias = formula(weight, b, beta, running_mean, scale)
        return {"new_weight": new_weight, "new_bias": new_bias}

    return mistake


def _scaled_by(inverse: Callable[[np.ndarray, float], np.ndarray]) -> Mistake:
    def mistake(
        weight: np.ndarray, bias: np.ndarray | None, gamma: np.ndarray, beta: np.ndarray,
        running_mean: np.ndarray, running_var: np.ndarray, eps: float,
    ) -> dict[str, Any]:
        scale = gamma * inverse(running_var, eps)
        b = np.zeros_like(beta) if bias is None else bias
        return {"new_weight": weight * scale, "new_bias": scale * (b - running_mean) + beta}

    return mistake


FOLD: list[tuple[str, Mistake]] = [
    ("the bias isn't scaled: expected scale * bias + shift",
     _folding(lambda w, b, beta, mean, scale: (w * scale, b - scale * mean + beta))),
    ("the bias of the layer before is lost", _folding(lambda w, b, beta, mean, scale: (
        w * scale, beta - scale * mean))),
    ("the running mean is left out of the bias",
     _folding(lambda w, b, beta, mean, scale: (w * scale, scale * b + beta))),
    ("the running mean isn't scaled: expected beta - scale * mean",
     _folding(lambda w, b, beta, mean, scale: (w * scale, scale * b + beta - mean))),
    ("the running mean has the wrong sign: expected beta - scale * mean",
     _folding(lambda w, b, beta, mean, scale: (w * scale, scale * (b + mean) + beta))),
    ("beta is left out", _folding(lambda w, b, beta, mean, scale: (w * scale, scale * (b - mean)))),
    ("the weights aren't scaled", _folding(lambda w, b, beta, mean, scale: (w, scale * (b - mean) + beta))),
    ("eps is left out: expected sqrt(var + eps)", _scaled_by(lambda var, eps: 1 / np.sqrt(var))),
    ("eps is added to the standard deviation, sqrt(var) + eps: expected sqrt(var + eps)",
     _scaled_by(lambda var, eps: 1 / (np.sqrt(var) + eps))),
    ("the scale is gamma / (var + eps): expected the square root",
     _scaled_by(lambda var, eps: 1 / (var + eps))),
]


# ---- merging -----------------------------------------------------------------------------------------------


def _merging(formula: Callable[..., dict[str, Any]]) -> Mistake:
    """`formula` of the shares of both shards, their means and variances, and the count of all."""
    def mistake(
        count_a: int, mean_a: np.ndarray, var_a: np.ndarray, count_b: int, mean_b: np.ndarray,
        var_b: np.ndarray,
    ) -> dict[str, Any]:
        n = count_a + count_b
        return formula(count_a / n, count_b / n, mean_a, mean_b, var_a, var_b, n)

    return mistake


def _merged_var(
    a: float, b: float, mean_a: np.ndarray, mean_b: np.ndarray, var_a: np.ndarray, var_b: np.ndarray
) -> np.ndarray:
    return a * var_a + b * var_b + a * b * (mean_b - mean_a) ** 2


MERGE: list[tuple[str, Mistake]] = [
    ("both shards weigh the same: expected each by its count",
     _merging(lambda a, b, mean_a, mean_b, var_a, var_b, n: {
         "mean": (mean_a + mean_b) / 2, "var": _merged_var(0.5, 0.5, mean_a, mean_b, var_a, var_b)
     })),
    ("the means weigh the same: expected each by its count",
     _merging(lambda a, b, mean_a, mean_b, var_a, var_b, n: {"mean": (mean_a + mean_b) / 2})),
    ("the variance between the shards' means is missing",
     _merging(lambda a, b, mean_a, mean_b, var_a, var_b, n: {"var": a * var_a + b * var_b})),
    ("the squared distance of the means isn't weighed by both shares: expected count_a*count_b/count**2",
     _merging(lambda a, b, mean_a, mean_b, var_a, var_b, n: {
         "var": a * var_a + b * var_b + (mean_b - mean_a) ** 2
     })),
    ("the variance is unbiased (1/(count-1)): expected the biased one, as of the shards",
     _merging(lambda a, b, mean_a, mean_b, var_a, var_b, n: {
         "var": _merged_var(a, b, mean_a, mean_b, var_a, var_b) * n / (n - 1)
     })),
    ("the shards' counts are swapped",
     _merging(lambda a, b, mean_a, mean_b, var_a, var_b, n: {
         "mean": b * mean_a + a * mean_b, "var": _merged_var(b, a, mean_a, mean_b, var_a, var_b)
     })),
]


def _whole(
    counts: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    share = (counts / counts.sum())[:, None]
    mean = (share * means).sum(0)
    return mean, (share * (variances + (means - mean) ** 2)).sum(0), float(counts.sum())


POPULATION: list[tuple[str, Mistake]] = [
    ("the variance is biased (1/n): expected n/(n-1) times it, n the count of all",
     lambda counts, means, variances: {"var": _whole(counts, means, variances)[1]}),
    ("the averages of the shards' own means and variances are returned: expected those of all values",
     lambda counts, means, variances: {"mean": means.mean(0), "var": variances.mean(0)}),
    ("the variance between the shards' means is missing",
     lambda counts, means, variances: {
         "var": ((counts / counts.sum())[:, None] * variances).sum(0) * counts.sum() / (counts.sum() - 1)
     }),
    ("the shards' variances are made unbiased each: expected n/(n-1) for all of them, once, at the end",
     lambda counts, means, variances: {
         "var": _whole(counts, means, variances * (counts / (counts - 1))[:, None])[1]
     }),
]
