"""Covariate shift: whether layers see moving distributions, BN holds them still, and it matters.

Three measures. How far the distributions that a layer receives, and its own x = Wu + b, drift, in units of
their spread, beside how far the weights move. Santurkar's: how much a layer's gradient changes because the
layers below it took their step. And noisy BN, whose distributions are moved at random at every step: if shift
did harm, it would have to train badly. It is measured with its noise, and evaluated without.

What a layer receives above a BN is the sigmoid of something with mean beta and standard deviation gamma: that
it drifts less is partly true by construction. Of x = Wu + b, in front of the BN, nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.experiments.lab.arms import (
    NOISY,
    WITH_NOISY,
    choice_notes,
    choices_of_arms,
    chosen_text,
    further_of_arms,
    lost_note,
    median,
    reports_of_arms,
    score,
)
from minidl.experiments.lab.drift import moments, received, total_drift
from minidl.experiments.lab.experiment import Analysis, log2_ratio
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, Job, Record, Result, values_of
from minidl.experiments.lab.layers import NoisyBatchNorm
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.noise import noiseless
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import Data, accuracy, data_of, log_spaced, points, train
from minidl.instruments import probe
from minidl.layers import BatchNorm, Sequential
from minidl.losses import cross_entropy
from minidl.training import recalibrated
from minidl.training.evaluate import POPULATION

RATES = (0.5, 2.0, 8.0)
BATCH = 500         # images on which a gradient is computed
MEASURES = ("drift received", "drift of x", "drift into sigmoid", "moved weights", "1 - cosine", "distance")


def choices(scale: Scale, data: str) -> list[Job]:
    """Rates and initial weights for every arm."""
    return choices_of_arms("covariate-shift", scale, RATES, arms=WITH_NOISY, data=data, steps=_steps(scale))


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return further_of_arms(records, WITH_NOISY)


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm as it was chosen."""
    fixed = {"data": data, "steps": _steps(scale)}
    return reports_of_arms("covariate-shift", scale.mlp_seeds, records, WITH_NOISY, **fixed)


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(batch_norm=job.arm in (BN, NOISY), init=job.settings["init"])


def run(job: Job) -> Result:
    """Train one network; follow its distributions, its weights and Santurkar's measure."""
    settings = job.settings
    data = data_of(settings["data"])
    model = build(network(job), job.seed, NoisyBatchNorm if job.arm == NOISY else BatchNorm)
    options = {"lr": settings["lr"], "steps": settings["steps"], "seed": job.seed}
    if job.purpose == CHOICE:
        trained = train(model, data.train, **options)
        return score(noiseless(model), data, trained)
    trained = train(
        model, data.train, at=log_spaced(settings["steps"]),
        measure=lambda model, step: _look(model, data, settings["lr"]), **options,
    )
    found = trained.measured
    test = points(accuracy(noiseless(model), data.test, data.train), trained.finite)
    if len(found) < 2:      # lost at once
        return {"test": test, **dict.fromkeys(MEASURES, float("nan"))}, {"steps": trained.steps}
    into = total_drift([m["received"] for m in found])
    before = total_drift([m["x"] for m in found])
    after = total_drift([m["into sigmoid"] for m in found])
    moved = np.mean([_moved(a["weights"], b["weights"]) for a, b in pairwise(found)], axis=0)
    shift = np.array([m["shift"] for m in found])       # (points, layers, 2)
    values = {
        "test": test,
        "drift received": float(np.nanmean(into)),
        "drift of x": float(np.nanmean(before)),
        "drift into sigmoid": float(np.nanmean(after)),
        "moved weights": float(np.mean(moved)),
        "1 - cosine": float(np.mean(shift[:, 1:, 0])),
        "distance": float(np.mean(shift[:, 1:, 1])),
    }
    series = {
        "steps": trained.steps, "drift received by layer": into, "drift of x by layer": before,
        "drift into sigmoid by layer": after,
        "moved weights by layer": moved,
        "1 - cosine": shift[:, :, 0], "distance": shift[:, :, 1],
    }
    return values, series


def _look(model: Sequential, data: Data, lr: float) -> dict[str, Any]:
    if any(isinstance(layer, NoisyBatchNorm) for layer in model):
        with model.preserved(), Tape() as tape:     # in training mode: elsewhere it has no noise
            model(data.probe)
    else:
        with recalibrated(model, data.train[:POPULATION]):
            tape = probe(model, data.probe)
    # The x of each hidden layer is what its normalisation, or else its sigmoid, receives.
    normalised = [r for r in tape.records if r.op in ("batch_norm", "batch_norm_inference")]
    sigmoids = tape.find(op="sigmoid")
    return {
        "received": moments(received(tape)),
        "x": moments(normalised or sigmoids),
        "into sigmoid": moments(sigmoids),   # after BN; without one the same as x
        "weights": [np.array(p.data) for p in _weights(model)],
        "shift": gradient_shift(model, data, lr),
    }


def gradient_shift(model: Sequential, data: Data, lr: float) -> list[tuple[float, float]]:
    """Santurkar's measure of each layer: (1 - cosine, relative distance) of two gradients of its weights.

    One with all layers as they are, and one after the layers below took their step (arXiv:1805.11604,
    definition 2.1), on the same images. Of the first layer both are 0.
    """
    weights = _weights(model)
    parameters = model.parameters()
    first = dict(zip(map(id, parameters), _gradients(model, data), strict=True))
    old = {id(p): np.array(p.data) for p in parameters}
    groups = _groups(model)
    result = []
    try:
        for layer, weight in enumerate(weights):
            if layer:
                for p in groups[layer - 1]:
                    p.data = (old[id(p)] - lr * first[id(p)]).astype(p.dtype)
            after = dict(zip(map(id, parameters), _gradients(model, data), strict=True))[id(weight)].ravel()
            before = first[id(weight)].ravel()
            sizes = float(np.linalg.norm(before)), float(np.linalg.norm(after))
            # A gradient that has vanished for good hasn't shifted.
            cosine = float(before @ after) / (sizes[0] * sizes[1]) if any(sizes) else 1.0
            result.append((1 - cosine, float(np.linalg.norm(after - before)) / max(sizes[0], 1e-30)))
    finally:
        for p in parameters:
            p.data = old[id(p)]
    return result


def _gradients(model: Sequential, data: Data) -> list[Array]:
    images, labels = data.train.images[:BATCH], data.train.labels[:BATCH]
    with model.preserved(), Tape() as tape:     # the same noise each time, too
        loss = cross_entropy(model(images), labels)
    return [g.astype(np.float64) for g in tape.gradients(loss, model.parameters())]


def _groups(model: Sequential) -> list[list[Any]]:
    """The parameters of each Dense with those of the BN behind it."""
    groups: list[list[Any]] = []
    for layer in model:
        own = layer.parameters()
        if not own:
            continue
        if isinstance(layer, BatchNorm):
            groups[-1] += own
        else:
            groups.append(own)
    return groups


def _weights(model: Sequential) -> list[Any]:
    return [p for name, p in model.named_parameters() if name.endswith("weight")]


def _moved(before: list[Array], after: list[Array]) -> list[float]:
    """‖ΔW‖ / ‖W‖ of each layer."""
    return [float(np.linalg.norm(b - a) / np.linalg.norm(a)) for a, b in zip(before, after, strict=True)]


def analyse(records: Sequence[Record]) -> Analysis:
    """Drift and gradient shift, plain against BN; and whether random shift does harm."""
    numbers = {}
    for arm in WITH_NOISY:
        numbers[f"test accuracy, {chosen_text(records, arm)}"] = median(values_of(records, arm, "test")), "%"
        for name in MEASURES:
            numbers[f"{name}, {arm}"] = median(values_of(records, arm, name)), ""
    harm = list(values_of(records, BN, "test") - values_of(records, NOISY, "test"))

    def against(plain: str) -> dict[str, list[float]]:
        drifts = [values_of(records, arm, "drift received") for arm in (plain, BN)]
        shifts = [values_of(records, arm, "1 - cosine") for arm in (plain, BN)]
        return {
            "drift of the layer's input": log2_ratio(*drifts),
            "shift of the gradient": list(np.nan_to_num(shifts[0] - shifts[1])),     # 0 for a lost run
            "shift is harmful": harm,
        }

    notes = [
        *choice_notes(records, WITH_NOISY),
        *(note for arm in WITH_NOISY for note in lost_note(arm, values_of(records, arm, "test"))),
        "that what a layer receives drifts less with BN is partly so by construction, of x = Wu + b it isn't",
        "noisy BN's drift is measured with its noise, which moves its distributions anew at every step",
    ]
    return Analysis(against(PLAIN_TUNED), against(PLAIN_PAPER), numbers, notes)


def _steps(scale: Scale) -> int:
    return scale.of(300, 2_000, 10_000)
