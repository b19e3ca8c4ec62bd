"""A4, all checks: running statistics far from the batch's, random gamma and beta, shards of unequal size."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.grading.course.checks import Case, TaskCheck
from minidl.grading.course.hints import Mistake, hints

from . import mistakes
from .solution import (
    evaluation_backward,
    evaluation_forward,
    fold,
    initial_statistics,
    merge,
    population,
    recalibrate,
    update,
)

Shape = tuple[int, ...]

DENSE: list[Shape] = [(4, 3), (3, 2)]
MAPS: list[Shape] = [(4, 2, 1, 2), (3, 1, 2, 1)]
CALLS: list[Shape] = [(4, 2), (4, 3)]
OTHERS: list[Shape] = [(6, 1), (4, 3, 5), (5, 3, 4, 2), (4, 2, 3, 2, 4)]
FAR = 4e5

INITIAL = "mean, var = initial_statistics(features)"
UPDATE = "new_mean, new_var = update(running_mean, running_var, x, momentum)"
UPDATE_TWICE = """new_mean, new_var = update(running_mean, running_var, x, momentum)
last_mean, last_var = update(new_mean, new_var, x_2, momentum)
mean_after, var_after, x_after = running_mean, running_var, x"""
OUTPUT = "y = evaluation_forward(x, gamma, beta, running_mean, running_var, eps)"
OUTPUT_TWICE = """y = evaluation_forward(x, gamma, beta, running_mean, running_var, eps)
y_2 = evaluation_forward(x_2, gamma, beta, running_mean, running_var, eps)
mean_after, var_after = running_mean, running_var
x_after, gamma_after, beta_after = x, gamma, beta"""
GRADIENTS = "dx, dgamma, dbeta = evaluation_backward(g, x, gamma, running_mean, running_var, eps)"
GRADIENTS_TWICE = """dx, dgamma, dbeta = evaluation_backward(g, x, gamma, running_mean, running_var, eps)
dx_2, dgamma_2, _ = evaluation_backward(g_2, x, gamma, running_mean, running_var, eps)
g_after, x_after, gamma_after = g, x, gamma
mean_after, var_after = running_mean, running_var"""
RECALIBRATE = "mean, var = recalibrate([x_1, x_2, x_3])"
RECALIBRATE_ONCE = """batches = (batch for batch in (x_1, x_2, x_3))
mean, var = recalibrate(batches)
x_1_after, x_3_after = x_1, x_3"""
FOLD = "new_weight, new_bias = fold(weight, bias, gamma, beta, running_mean, running_var, eps)"
FOLD_AND_USE = """new_weight, new_bias = fold(weight, bias, gamma, beta, running_mean, running_var, eps)
y = x @ new_weight + new_bias
weight_after, gamma_after, mean_after = weight, gamma, running_mean"""
MERGE = "count, mean, var = merge(count_a, mean_a, var_a, count_b, mean_b, var_b)"
MERGE_TWICE = """count, mean, var = merge(count_a, mean_a, var_a, count_b, mean_b, var_b)
all_count, all_mean, all_var = merge(count_c, mean_c, var_c, count, mean, var)
mean_after, var_after = mean_b, var_b"""
POPULATION = "mean, var = population(counts, means, variances)"


def checks(seed: int) -> list[TaskCheck]:
    """All checks of A4 with the inputs of this seed."""
    return [
        *_running(np.random.default_rng([seed, 41])),
        *_evaluation(np.random.default_rng([seed, 42])),
        *_gradients(np.random.default_rng([seed, 43])),
        *_recalibration(np.random.default_rng([seed, 44])),
        *_folding(np.random.default_rng([seed, 45])),
        *_merging(np.random.default_rng([seed, 46])),
    ]


# ---- what goes in ------------------------------------------------------------------------------------------


def _batch(rng: np.random.Generator, shape: Shape, distance: float = 4.0) -> np.ndarray:
    """Evenly spaced, shuffled at each position and shaken: no two examples are nearly alike."""
    column = np.linspace(-1.5, 1.5, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    values = rng.permuted(np.broadcast_to(column, shape), axis=0) + 0.2 * rng.normal(size=shape)
    spread = rng.uniform(0.7, 2, shape[-1])
    far = distance * rng.uniform(0.5, 1, shape[-1]) * rng.choice([-1, 1], shape[-1])
    return np.round(values * spread + rng.uniform(-2, 2, shape[1:]) + far, 3)


def _away_from_zero(rng: np.random.Generator, n: int, low: float = 0.5, high: float = 2) -> np.ndarray:
    return np.round(rng.uniform(low, high, n) * rng.choice([-1, 1], n), 3)


def _statistics(rng: np.random.Generator, features: int) -> dict[str, np.ndarray]:
    """Running statistics, far from those of any batch."""
    var = np.round(rng.uniform(6, 12, features), 3)
    return {"running_mean": _away_from_zero(rng, features, 7, 9), "running_var": var}


def _layer(rng: np.random.Generator, features: int) -> dict[str, Any]:
    return {
        "gamma": _away_from_zero(rng, features),
        "beta": _away_from_zero(rng, features),
        **_statistics(rng, features),
        "eps": round(float(rng.uniform(0.5, 1.5)), 3),
    }


# ---- task 1 ------------------------------------------------------------------------------------------------


def _running(rng: np.random.Generator) -> list[TaskCheck]:
    def case(shape: Shape, momentum: float | None = None, distance: float = 4.0) -> Case:
        drawn = round(float(rng.uniform(0.15, 0.4)), 3)
        x, statistics = _batch(rng, shape, distance), _statistics(rng, shape[-1])
        inputs = {**statistics, "x": x, "momentum": drawn if momentum is None else momentum}
        mean, var = update(**inputs)
        return Case(UPDATE, inputs, {"new_mean": mean, "new_var": var})

    def twice(shape: Shape) -> Case:
        inputs = {**_statistics(rng, shape[-1]), "x": _batch(rng, shape), "momentum": 0.3}
        x_2 = _batch(rng, shape)
        mean, var = update(**inputs)
        last_mean, last_var = update(mean, var, x_2, 0.3)
        expected = {
            "new_mean": mean, "new_var": var, "last_mean": last_mean, "last_var": last_var,
            "mean_after": inputs["running_mean"], "var_after": inputs["running_var"], "x_after": inputs["x"],
        }
        return Case(UPDATE_TWICE, {**inputs, "x_2": x_2}, expected)

    initial = []
    for features in (int(rng.integers(2, 5)), 1):
        mean, var = initial_statistics(features)
        initial.append(Case(INITIAL, {"features": features}, {"mean": mean, "var": var}))
    dense, maps = ([case(shape) for shape in shapes] for shapes in (DENSE, MAPS))
    calls = [twice(shape) for shape in CALLS]
    others = [case(shape) for shape in ((2, 3), *OTHERS)]
    far = [case(shape, distance=FAR) for shape in ((9, 4), (6, 3, 2, 3))]
    ends = [case(shape, momentum) for shape, momentum in zip(MAPS, (0.0, 1.0), strict=True)]
    return [
        _check(1, "initial_statistics: mean and variance", 3, initial, mistakes.INITIAL),
        _check(1, "update: dense", 4, dense, mistakes.UPDATE),
        _check(1, "update: feature maps", 3, maps, mistakes.UPDATE, told=dense),
        _check(1, "update: nothing else changes", 3, calls, []),
        _hidden(1, "update: other shapes", 3, others, "a batch of 2; two to five axes"),
        _hidden(1, "update: far from zero", 2, far, "values far from zero"),
        _hidden(1, "update: momentum 0 and 1", 2, ends, "momentum 0 and 1"),
    ]


# ---- tasks 2 and 3 -----------------------------------------------------------------------------------------


def _evaluation(rng: np.random.Generator) -> list[TaskCheck]:
    def case(shape: Shape, eps: float | None = None) -> Case:
        inputs = {"x": _batch(rng, shape), **_layer(rng, shape[-1])}
        if eps is not None:
            inputs |= {"eps": eps, "running_var": np.full(shape[-1], 0.0)}
        return Case(OUTPUT, inputs, {"y": evaluation_forward(**inputs)})

    def twice(shape: Shape) -> Case:
        inputs, x_2 = {"x": _batch(rng, shape), **_layer(rng, shape[-1])}, _batch(rng, shape)
        expected = {
            "y": evaluation_forward(**inputs),
            "y_2": evaluation_forward(**{**inputs, "x": x_2}),
            "mean_after": inputs["running_mean"], "var_after": inputs["running_var"],
            "x_after": inputs["x"], "gamma_after": inputs["gamma"], "beta_after": inputs["beta"],
        }
        return Case(OUTPUT_TWICE, {**inputs, "x_2": x_2}, expected)

    dense, maps = ([case(shape) for shape in shapes] for shapes in (DENSE, MAPS))
    calls = [twice(shape) for shape in CALLS]
    single = [case(shape) for shape in ((1, 3), (1, 2, 3, 4), (1, 1))]
    others = [*[case(shape) for shape in OTHERS], case((5, 3), eps=1e-5)]
    return [
        _check(2, "evaluation_forward: dense", 4, dense, mistakes.OUTPUT),
        _check(2, "evaluation_forward: feature maps", 2, maps, mistakes.OUTPUT, told=dense),
        _check(2, "evaluation_forward: nothing else changes", 3, calls, mistakes.CHANGED),
        _hidden(2, "evaluation_forward: a single example", 3, single, "a single example"),
        _hidden(2, "evaluation_forward: other shapes", 3, others, "two to five axes; running variance 0"),
    ]


def _gradients(rng: np.random.Generator) -> list[TaskCheck]:
    def given(shape: Shape) -> dict[str, Any]:
        layer = _layer(rng, shape[-1])
        del layer["beta"]
        return {"g": np.round(rng.normal(size=shape), 3), "x": _batch(rng, shape), **layer}

    def case(shape: Shape) -> Case:
        inputs = given(shape)
        dx, dgamma, dbeta = evaluation_backward(**inputs)
        return Case(GRADIENTS, inputs, {"dx": dx, "dgamma": dgamma, "dbeta": dbeta})

    def twice(shape: Shape) -> Case:
        inputs, g_2 = given(shape), np.round(rng.normal(size=shape), 3)
        dx, dgamma, dbeta = evaluation_backward(**inputs)
        dx_2, dgamma_2, _ = evaluation_backward(**{**inputs, "g": g_2})
        expected = {
            "dx": dx, "dgamma": dgamma, "dbeta": dbeta, "dx_2": dx_2, "dgamma_2": dgamma_2,
            "g_after": inputs["g"], "x_after": inputs["x"], "gamma_after": inputs["gamma"],
            "mean_after": inputs["running_mean"], "var_after": inputs["running_var"],
        }
        return Case(GRADIENTS_TWICE, {**inputs, "g_2": g_2}, expected)

    dense, maps = ([case(shape) for shape in shapes] for shapes in (DENSE, MAPS))
    others, single = [case(shape) for shape in OTHERS], [case(shape) for shape in ((1, 3), (1, 2, 3, 4))]
    calls, topic = [twice(shape) for shape in CALLS], "nothing else changes"
    return [
        _check(3, "evaluation_backward: dense", 4, dense, mistakes.GRADIENTS),
        _check(3, "evaluation_backward: feature maps", 3, maps, mistakes.GRADIENTS),
        _hidden(3, "evaluation_backward: other shapes", 3, others, "g of two to five axes"),
        _hidden(3, "evaluation_backward: a single example", 3, single, "a single example"),
        _hidden(3, "evaluation_backward: two calls", 2, calls, topic),
    ]


# ---- task 4 ------------------------------------------------------------------------------------------------


def _recalibration(rng: np.random.Generator) -> list[TaskCheck]:
    def given(shape: Shape, distance: float = 4.0) -> dict[str, np.ndarray]:
        """Three batches of one population whose means differ."""
        x = _batch(rng, (3 * shape[0], *shape[1:]), distance)
        moved = np.repeat(rng.permutation([-0.5, 0.1, 0.6]), shape[0])
        x = np.round(x + moved.reshape(-1, *[1] * (len(shape) - 1)), 3)
        return {f"x_{i + 1}": part for i, part in enumerate(np.split(x, 3))}

    def case(shape: Shape, distance: float = 4.0) -> Case:
        inputs = given(shape, distance)
        mean, var = recalibrate(inputs.values())
        return Case(RECALIBRATE, inputs, {"mean": mean, "var": var})

    def once(shape: Shape) -> Case:
        inputs = given(shape)
        mean, var = recalibrate(inputs.values())
        after = {"x_1_after": inputs["x_1"], "x_3_after": inputs["x_3"]}
        return Case(RECALIBRATE_ONCE, inputs, {"mean": mean, "var": var, **after})

    dense, maps = ([case(shape) for shape in shapes] for shapes in (CALLS, MAPS))
    stream = [once(shape) for shape in ((4, 3), (3, 2, 3, 2))]
    others = [case((2, 4)), case((4, 3, 5)), case((5, 2, 3, 2), FAR)]
    return [
        _check(4, "recalibrate: dense", 3, dense, mistakes.RECALIBRATE),
        _check(4, "recalibrate: feature maps", 2, maps, mistakes.RECALIBRATE, told=dense),
        _hidden(4, "recalibrate: a generator", 2, stream, "a generator of batches"),
        _hidden(4, "recalibrate: other shapes", 3, others, "small batches; far from zero"),
    ]


# ---- task 5 ------------------------------------------------------------------------------------------------


def _folding(rng: np.random.Generator) -> list[TaskCheck]:
    def given(rows: int, columns: int, bias: bool) -> dict[str, Any]:
        b = _away_from_zero(rng, columns) if bias else None
        return {"weight": np.round(rng.normal(size=(rows, columns)), 3), "bias": b, **_layer(rng, columns)}

    def case(rows: int, columns: int, bias: bool = True) -> Case:
        inputs = given(rows, columns, bias)
        weight, b = fold(**inputs)
        return Case(FOLD, inputs, {"new_weight": weight, "new_bias": b})

    def used(rows: int, columns: int, bias: bool) -> Case:
        inputs, x = given(rows, columns, bias), np.round(rng.normal(size=(4, rows)), 3)
        weight, b = fold(**inputs)
        expected = {
            "y": x @ weight + b, "weight_after": inputs["weight"], "gamma_after": inputs["gamma"],
            "mean_after": inputs["running_mean"],
        }
        return Case(FOLD_AND_USE, {**inputs, "x": x}, expected)

    right = [case(3, 2), case(2, 3), case(2, 2, bias=False)]
    without = [case(4, 3, bias=False), case(3, 5, bias=False)]
    use = [used(3, 4, bias=True), used(4, 4, bias=True), used(5, 2, bias=False)]
    return [
        _check(5, "fold: weight and bias", 7, right, mistakes.FOLD),
        _hidden(5, "fold: without a bias", 4, without, "a Dense without a bias"),
        _hidden(5, "fold: used as a Dense", 4, use, "the folded Dense in use"),
    ]


# ---- task 6 ------------------------------------------------------------------------------------------------


def _merging(rng: np.random.Generator) -> list[TaskCheck]:
    def shard(features: int, count: int, at: np.ndarray) -> dict[str, Any]:
        var = np.round(rng.uniform(0.5, 4, features), 3)
        return {"count": count, "mean": np.round(at + rng.uniform(-3, 3, features), 3), "var": var}

    def named(letter: str, one: dict[str, Any]) -> dict[str, Any]:
        return {f"{name}_{letter}": value for name, value in one.items()}

    def case(features: int, counts: tuple[int, int], distance: float = 4.0) -> Case:
        at = distance * rng.uniform(0.5, 1, features)
        a, b = (shard(features, count, at) for count in counts)
        inputs = {**named("a", a), **named("b", b)}
        return Case(MERGE, inputs, _merged(*merge(**inputs)))

    def twice(features: int, counts: tuple[int, int, int]) -> Case:
        at = rng.uniform(2, 4, features)
        a, b, c = (shard(features, count, at) for count in counts)
        first = merge(*a.values(), *b.values())
        total = _merged(*merge(*c.values(), *first))
        expected = {
            **_merged(*first), **{f"all_{name}": value for name, value in total.items()},
            "mean_after": b["mean"], "var_after": b["var"],
        }
        return Case(MERGE_TWICE, {**named("a", a), **named("b", b), **named("c", c)}, expected)

    def several(features: int, counts: list[int], distance: float = 4.0) -> Case:
        at = distance * rng.uniform(0.5, 1, features)
        shards = [shard(features, count, at) for count in counts]
        inputs = {
            "counts": np.array(counts, np.int64),
            "means": np.stack([one["mean"] for one in shards]),
            "variances": np.stack([one["var"] for one in shards]),
        }
        mean, var = population(**inputs)
        return Case(POPULATION, inputs, {"mean": mean, "var": var})

    n = [int(k) for k in rng.integers(3, 30, 8)]
    unequal = [case(3, (n[0], 3 * n[0] + 1)), case(2, (2 * n[1] + 1, n[1])), case(2, (n[2], n[2] + 2))]
    far = [case(4, (n[3], 2 * n[3] + 1), FAR), case(2, (3_000_000, 100_000 + n[4]), 1e7)]
    empty = [case(3, (0, n[5])), case(2, (n[6], 0)), case(2, (n[6], n[5]))]
    calls = [twice(2, (n[7], n[0] + 40, n[1] + 80)), twice(4, (n[2] + 50, n[3], n[4] + 90))]
    together = [several(2, [n[0], 2 * n[1] + 30, n[2]]), several(3, [n[3], n[4] + 35, n[5], n[6] + 70])]
    many = [several(3, [n[0], 0, n[1] + 40, 1]), several(4, [*n, 100, 2], FAR), several(2, [n[0] + 1])]
    return [
        _check(6, "merge: count, mean and variance", 8, unequal, mistakes.MERGE),
        _check(6, "population: mean and unbiased variance", 5, together, mistakes.POPULATION),
        _hidden(6, "merge: far from zero", 4, far, "means far from zero; millions of values"),
        _hidden(6, "merge: an empty shard", 2, empty, "a shard of count 0"),
        _hidden(6, "merge: three shards", 2, calls, "three shards, one after the other"),
        _hidden(6, "population: many shards", 4, many, "empty or single shards; far from zero"),
    ]


def _merged(count: int, mean: np.ndarray, var: np.ndarray) -> dict[str, np.ndarray]:
    return {"count": np.array(count, np.int64), "mean": mean, "var": var}


# ---- checks ------------------------------------------------------------------------------------------------


def _check(
    task: int,
    name: str,
    points: float,
    cases: list[Case],
    known: list[tuple[str, Mistake]],
    told: list[Case] | None = None,
) -> TaskCheck:
    return TaskCheck(name, task, points, cases, hints=hints(known, cases, told or []))


def _hidden(task: int, name: str, points: float, cases: list[Case], topic: str) -> TaskCheck:
    return TaskCheck(name, task, points, cases, visible=False, topic=topic)
