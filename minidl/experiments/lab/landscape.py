"""The loss landscape: how far the loss and its gradient can be trusted along the gradient's direction.

At steps of the training one batch's loss and gradient are computed again at several points along the negative
gradient (Santurkar et al. 2018, section 3.1), at the same step lengths in all arms. And a network whose
normalised outputs are shifted at random at every step tells whether stable distributions matter at all.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    median,
    reports_of_arms,
    score,
)
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
LENGTHS = (0.05, 0.1, 0.2, 0.4)     # learning rates of the steps along the gradient, alike in all arms
BATCH = 500
LARGE_RATE = 16.0   # at which activations are watched growing
LARGE_STEPS = 20


def choices(scale: Scale, data: str) -> list[Job]:
    """Rates and initial weights for every arm."""
    return choices_of_arms("landscape", scale, RATES, arms=WITH_NOISY, data=data, steps=_steps(scale))


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return further_of_arms(records, WITH_NOISY)


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm as it was chosen."""
    fixed = {"data": data, "steps": _steps(scale)}
    return reports_of_arms("landscape", scale.mlp_seeds, records, WITH_NOISY, **fixed)


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(batch_norm=job.arm in (BN, NOISY), init=job.settings["init"])


def run(job: Job) -> Result:
    """Train one network; look along its gradient on the way."""
    settings = job.settings
    data = data_of(settings["data"])
    model = _model(job)
    options = {"steps": settings["steps"], "seed": job.seed, "lr": settings["lr"]}
    if job.purpose == CHOICE:
        trained = train(model, data.train, **options)
        return score(noiseless(model), data, trained)
    at = [0, *log_spaced(settings["steps"], 8)]
    trained = train(model, data.train, at=at, measure=lambda model, step: along(model, data), **options)
    names = ("loss", "range", "gradient change", "smoothness")
    series = {"steps": trained.steps} | {name: [m[name] for m in trained.measured] for name in names}
    values = {name: float(np.mean(series[name])) for name in names[1:]}
    values["test"] = points(accuracy(noiseless(model), data.test, data.train), trained.finite)
    values["growth"] = _growth(job, data)
    return values, series


def _model(job: Job) -> Sequential:
    return build(network(job), job.seed, NoisyBatchNorm if job.arm == NOISY else BatchNorm)


def along(model: Sequential, data: Data) -> dict[str, float]:
    """Loss and gradient of one batch at points along the negative gradient; the model stays as it is.

    Returns:
        loss: where the network stands. range: of the losses along the way, relative to it. gradient change:
        the largest ‖g' - g‖ / ‖g‖ on the way. smoothness: the largest ‖g' - g‖ over the distance.

    """
    parameters = model.parameters()
    start = [np.array(p.data) for p in parameters]
    loss, gradient = _at(model, data)
    direction = np.split(gradient, np.cumsum([p.size for p in parameters])[:-1])
    size = float(np.linalg.norm(gradient))
    losses, changes, slopes = [loss], [], []
    try:
        for length in LENGTHS:
            for p, old, part in zip(parameters, start, direction, strict=True):
                p.data = (old - length * part.reshape(old.shape)).astype(old.dtype)
            there, other = _at(model, data)
            losses.append(there)
            changes.append(float(np.linalg.norm(other - gradient)) / size)
            slopes.append(float(np.linalg.norm(other - gradient)) / (length * size))
    finally:
        for p, old in zip(parameters, start, strict=True):
            p.data = old
    return {
        "loss": loss, "range": (max(losses) - min(losses)) / loss, "gradient change": max(changes),
        "smoothness": max(slopes),
    }


def _at(model: Sequential, data: Data) -> tuple[float, Array]:
    images, labels = data.train.images[:BATCH], data.train.labels[:BATCH]
    with model.preserved(), Tape() as tape:     # the same noise at each point, too
        loss = cross_entropy(model(images), labels)
    gradients = tape.gradients(loss, model.parameters())
    return loss.item(), np.concatenate([g.ravel().astype(np.float64) for g in gradients])


def _growth(job: Job, data: Data) -> float:
    """How many times as large the last hidden layer's x = Wu + b becomes in a few steps at a large rate."""
    model = _model(job)

    def size() -> float:
        quiet = noiseless(model)
        with recalibrated(quiet, data.train[:POPULATION]):
            x = probe(quiet, data.probe).find(op="dense")[-2].output.data
        return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))

    first = size()
    train(model, data.train, lr=LARGE_RATE, steps=LARGE_STEPS, seed=job.seed)
    return size() / first


def analyse(records: Sequence[Record]) -> Analysis:
    """Range of the loss and change of the gradient, plain over BN; and noisy BN against plain."""
    numbers = {}
    for arm in WITH_NOISY:
        numbers[f"test accuracy, {chosen_text(records, arm)}"] = median(values_of(records, arm, "test")), "%"
        for name in ("range", "gradient change", "smoothness", "growth"):
            numbers[f"{name}, {arm}"] = median(values_of(records, arm, name)), ""

    def against(plain: str) -> dict[str, list[float]]:
        ranges = [values_of(records, arm, "range") for arm in (plain, BN)]
        changes = [values_of(records, arm, "gradient change") for arm in (plain, BN)]
        noisy = values_of(records, NOISY, "test") - values_of(records, plain, "test")
        return {
            "loss along the gradient": log2_ratio(*ranges),
            "predictive gradients": log2_ratio(*changes),
            "not by stable distributions": list(noisy),
        }

    return Analysis(against(PLAIN_TUNED), against(PLAIN_PAPER), numbers, choice_notes(records, WITH_NOISY))


def _steps(scale: Scale) -> int:
    return scale.of(300, 2_000, 10_000)
