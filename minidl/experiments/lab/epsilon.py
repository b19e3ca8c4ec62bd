"""Epsilon: what it protects, on features that are constant or nearly so.

BN stands on the raw pixels: at the borders they are constant, and nearly constant next to them, where one
image in thousands has a stroke. With a tiny epsilon such a pixel is divided by next to nothing, and by 0
without any. Besides made-up features of a given spread: how large their outputs and gradients become.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape
from minidl.experiments.lab.arms import median, reports_of
from minidl.experiments.lab.choice import SCORE, beyond, choice_jobs, chosen, edge_notes
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import CHOICE, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import data_of, points, train
from minidl.layers import BatchNorm, Flatten, Sequential
from minidl.training import evaluate, recalibrated
from minidl.training.evaluate import POPULATION

VALUES = (1e-12, 1e-8, 1e-5, 1e-3, 1e-1, 1.0)
WITHOUT = 0.0
SPREADS = (0.0, 1e-6, 1e-4, 1e-2)       # standard deviations of the made-up features
RATES = (0.125, 0.5, 2.0)
USUAL = 1e-5


def arm_of(eps: float) -> str:
    """The arm of a value: "eps 1e-05"."""
    return f"eps {eps:g}"


def choices(scale: Scale, data: str) -> list[Job]:
    """The same rates for every value; without any all are lost."""
    fixed = {"data": data, "steps": _steps(scale)}
    return [
        job for eps in (*VALUES, WITHOUT)
        for job in choice_jobs("epsilon", arm_of(eps), {"lr": RATES}, scale, eps=eps, **fixed)
    ]


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return [job for eps in VALUES for job in beyond(records, arm_of(eps))]


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each value at its best rate."""
    fixed = {"data": data, "steps": _steps(scale)}
    jobs = []
    for eps in (*VALUES, WITHOUT):
        own = chosen(records, arm_of(eps), ("lr",)).settings
        jobs += reports_of("epsilon", arm_of(eps), scale.mlp_seeds, own, eps=eps, **fixed)
    return jobs


def network(job: Job) -> Network:
    """What a job trains, behind the BN on the pixels."""
    return Network(batch_norm=True)


def run(job: Job) -> Result:
    """Train a network with BN on the raw pixels; look at its outputs on nearly constant features."""
    settings = job.settings
    data = data_of(settings["data"])
    normalize = partial(BatchNorm, eps=settings["eps"])
    hidden = build(network(job), job.seed, normalize)
    pixels = normalize(28 * 28)
    model = Sequential(Flatten(), pixels, *hidden[1:])
    trained = train(model, data.train, lr=settings["lr"], steps=settings["steps"], seed=job.seed)
    with recalibrated(model, data.train[:POPULATION]):
        if job.purpose == CHOICE:
            return {SCORE: points(evaluate(model, data.validation), trained.finite)}, {}
        test = points(evaluate(model, data.test), trained.finite)
        with model.evaluating():
            outputs = np.abs(pixels(Flatten()(data.test.images)).data)
    values = {"test": test, "largest normalised pixel": float(outputs.max()), "finite": float(trained.finite)}
    for spread in SPREADS:
        largest, gain = _nearly_constant(spread, normalize(1), job.seed)
        values |= {f"largest output, spread {spread:g}": largest, f"gradient gain, spread {spread:g}": gain}
    return values, {}


def _nearly_constant(spread: float, norm: BatchNorm, seed: int) -> tuple[float, float]:
    """Of 60 values around 0.1 with this standard deviation: the largest output, and |dx| / |dy| of BN."""
    rng = np.random.default_rng(seed)
    x = Parameter(np.full((60, 1), 0.1, np.float32) + (spread * rng.normal(size=(60, 1))).astype(np.float32))
    upstream = rng.normal(size=(60, 1)).astype(np.float32)
    with Tape() as tape:
        y = norm(x)
    gradient = tape.gradients(y, [x], upstream)[0]
    return float(np.abs(y.data).max()), float(np.linalg.norm(gradient) / np.linalg.norm(upstream))


def analyse(records: Sequence[Record]) -> Analysis:
    """The usual value against a tiny one, and against the best of all; and what happens without any."""
    test = {eps: values_of(records, arm_of(eps), "test") for eps in (*VALUES, WITHOUT)}
    # Best on the validation images of the choice, not on the test images.
    best = max(VALUES, key=lambda eps: chosen(records, arm_of(eps), ("lr",)).score)
    numbers = {f"test accuracy, eps {eps:g}": (median(found), "%") for eps, found in test.items()}
    for eps in VALUES:
        largest = values_of(records, arm_of(eps), "largest normalised pixel")
        numbers[f"largest normalised pixel of the test images, eps {eps:g}"] = median(largest), ""
    notes = [
        f"the best value on the validation images is {best:g}",
        "with eps 0 a constant pixel is 0/0: the network is lost at once, and counts as guessing: 10 %",
    ]
    for eps in VALUES:
        notes += edge_notes(chosen(records, arm_of(eps), ("lr",)), arm_of(eps))
    contrasts = {
        "protects": list(test[USUAL] - test[WITHOUT]), "costs nothing": list(test[USUAL] - test[best])
    }
    return Analysis(contrasts, {}, numbers, notes)


def _steps(scale: Scale) -> int:
    return scale.of(200, 1_500, 5_000)
