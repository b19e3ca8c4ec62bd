"""Gamma and beta: is a normalised sigmoid network without them more than a linear map.

Normalised to mean 0 and variance 1, most inputs lie where a sigmoid is nearly straight. So the network
without gamma and beta is held against one with them, and against a linear classifier; and the best linear map
from pixels to logits is held against the network itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from minidl.engine.array import Array
from minidl.experiments.lab.arms import median, reports_of, score
from minidl.experiments.lab.choice import beyond, choice_jobs, chosen, edge_notes
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import CHOICE, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import accuracy, data_of, points, train
from minidl.instruments import probe
from minidl.layers import BatchNorm
from minidl.training import recalibrated
from minidl.training.evaluate import POPULATION

AFFINE, NONE, LINEAR = "gamma and beta", "neither", "linear classifier"
ARMS = (AFFINE, NONE, LINEAR)
RATES = (0.03, 0.125, 0.5, 2.0)
FIT = 5_000         # images on which the linear map is fitted; as many others, on which it is judged
ALIVE = 1e-6        # variance of a pixel below which it tells nothing


def choices(scale: Scale, data: str) -> list[Job]:
    """The same rates for every arm."""
    fixed = {"data": data, "steps": _steps(scale)}
    return [job for arm in ARMS for job in choice_jobs("gamma-beta", arm, {"lr": RATES}, scale, **fixed)]


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return [job for arm in ARMS for job in beyond(records, arm)]


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm at its best rate."""
    fixed = {"data": data, "steps": _steps(scale)}
    return [
        job for arm in ARMS
        for job in reports_of(
            "gamma-beta", arm, scale.mlp_seeds, chosen(records, arm, ("lr",)).settings, **fixed
        )
    ]


def network(job: Job) -> Network:
    """What a job trains; a linear classifier has no hidden layer."""
    return Network(depth=0, init="Glorot") if job.arm == LINEAR else Network(batch_norm=True)


def run(job: Job) -> Result:
    """Train one network; hold its logits against the best linear map of the pixels."""
    settings = job.settings
    data = data_of(settings["data"])
    model = build(network(job), job.seed, partial(BatchNorm, affine=job.arm == AFFINE))
    trained = train(model, data.train, lr=settings["lr"], steps=settings["steps"], seed=job.seed)
    if job.purpose == CHOICE:
        return score(model, data, trained)
    values = {"test": points(accuracy(model, data.test, data.train), trained.finite)}
    if job.arm == LINEAR or not trained.finite:
        return values, {}
    with recalibrated(model, data.train[:POPULATION]), model.evaluating():
        size = min(FIT, len(data.train) // 2)
        images = data.train.images[: 2 * size]
        logits = np.concatenate([model(images[i : i + 1000]).data for i in range(0, len(images), 1000)])
        inputs = [r.inputs[0].data for r in probe(model, data.probe).find(op="sigmoid")]
    values["linear R2"] = linear_r2(images.reshape(len(images), -1), logits)
    values["share of |x| < 1"] = float(np.mean([np.mean(np.abs(x) < 1) for x in inputs]))
    gammas = [np.abs(p.data) for name, p in model.named_parameters() if name.endswith("gamma")]
    values["gamma"] = float(np.mean([g.mean() for g in gammas])) if gammas else 1.0
    return values, {"gammas": [np.percentile(g, (5, 25, 50, 75, 95)) for g in gammas]}


def linear_r2(pixels: Array, logits: Array) -> float:
    """R squared of the best linear map from pixels to logits, judged on the half that it wasn't fitted on.

    Args:
        pixels: (n, features); those that hardly vary are left out.
        logits: (n, classes).

    """
    half = len(pixels) // 2
    fit = pixels[:half].astype(np.float64)
    used = fit.var(axis=0) > ALIVE
    mean = fit[:, used].mean(axis=0)
    target = logits.astype(np.float64)
    offset = target[:half].mean(axis=0)
    weights, *_ = np.linalg.lstsq(fit[:, used] - mean, target[:half] - offset, rcond=None)
    rest = target[half:] - offset - (pixels[half:][:, used].astype(np.float64) - mean) @ weights
    total = target[half:] - target[half:].mean(axis=0)
    return float(1 - (rest**2).sum() / (total**2).sum())


def analyse(records: Sequence[Record]) -> Analysis:
    """Affine against none, and none against linear."""
    test = {arm: values_of(records, arm, "test") for arm in ARMS}
    notes = [note for arm in ARMS for note in edge_notes(chosen(records, arm, ("lr",)), arm)]
    numbers = {f"test accuracy, {arm}": (median(test[arm]), "%") for arm in ARMS}
    for arm in (AFFINE, NONE):
        for name in ("linear R2", "share of |x| < 1", "gamma"):
            found = [r.values[name] for r in records if r.job.arm == arm and name in r.values]
            if found:
                numbers[f"{name}, {arm}"] = median(found), ""
    contrasts = {
        "affine is better": list(test[AFFINE] - test[NONE]),
        "without them no better than linear": list(test[LINEAR] - test[NONE]),
    }
    return Analysis(contrasts, {}, numbers, notes)


def _steps(scale: Scale) -> int:
    return scale.of(300, 5_000, 20_000)
