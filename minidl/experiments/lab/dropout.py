"""Dropout: can batch normalization replace it? Four arms, over training sets of several sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.experiments.lab.arms import lost_note, median, reports_of, score
from minidl.experiments.lab.choice import beyond, choice_jobs, chosen, edge_notes
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import CHOICE, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import accuracy, data_of, points, train

NEITHER, DROPOUT, BN_ONLY, BOTH = "neither", "dropout", "BN", "both"
ARMS = (NEITHER, DROPOUT, BN_ONLY, BOTH)
WIDTH = 256         # of the hidden layers: wide enough to overfit
DROPPED = (0.1, 0.2, 0.5)
RATES = (0.03, 0.125, 0.5)
# As many trials for the arms that have no dropout rate to choose: learning rates from the same range, denser.
DENSE_RATES = tuple(
    round(rate, 4) for rate in np.geomspace(RATES[0], RATES[-1], len(RATES) * len(DROPPED)).tolist()
)
SIZES = {
    "quick": (1_000,), "default": (1_000, 10_000, 55_000), "full": (1_000, 3_000, 10_000, 30_000, 55_000),
}


def choices(scale: Scale, data: str) -> list[Job]:
    """Learning rates for every arm and size; dropout rates for the arms that drop."""
    jobs = []
    for examples in SIZES[scale.name]:
        for arm in ARMS:
            drops = arm in (DROPOUT, BOTH)
            grid = {"lr": RATES if drops else DENSE_RATES, "dropout": DROPPED if drops else (0.0,)}
            fixed = {"data": data, "examples": examples, "width": WIDTH, "steps": _steps(scale, examples)}
            jobs += choice_jobs("dropout", arm, grid, scale, **fixed)
    return jobs


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the learning rates, where the best is at the edge."""
    return [
        job for examples in sizes(records) for arm in ARMS for job in beyond(records, arm, examples=examples)
    ]


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm and size with what was chosen for it."""
    jobs = []
    for examples in SIZES[scale.name]:
        for arm in ARMS:
            own = chosen(records, arm, ("lr", "dropout"), examples=examples).settings
            fixed = {"data": data, "examples": examples, "width": WIDTH, "steps": _steps(scale, examples)}
            jobs += reports_of("dropout", arm, scale.mlp_seeds, own, **fixed)
    return jobs


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(
        batch_norm=job.arm in (BN_ONLY, BOTH), activation="relu", init="He", width=job.settings["width"],
        dropout=job.settings["dropout"],
    )


def run(job: Job) -> Result:
    """Train one ReLU network on a part of the training set; see how it does there and on the test set."""
    settings = job.settings
    data = data_of(settings["data"], examples=settings["examples"])
    model = build(network(job), job.seed)
    trained = train(model, data.train, lr=settings["lr"], steps=settings["steps"], seed=job.seed)
    if job.purpose == CHOICE:
        return score(model, data, trained)
    test = points(accuracy(model, data.test, data.train), trained.finite)
    seen = points(accuracy(model, data.train[:10_000], data.train), trained.finite)
    return {"test": test, "gap": seen - test}, {}


def analyse(records: Sequence[Record]) -> Analysis:
    """BN alone against dropout alone, against both, and against neither, mean over the sizes."""
    numbers, notes = {}, []
    for examples in sizes(records):
        for arm in ARMS:
            best = chosen(records, arm, ("lr", "dropout"), examples=examples)
            rate = f", dropout {best.settings['dropout']:g}" if best.settings["dropout"] else ""
            for name, text, unit in (
                ("test", "test accuracy", "%"), ("gap", "training minus test accuracy", "points"),
            ):
                values = values_of(records, arm, name, examples=examples)
                numbers[f"{text}, {examples:,} images, {arm}{rate}"] = median(values), unit
            test = values_of(records, arm, "test", examples=examples)
            notes += lost_note(f"{arm}, {examples:,} images", test)
            notes += edge_notes(best, f"{arm}, {examples:,} images")
    mean = {
        arm: np.mean([values_of(records, arm, "test", examples=n) for n in sizes(records)], axis=0)
        for arm in ARMS
    }
    contrasts = {
        "BN instead of dropout": list(mean[BN_ONLY] - mean[DROPOUT]),
        "dropout adds nothing to BN": list(mean[BN_ONLY] - mean[BOTH]),
        "BN does what dropout does": list(mean[BN_ONLY] - mean[NEITHER]),
    }
    return Analysis(contrasts, {}, numbers, notes)


def sizes(records: Sequence[Record]) -> list[int]:
    """The numbers of training images."""
    return sorted({r.job.settings["examples"] for r in records})


def _steps(scale: Scale, examples: int) -> int:
    # 120 epochs of 1,000 images, 6 of all: a large set needs longer before a network begins to overfit.
    return scale.of(200, max(2_000, examples // 10), 20_000)
