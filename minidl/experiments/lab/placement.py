"""Placement: batch normalization before the activation, as in the paper, or after it; each at its best."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.engine.array import Array
from minidl.experiments.lab.arms import INITS, VARIED, median, reports_of, score
from minidl.experiments.lab.choice import beyond, choice_jobs, chosen, edge_notes
from minidl.experiments.lab.drift import moments, received, total_drift
from minidl.experiments.lab.experiment import Analysis, log2_ratio
from minidl.experiments.lab.jobs import CHOICE, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import accuracy, data_of, log_spaced, points, train
from minidl.experiments.outcome import steps_to
from minidl.instruments import probe
from minidl.layers import Sequential
from minidl.training import evaluate, recalibrated
from minidl.training.evaluate import POPULATION

BEFORE, AFTER = "before", "after"
ACTIVATIONS = ("sigmoid", "tanh", "relu")
MODELS = ("mlp", "cnn")
RATES = (0.03, 0.125, 0.5, 2.0)
LEVEL = 95          # % of the validation images
PROBED = 300        # images on which a distribution is measured; a CNN has many values of each


def choices(scale: Scale, data: str) -> list[Job]:
    """The same rates and initial weights for both: after the activation BN doesn't forgive their scale."""
    jobs = []
    for fixed in _networks(scale, data):
        grid = {"lr": RATES, "init": INITS[fixed["activation"]][1:]}
        for arm in (BEFORE, AFTER):
            jobs += choice_jobs("placement", arm, grid, scale, **fixed)
    return jobs


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return [
        job for model in MODELS for activation in ACTIVATIONS for arm in (BEFORE, AFTER)
        for job in beyond(records, arm, model=model, activation=activation)
    ]


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each at its best rate."""
    jobs = []
    for fixed in _networks(scale, data):
        seeds = scale.mlp_seeds if fixed["model"] == "mlp" else scale.cnn_seeds
        for arm in (BEFORE, AFTER):
            own = chosen(records, arm, VARIED, model=fixed["model"], activation=fixed["activation"])
            jobs += reports_of("placement", arm, seeds, own.settings, **fixed)
    return jobs


def network(job: Job) -> Network:
    """What a job trains."""
    settings = job.settings
    return Network(
        model=settings["model"], batch_norm=True, placement=job.arm, activation=settings["activation"],
        init=settings["init"], image=settings["image"], channels=tuple(settings["channels"]),
    )


def run(job: Job) -> Result:
    """Train one network; follow its accuracy and the distributions that its layers receive."""
    settings = job.settings
    data = data_of(settings["data"], image=settings["image"])
    model = build(network(job), job.seed)
    options = {"lr": settings["lr"], "steps": settings["steps"], "seed": job.seed}
    if job.purpose == CHOICE:
        trained = train(model, data.train, **options)
        return score(model, data, trained)

    def look(model: Sequential, step: int) -> dict[str, object]:
        with recalibrated(model, data.train[:POPULATION]):
            inputs = moments(received(probe(model, data.probe[:PROBED])))
            return {"accuracy": points(evaluate(model, data.validation)), "moments": inputs}

    trained = train(model, data.train, at=log_spaced(settings["steps"], 10), measure=look, **options)
    curve = [m["accuracy"] for m in trained.measured]
    path = [m["moments"] for m in trained.measured]
    values = {
        "test": points(accuracy(model, data.test, data.train), trained.finite),
        f"steps to {LEVEL} %": steps_to(LEVEL, trained.steps, curve),
        "drift": float(np.nanmean(total_drift(path))) if len(path) > 1 else float("nan"),
        "|mean| received": float("nan"), "std received": float("nan"),
    }
    if path:
        values["|mean| received"] = float(np.mean([np.abs(mean).mean() for mean, _ in path[-1]]))
        values["std received"] = float(np.mean([std.mean() for _, std in path[-1]]))
    return values, {"steps": trained.steps, "accuracy": curve}


def analyse(records: Sequence[Record]) -> Analysis:
    """Before minus after, mean over the activations, for both networks; and how much more it drifts after."""
    numbers: dict[str, tuple[float, str]] = {}
    missing: dict[str, list[str]] = {}
    notes = [
        "with BN after the activation what the next layer receives has mean beta and standard deviation "
        "gamma by construction (in the CNN before the pooling): its drift is theirs",
        "the drift of each is at its own best learning rate",
    ]
    for model, activation, arm in itertools.product(MODELS, ACTIVATIONS, (BEFORE, AFTER)):
        fixed = {"model": model, "activation": activation}
        own = chosen(records, arm, VARIED, **fixed)
        where = f"{model.upper()}, {activation}, {arm}"
        for name, text, unit in (
            ("test", f"test accuracy (lr {own.settings['lr']:g}, {own.settings['init']})", "%"),
            (f"steps to {LEVEL} %", f"steps to {LEVEL} % (validation)", "steps"),
            ("drift", "drift of the next layer's input", "spreads"),
            ("|mean| received", "|mean| of the next layer's input", ""),
            ("std received", "standard deviation of the next layer's input", ""),
        ):
            value = median(values_of(records, arm, name, **fixed))
            if math.isfinite(value):
                numbers[f"{text}, {where}"] = value, unit
            else:
                missing.setdefault(text, []).append(where)
        notes += edge_notes(own, where)
    notes += [f"{text}: not in {'; '.join(places)}" for text, places in missing.items()]

    def each(name: str, arm: str, model: str) -> Array:
        return np.array([values_of(records, arm, name, model=model, activation=a) for a in ACTIVATIONS])

    contrasts = {
        name: (each("test", BEFORE, model) - each("test", AFTER, model)).mean(axis=0).tolist()
        for name, model in (("MLP", "mlp"), ("CNN", "cnn"))
    }
    # Ratios first, then their mean: else the activation that drifts most would decide alone.
    drifts = zip(each("drift", AFTER, "mlp"), each("drift", BEFORE, "mlp"), strict=True)
    contrasts["stability"] = np.mean([log2_ratio(after, before) for after, before in drifts], axis=0).tolist()
    return Analysis(contrasts, {}, numbers, notes)


def _networks(scale: Scale, data: str) -> list[dict[str, Any]]:
    steps = {"mlp": scale.of(150, 1_500, 10_000), "cnn": scale.of(60, 600, 3_000)}
    return [
        {
            "model": model, "activation": activation, "data": data, "steps": steps[model],
            "image": 28 if model == "mlp" else scale.image, "channels": scale.channels,
        }
        for model in MODELS for activation in ACTIVATIONS
    ]
