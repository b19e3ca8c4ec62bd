"""Dependence between layers: what a change of the first layer's weights does to the layers above it.

Networks of equal training loss; noise of the same relative size in each; with the batch's statistics and with
those of the undisturbed network, since batch normalization answers differently. That it doesn't notice a mere
scaling of the weights is no measurement but an identity (the paper, section 3.3), shown with its residual.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, cast

import numpy as np

from minidl.datasets import batches
from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.engine.tensor import Tensor
from minidl.experiments.lab.arms import (
    ARMS,
    choice_notes,
    choices_of_arms,
    further_of_arms,
    median,
    reports_of_arms,
    score,
)
from minidl.experiments.lab.experiment import Analysis, log2_ratio
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import Data, data_of, train
from minidl.layers import Dense, Sequential
from minidl.losses import cross_entropy
from minidl.ops import batch_norm, dense
from minidl.optim import SGD
from minidl.training import recalibrated
from minidl.training.evaluate import POPULATION

RATES = (0.5, 2.0, 8.0)
LEVEL = 0.3         # training loss, mean over 50 batches, at which every network is stopped
SIZES = (0.03, 0.1, 0.3)        # of the noise, relative to the weights
SIZE = 0.1          # on which the verdict rests
DRAWS = 5           # of the noise
SCALES = (0.5, 2.0)
BATCH = 500

State = tuple[list[Array], list[Array], float]


def choices(scale: Scale, data: str) -> list[Job]:
    """Rates and initial weights for every arm."""
    return choices_of_arms("layer-dependence", scale, RATES, data=data, steps=scale.of(300, 1_500, 5_000))


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return further_of_arms(records)


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm as it was chosen, trained until its loss is at the level."""
    most = scale.of(1_000, 10_000, 20_000)
    return reports_of_arms("layer-dependence", scale.mlp_seeds, records, data=data, steps=most)


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(batch_norm=job.arm == BN, init=job.settings["init"])


def run(job: Job) -> Result:
    """Train a network to the level; disturb its first layer, and see what the others do."""
    settings = job.settings
    data = data_of(settings["data"])
    model = build(network(job), job.seed)
    if job.purpose == CHOICE:
        options = {"lr": settings["lr"], "steps": settings["steps"], "seed": job.seed}
        return score(model, data, train(model, data.train, **options))
    steps, loss = _train_to_level(model, data, settings, job.seed)
    values: dict[str, float] = {"steps": steps, "loss": loss}
    for mode in ("batch", "frozen"):
        with ExitStack() as stack:
            if mode == "frozen":    # at the exact statistics of the undisturbed network
                stack.enter_context(recalibrated(model, data.train[:POPULATION]))
                stack.enter_context(model.evaluating())
            found = _disturbed(model, data, job.seed)
        values |= {f"{what}, {mode}": change for what, change in found.items()}
    return values, {}


def _disturbed(model: Sequential, data: Data, seed: int) -> dict[str, float]:
    """What noise and scaling of the first layer's weights do; the same directions in all arms and modes."""
    noise = np.random.default_rng(seed)
    weight = cast(Dense, model[1]).weight.data
    size_of_weight = np.linalg.norm(weight)
    before = _state(model, data)
    disturbed: dict[str, list[Array]] = {}
    for size in SIZES:
        directions = [noise.normal(size=weight.shape) for _ in range(DRAWS)]
        lengths = [size * size_of_weight / np.linalg.norm(d) for d in directions]
        disturbed[f"noise {size:g}"] = [weight + a * d for a, d in zip(lengths, directions, strict=True)]
    for factor in SCALES:
        disturbed[f"times {factor:g}"] = [weight * factor]
    values = {}
    for what, weights in disturbed.items():
        changes = np.mean([_changes(model, data, before, w.astype(weight.dtype)) for w in weights], axis=0)
        for name, change in zip(("activations", "gradients", "loss change"), changes, strict=True):
            values[f"{name}, {what}"] = float(change)
    return values


def _train_to_level(model: Sequential, data: Data, settings: dict[str, Any], seed: int) -> tuple[int, float]:
    optimizer = SGD(model.parameters(), lr=settings["lr"])
    losses: list[float] = []
    for images, labels in batches(data.train, 60, epochs=100, seed=seed, drop_last=True):
        with Tape() as tape:
            loss = cross_entropy(model(images), labels)
        tape.backward(loss)
        optimizer.step()
        losses.append(loss.item())
        if len(losses) >= settings["steps"] or (len(losses) >= 50 and np.mean(losses[-50:]) <= LEVEL):
            break
    return len(losses), float(np.mean(losses[-50:]))


def _state(model: Sequential, data: Data) -> State:
    """Outputs of the later hidden layers, gradients of all later weights, and the loss, on one batch."""
    images, labels = data.train.images[:BATCH], data.train.labels[:BATCH]
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")][1:]
    with model.preserved(), Tape() as tape:
        loss = cross_entropy(model(images), labels)
    later = [r.output.data for r in tape.find(op="sigmoid")[1:]]
    return later, tape.gradients(loss, weights), loss.item()


def _changes(model: Sequential, data: Data, before: State, weight: Array) -> tuple[float, float, float]:
    """Changes of the later layers over their spread, of the later gradients over them, and of the loss."""
    first = cast(Dense, model[1]).weight
    old = np.array(first.data)
    first.data = weight
    try:
        after = _state(model, data)
    finally:
        first.data = old
    moved = [
        np.linalg.norm(b - a) / np.linalg.norm(a - a.mean(axis=0))
        for a, b in zip(before[0], after[0], strict=True)
    ]
    flat = [np.concatenate([g.ravel() for g in state[1]]) for state in (before, after)]
    gradients = np.linalg.norm(flat[1] - flat[0]) / np.linalg.norm(flat[0])
    return float(np.mean(moved)), float(gradients), after[2] - before[2]


def scale_invariance(factor: float, eps: float) -> tuple[float, float]:
    """Residuals of BN((aW)u) = BN(Wu), and of its gradient for aW being 1/a times that for W; in float64.

    Both are identities for eps = 0, and hold for any other up to about eps over the variance.
    """
    rng = np.random.default_rng(0)
    u, W, g = rng.normal(size=(64, 30)), rng.normal(size=(30, 8)), rng.normal(size=(64, 8))
    outputs, gradients = [], []
    for a in (1.0, factor):
        weight = Tensor(a * W, requires_grad=True)
        with Tape() as tape:
            y = batch_norm(dense(u, weight), eps=eps)[0]
        outputs.append(y.data)
        gradients.append(a * tape.gradients(y, [weight], gradient=g)[0])
    return tuple(  # type: ignore[return-value]
        float(np.abs(two - one).max() / np.abs(one).max()) for one, two in (outputs, gradients)
    )


def analyse(records: Sequence[Record]) -> Analysis:
    """Plain over BN under noise, with the batch's statistics, as in training."""
    notes = choice_notes(records)
    numbers = {}
    for arm in ARMS:
        loss = values_of(records, arm, "loss")
        numbers[f"training loss when disturbed, {arm}"] = median(loss), ""
        short = int((~(loss <= LEVEL)).sum())      # NaN, too
        if short:
            notes.append(f"{arm}: {short} networks didn't come down to a training loss of {LEVEL:g}")
        for mode in ("batch", "frozen"):
            for name in ("activations", "gradients", "loss change"):
                for what in (f"noise {SIZE:g}", "times 0.5"):
                    key = f"{name}, {what}, {mode}"
                    numbers[f"{key} statistics, {arm}"] = median(values_of(records, arm, key)), ""
    for eps in (1e-5, 1e-12):
        output, gradient = scale_invariance(2.0, eps)
        numbers[f"residual of BN((2W)u) = BN(Wu), eps {eps:g}"] = output, ""
        numbers[f"residual of the gradient's 1/2, eps {eps:g}"] = gradient, ""

    def against(plain: str) -> dict[str, list[float]]:
        return {
            name: log2_ratio(
                *(values_of(records, arm, f"{name}, noise {SIZE:g}, batch") for arm in (plain, BN))
            )
            for name in ("activations", "gradients")
        }

    return Analysis(against(PLAIN_TUNED), against(PLAIN_PAPER), numbers, notes)
