"""A3, all checks: random gamma, beta and upstream gradients, means that depend on the position, N >= 4."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.grading.course.checks import Case, TaskCheck
from minidl.grading.course.hints import Mistake, hints

from . import mistakes, programs
from .solution import forward, input_gradient, parameter_gradients, weighted_backward, weighted_forward

Shape = tuple[int, ...]

DENSE: list[Shape] = [(4, 3), (4, 2)]
MAPS: list[Shape] = [(4, 2, 1, 2), (4, 1, 2, 1)]
CALLS: list[Shape] = [(4, 2), (4, 3)]
OTHERS: list[Shape] = [(6, 1), (4, 3, 5), (5, 3, 4, 2), (4, 2, 3, 2, 4)]
SINGLE = 1e-5       # for float32 arrays


def checks(seed: int) -> list[TaskCheck]:
    """All checks of A3 with the inputs of this seed."""
    return [
        *_forward(np.random.default_rng([seed, 31])),
        *_parameters(np.random.default_rng([seed, 32])),
        *_input(np.random.default_rng([seed, 33])),
        *_weighted(np.random.default_rng([seed, 34])),
    ]


# ---- what goes in ------------------------------------------------------------------------------------------


def _batch(rng: np.random.Generator, shape: Shape, distance: float = 4.0) -> np.ndarray:
    """Evenly spaced, shuffled at each position and shaken: no two examples are nearly alike."""
    column = np.linspace(-1.5, 1.5, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    values = rng.permuted(np.broadcast_to(column, shape), axis=0) + 0.2 * rng.normal(size=shape)
    spread = rng.uniform(0.7, 2, shape[-1])
    far = distance * rng.uniform(0.5, 1, shape[-1]) * rng.choice([-1, 1], shape[-1])
    return np.round(values * spread + rng.uniform(-2, 2, shape[1:]) + far, 3)


def _away_from_zero(rng: np.random.Generator, features: int) -> np.ndarray:
    return np.round(rng.uniform(0.5, 2, features) * rng.choice([-1, 1], features), 3)


def _given(rng: np.random.Generator, shape: Shape, distance: float = 4.0) -> dict[str, Any]:
    return {
        "x": _batch(rng, shape, distance),
        "gamma": _away_from_zero(rng, shape[-1]),
        "beta": _away_from_zero(rng, shape[-1]),
        "eps": round(float(rng.uniform(0.2, 0.6)), 3),
    }


def _upstream(rng: np.random.Generator, shape: Shape) -> dict[str, Any]:
    """g and what `forward` kept; eps is large, so that mean(x_hat ** 2) is clearly below 1."""
    _, (x_hat, inverse, gamma) = forward(**_given(rng, shape))
    return {"g": _gradient(rng, shape), "x_hat": x_hat, "inverse": inverse, "gamma": gamma}


def _gradient(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return np.round(rng.normal(size=shape) + rng.uniform(-1, 1, shape[-1]), 3)


def _weights(rng: np.random.Generator, n: int, zeros: int = 0) -> np.ndarray:
    weights = np.round(rng.permutation(np.linspace(0.3, 3, n)) + rng.uniform(-0.2, 0.2, n), 3)
    weights[rng.permutation(n)[:zeros]] = 0
    return weights


def _single(inputs: dict[str, Any]) -> dict[str, Any]:
    return {k: v.astype(np.float32) if isinstance(v, np.ndarray) else v for k, v in inputs.items()}


def _double(inputs: dict[str, Any]) -> dict[str, Any]:
    return {k: v.astype(np.float64) if isinstance(v, np.ndarray) else v for k, v in inputs.items()}


def _unchanged(names: str, results: str) -> dict[str, Any]:
    """What the programs of "nothing else changes" must say: no, and yes for what is computed."""
    no = {f"{name}_changed": np.int64(0) for name in names.split()} | {"second_call_differs": np.int64(0)}
    return no | {f"{name}_is_computed": np.int64(1) for name in results.split()}


# ---- task 1 ------------------------------------------------------------------------------------------------


def _forward(rng: np.random.Generator) -> list[TaskCheck]:
    def cases(inputs: list[dict[str, Any]]) -> list[Case]:
        return [Case(programs.Y, given, {"y": forward(**_double(given))[0]}) for given in inputs]

    def kept(given: dict[str, Any]) -> Case:
        y, (x_hat, inverse, gamma) = forward(**given)
        return Case(programs.KEPT, given, {"y": y, "x_hat": x_hat, "inverse": inverse, "kept_gamma": gamma})

    def twice(shape: Shape) -> Case:
        given, x_2 = _given(rng, shape), _batch(rng, shape)
        expected = _unchanged("x gamma beta y x_hat inverse", "y")
        return Case(programs.FORWARD_TWICE, {**given, "x_2": x_2}, expected)

    def constant() -> dict[str, Any]:
        given = _given(rng, (7, 3))
        given["x"][:, 1] = 2.5
        return {**given, "eps": 1e-5}

    dense, maps = (cases([_given(rng, shape) for shape in shapes]) for shapes in (DENSE, MAPS))
    keeping = [kept(_given(rng, shape)) for shape in CALLS]
    calls = [twice(shape) for shape in CALLS]
    far = cases([_given(rng, shape, 4e5) for shape in ((9, 4), (6, 3, 2, 3))] + [constant()])
    axes = [kept(_given(rng, shape)) for shape in OTHERS]
    single = cases([_single(_given(rng, shape)) for shape in ((8, 3), (4, 3, 2, 5))])
    return [
        _check(1, "forward: y, dense", 6, dense, mistakes.OUTPUT),
        _check(1, "forward: y, feature maps", 4, maps, mistakes.OUTPUT, told=dense),
        _check(1, "forward: what it keeps for backward", 4, keeping, mistakes.KEPT),
        _check(1, "forward: nothing else changes", 4, calls, mistakes.CHANGED),
        _hidden(1, "forward: far from zero", 5, far, "far from zero; a constant feature"),
        _hidden(1, "forward: other shapes", 4, axes, "x of two to five axes"),
        _hidden(1, "forward: float32", 3, single, "float32 arrays", SINGLE),
    ]


# ---- task 2 ------------------------------------------------------------------------------------------------


def _sums(given: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    given = _double(given)
    return parameter_gradients(given["g"], (given["x_hat"], given["inverse"], given["gamma"]))


def _second(rng: np.random.Generator, shape: Shape) -> dict[str, Any]:
    """A second g, and what another `forward` kept."""
    given = _upstream(rng, shape)
    return {f"{name}_2": given[name] for name in ("g", "x_hat", "inverse")}


def _parameters(rng: np.random.Generator) -> list[TaskCheck]:
    def case(shape: Shape) -> Case:
        given = _upstream(rng, shape)
        dgamma, dbeta = _sums(given)
        return Case(programs.PARAMETERS, given, {"dgamma": dgamma, "dbeta": dbeta})

    def twice(shape: Shape) -> Case:
        expected = _unchanged("g x_hat inverse gamma dgamma dbeta", "dgamma dbeta")
        return Case(programs.PARAMETERS_TWICE, {**_upstream(rng, shape), **_second(rng, shape)}, expected)

    dense, maps, axes = ([case(shape) for shape in shapes] for shapes in (DENSE, MAPS, OTHERS))
    calls = [twice(shape) for shape in CALLS]
    topic = "nothing else changes"
    return [
        _check(2, "parameter_gradients: dense", 4, dense, mistakes.PARAMETERS),
        _check(2, "parameter_gradients: feature maps", 3, maps, mistakes.PARAMETERS, told=dense),
        _hidden(2, "parameter_gradients: other shapes", 4, axes, "g of two to five axes"),
        _hidden(2, "parameter_gradients: two calls", 4, calls, topic),
    ]


# ---- task 3 ------------------------------------------------------------------------------------------------


def _dx(given: dict[str, Any]) -> np.ndarray:
    given = _double(given)
    return input_gradient(given["g"], (given["x_hat"], given["inverse"], given["gamma"]))


def _input(rng: np.random.Generator) -> list[TaskCheck]:
    def cases(inputs: list[dict[str, Any]]) -> list[Case]:
        return [Case(programs.INPUT, given, {"dx": _dx(given)}) for given in inputs]

    def twice(shape: Shape) -> Case:
        expected = _unchanged("g x_hat inverse gamma dx", "dx")
        return Case(programs.INPUT_TWICE, {**_upstream(rng, shape), **_second(rng, shape)}, expected)

    dense, maps = (cases([_upstream(rng, shape) for shape in shapes]) for shapes in (DENSE, MAPS))
    calls = [twice(shape) for shape in CALLS]
    axes = cases([_upstream(rng, shape) for shape in OTHERS])
    single = cases([_single(_upstream(rng, shape)) for shape in ((8, 3), (4, 3, 2, 5))])
    stay = "input_gradient: nothing else changes"
    return [
        _check(3, "input_gradient: dx, dense", 7, dense, mistakes.INPUT),
        _check(3, "input_gradient: dx, feature maps", 5, maps, mistakes.INPUT, told=dense),
        _check(3, stay, 5, calls, mistakes.INPUT_CHANGED),
        _hidden(3, "input_gradient: other shapes", 8, axes, "g of two to five axes"),
        _hidden(3, "input_gradient: float32", 5, single, "float32 arrays", SINGLE),
    ]


# ---- task 4 ------------------------------------------------------------------------------------------------


def _weighted(rng: np.random.Generator) -> list[TaskCheck]:
    def given(shape: Shape, zeros: int = 0, distance: float = 4.0) -> dict[str, Any]:
        return {**_given(rng, shape, distance), "weights": _weights(rng, shape[0], zeros)}

    def kept(shape: Shape) -> Case:
        inputs = given(shape, zeros=1, distance=4e5)
        y, (x_hat, inverse, _, _) = weighted_forward(**inputs)
        return Case(programs.WEIGHTED_KEPT, inputs, {"y": y, "x_hat": x_hat, "inverse": inverse})

    def gradients(shape: Shape, zeros: int = 0) -> Case:
        _, cache = weighted_forward(**given(shape, zeros))
        g = _gradient(rng, shape)
        dx, dgamma, dbeta = weighted_backward(g, cache)
        names = ("x_hat", "inverse", "gamma", "weights")
        inputs = {"g": g, **dict(zip(names, cache, strict=True))}
        return Case(programs.WEIGHTED_GRADIENTS, inputs, {"dx": dx, "dgamma": dgamma, "dbeta": dbeta})

    def twice(shape: Shape) -> Case:
        inputs, x_2 = given(shape), _batch(rng, shape)
        other = {**inputs, "x": x_2}
        (y, cache), (y_2, cache_2) = weighted_forward(**inputs), weighted_forward(**other)
        g, g_2 = _gradient(rng, shape), _gradient(rng, shape)
        more = {
            "x_2": x_2, "g": g, "g_2": g_2, "x_hat_1": cache[0], "inverse_1": cache[1],
            "x_hat_2": cache_2[0], "inverse_2": cache_2[1],
        }
        expected = {
            "y": y, "y_2": y_2, "x_hat": cache[0], "dx": weighted_backward(g, cache)[0],
            "dx_2": weighted_backward(g_2, cache_2)[0], "x_after": inputs["x"], "g_after": g,
            "weights_after": inputs["weights"],
        }
        return Case(programs.WEIGHTED_TWICE, {**inputs, **more}, expected)

    def output(shape: Shape) -> Case:
        inputs = given(shape)
        return Case(programs.WEIGHTED_Y, inputs, {"y": weighted_forward(**inputs)[0]})

    dense, maps = ([output(shape) for shape in shapes] for shapes in (DENSE, MAPS))
    dense_gradients, maps_gradients = ([gradients(shape) for shape in shapes] for shapes in (DENSE, MAPS))
    known, known_gradients = mistakes.WEIGHTED_OUTPUT, mistakes.WEIGHTED_GRADIENTS
    far = [kept(shape) for shape in ((9, 4), (6, 3, 2, 3))]
    axes = [gradients(shape, zeros=1) for shape in ((6, 1), (5, 3, 4), (6, 2, 3, 2))]
    calls = [twice(shape) for shape in ((5, 3), (4, 2, 3, 2))]
    zeros = "weights of zero; far from zero"
    return [
        _check(4, "weighted_forward: dense", 3, dense, known),
        _check(4, "weighted_forward: feature maps", 3, maps, known, told=dense),
        _check(4, "weighted_backward: dense", 4, dense_gradients, known_gradients),
        _check(4, "weighted_backward: feature maps", 3, maps_gradients, known_gradients, dense_gradients),
        _hidden(4, "weighted_forward: weights of zero", 4, far, zeros),
        _hidden(4, "weighted_backward: other shapes", 5, axes, "weights of zero; two to four axes"),
        _hidden(4, "weighted: two calls", 3, calls, "two calls; nothing else changes"),
    ]


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


def _hidden(
    task: int, name: str, points: float, cases: list[Case], topic: str, tolerance: float = 1e-8
) -> TaskCheck:
    return TaskCheck(name, task, points, cases, tolerance, visible=False, topic=topic)
