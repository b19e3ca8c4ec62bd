"""What goes into an implementation of batch normalization: inputs at which every known wrong one shows.

Nothing here says what should come out, so that a grader may hand a probe to a process it doesn't trust.
What proves nothing is avoided: an upstream gradient of ones (the outputs' sum is constant, so its gradient is
zero), gamma = 1, means that are the same at every position, running statistics near the batch's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.engine.array import Array

OUTPUT, DX, DGAMMA, DBETA = "output", "gradient of x", "gradient of gamma", "gradient of beta"
RUNNING_MEAN, RUNNING_VAR = "running mean", "running variance"
X_AFTERWARDS, UPSTREAM_AFTERWARDS = "x afterwards", "upstream gradient afterwards"
DWEIGHT = "gradient of the weight before"
INITIAL = ("initial gamma", "initial beta", "initial running mean", "initial running variance")

PASS = (OUTPUT, DX, DGAMMA, DBETA)
RUNNING = (RUNNING_MEAN, RUNNING_VAR)

# Far below every tolerance, so that only the settings with a large eps test where eps stands.
TINY, LARGE = 1e-12, 0.5


@dataclass(frozen=True, eq=False)
class Probe:
    """One run of one layer: built, given these parameters and statistics, trained a little, then observed.

    Attributes:
        inputs: each (..., features); they go through the layer one after the other, on one tape.
        upstream: the gradient of each output.
        gamma: (features,), or None for a layer without gamma and beta.
        beta: (features,), or None.
        running_mean: (features,), given to the layer before it runs.
        running_var: (features,).
        training: the mode in which `inputs` run.
        momentum: weight of the new batch, or None for a plain average.
        eps: added to the variance.
        warm_up: batches that run in training mode before.
        weight: (features, features) of a linear map that the inputs go through before; None for none.
        needs_dx: whether the inputs require a gradient.

    """

    inputs: tuple[Array, ...]
    upstream: tuple[Array, ...]
    gamma: Array | None
    beta: Array | None
    running_mean: Array
    running_var: Array
    training: bool
    momentum: float | None
    eps: float
    warm_up: tuple[Array, ...] = ()
    weight: Array | None = None
    needs_dx: bool = True

    @property
    def features(self) -> int:
        """Length of the last axis."""
        return int(self.inputs[0].shape[-1])


@dataclass(frozen=True, eq=False)
class Setting:
    """What is observed of two or more probes; each quantity is one check."""

    name: str
    quantities: tuple[str, ...]
    probes: tuple[Probe, ...]


def keyed(quantity: str, values: Sequence[Any]) -> dict[str, Any]:
    """What each input has for itself, by name: "output", or with two "output 1" and "output 2"."""
    if len(values) == 1:
        return {quantity: values[0]}
    return {f"{quantity} {i}": value for i, value in enumerate(values, start=1)}


def batch_norm_settings(seed: int) -> list[Setting]:
    """All settings for batch normalization; another seed draws other numbers of the same shapes."""
    dense, maps = ((7, 3), (6, 5)), ((4, 3, 2, 5), (5, 2, 4, 3))
    mixed = (dense[0], maps[0])
    two = tuple(f"{quantity} {i}" for i in (1, 2) for quantity in (OUTPUT, DX))
    table: list[tuple[str, tuple[str, ...], tuple[tuple[int, ...], ...], dict[str, Any]]] = [
        ("a new layer", INITIAL, dense, {}),
        ("dense, training", (*PASS, *RUNNING, X_AFTERWARDS, UPSTREAM_AFTERWARDS), dense, {}),
        ("feature maps, training", (*PASS, *RUNNING, X_AFTERWARDS, UPSTREAM_AFTERWARDS), maps, {}),
        ("large eps, training", (OUTPUT, DX, DGAMMA), mixed, {"eps": LARGE}),
        # No gradient at 2: with x_hat = +1 and -1 that of x is zero.
        ("batch of 2, training", (OUTPUT, RUNNING_VAR), ((2, 3), (2, 5)), {}),
        ("batches of 3 and 4, training", (OUTPUT, DX, RUNNING_VAR), ((3, 4), (4, 3)), {}),
        ("several batches, momentum 0.3", RUNNING, mixed, {"momentum": 0.3, "warm_up": (6, 4)}),
        ("several batches, momentum None", RUNNING, mixed, {"momentum": None, "warm_up": (6, 4)}),
        ("dense, evaluation", (*PASS, *RUNNING, X_AFTERWARDS), dense, {"training": False}),
        ("feature maps, evaluation", (*PASS, *RUNNING), maps, {"training": False}),
        ("large eps, evaluation", (OUTPUT, DX, DGAMMA), mixed, {"training": False, "eps": LARGE}),
        ("single example, evaluation", (OUTPUT, DX), ((1, 3), (1, 2, 3, 4)), {"training": False}),
        ("evaluation after training", (OUTPUT,), mixed,
         {"training": False, "momentum": 0.3, "warm_up": (6, 4)}),
        ("without gamma and beta, training", (OUTPUT, DX), mixed, {"affine": False}),
        ("without gamma and beta, evaluation", (OUTPUT, DX), mixed, {"affine": False, "training": False}),
        ("behind another layer, training", (DWEIGHT,), mixed, {"linear": True}),
        ("behind another layer, evaluation", (DWEIGHT,), mixed, {"linear": True, "training": False}),
        ("x without gradient, training", (DGAMMA, DBETA), mixed, {"needs_dx": False}),
        ("two inputs, training", (*two, DGAMMA, DBETA), mixed, {"count": 2}),
    ]
    return [
        Setting(
            name, quantities,
            tuple(_draw(np.random.default_rng([seed, i, j]), shape, **options)
                  for j, shape in enumerate(shapes)),
        )
        for i, (name, quantities, shapes, options) in enumerate(table)
    ]


def _draw(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    *,
    training: bool = True,
    momentum: float | None = 0.1,
    eps: float = TINY,
    affine: bool = True,
    linear: bool = False,
    needs_dx: bool = True,
    warm_up: Sequence[int] = (),
    count: int = 1,
) -> Probe:
    features = shape[-1]
    means, spreads = rng.uniform(-4, 4, shape[1:]), rng.uniform(0.7, 2, features)

    def batch(n: int) -> Array:
        # Evenly spaced, shuffled at each position, shaken: no two examples of a small batch are nearly alike.
        column = np.linspace(-1.5, 1.5, n).reshape(n, *[1] * (len(shape) - 1))
        values = rng.permuted(np.broadcast_to(column, (n, *shape[1:])), axis=0)
        return _locked((values + 0.2 * rng.normal(size=values.shape)) * spreads + means)

    def away_from_zero(low: float, high: float) -> Array:
        return _locked(rng.uniform(low, high, features) * rng.choice([-1, 1], features))

    gamma, beta = away_from_zero(0.5, 2), away_from_zero(0.5, 2)
    return Probe(
        inputs=tuple(batch(shape[0]) for _ in range(count)),
        upstream=tuple(_locked(rng.normal(size=shape)) for _ in range(count)),
        gamma=gamma if affine else None,
        beta=beta if affine else None,
        running_mean=away_from_zero(7, 9),
        running_var=_locked(rng.uniform(6, 12, features)),
        training=training,
        momentum=momentum,
        eps=eps,
        warm_up=tuple(batch(n) for n in warm_up),
        weight=_locked(rng.normal(size=(features, features))) if linear else None,
        needs_dx=needs_dx,
    )


def _locked(array: Array) -> Array:
    array.flags.writeable = False
    return array
