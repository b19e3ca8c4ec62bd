"""Dependence between layers: what a change of the first layer's weights does to the layers above it.

Networks of equal training loss; noise of the same relative size in each; with the batch's statistics and with
frozen ones, since batch normalization answers differently. That it doesn't notice a mere scaling of the weights
is no measurement but an identity (the paper, section 3.3), and is shown with its residual.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from minidl.datasets import batches
from minidl.engine.array import Array
from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape
from minidl.engine.tensor import Tensor
from minidl.experiments.lab.arms import (
    ARMS,
    best,
    edge_notes,
    median,
    reports_of,
    score,
    three_choices,
    three_further,
)
from minidl.experiments.lab.experiment import Analysis, log2_ratio
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import Data, data_of, train
from minidl.layers import Sequential
from minidl.losses import cross_entropy
from minidl.ops import batch_norm, dense
from minidl.optim import SGD

RATES = (0.125, 0.5, 2.0)
LEVEL = 0.3         # training loss, mean over 50 batches, at which every network is stopped
SIZES = (0.03, 0.1, 0.3)        # of the noise, relative to the weights
SIZE = 0.1          # on which the verdict rests
DRAWS = 5           # of the noise
SCALES = (0.5, 2.0)
BATCH = 500


def choices(scale: Scale, data: str) -> list[Job]:
    """Rates and initial weights for every arm."""
    return three_choices("layer-dependence", scale, RATES, data=data, steps=scale.of(300, 1_500, 5_000))


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return three_further(records)


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm as it was chosen, trained until its loss is at the level."""
    most = scale.of(1_000, 10_000, 20_000)
    return [
        job for arm in ARMS
        for job in reports_of(
            "layer-dependence", arm, scale.mlp_seeds, best(records, arm).settings, data=data, steps=most
        )
    ]


def run(job: Job) -> Result:
    """Train a network to the level; disturb its first layer, and see what the others do."""
    settings = job.settings
    data = data_of(settings["data"])
    model = build(Network(batch_norm=job.arm == BN, init=settings["init"]), job.seed)
    if job.purpose == CHOICE:
        options = {"lr": settings["lr"], "steps": settings["steps"], "seed": job.seed}
        return score(model, data, train(model, data.train, **options))
    steps, loss = _train_to_level(model, data, settings, job.seed)
    values: dict[str, float] = {"steps": steps, "loss": loss}
    noise = np.random.default_rng(job.seed)
    first = model[1].weight
    for mode in ("batch", "frozen"):
        before = _state(model, data, mode)
        for size in SIZES:
            changes = []
            for _ in range(DRAWS):
                direction = noise.normal(size=first.shape)
                direction *= size * np.linalg.norm(first.data) / np.linalg.norm(direction)
                changes.append(_changes(model, data, mode, before, first.data + direction.astype(np.float32)))
            for i, name in enumerate(("activations", "gradients", "loss change")):
                values[f"{name}, noise {size:g}, {mode}"] = float(np.mean([c[i] for c in changes]))
        for factor in SCALES:
            changes = [_changes(model, data, mode, before, first.data * np.float32(factor))]
            for i, name in enumerate(("activations", "gradients", "loss change")):
                values[f"{name}, times {factor:g}, {mode}"] = changes[0][i]
    return values, {}


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


def _state(model: Sequential, data: Data, mode: str) -> tuple[Array, list[Array], float]:
    """Output of the last hidden layer, gradients of all weights but the first, and the loss, on one batch."""
    images, labels = data.train.images[:BATCH], data.train.labels[:BATCH]
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")][1:]
    with ExitStack() as stack:
        stack.enter_context(model.preserved())
        if mode == "frozen":        # at what the moving averages are now
            stack.enter_context(model.evaluating())
        with Tape() as tape:
            loss = cross_entropy(model(images), labels)
    last: Array = tape.find(op="sigmoid")[-1].output.data
    return last, tape.gradients(loss, weights), loss.item()


def _changes(
    model: Sequential, data: Data, mode: str, before: tuple[Array, list[Array], float], weight: Array
) -> tuple[float, float, float]:
    """Relative changes of the last hidden layer and of the later gradients, and the change of the loss."""
    first: Parameter = model[1].weight
    old = np.array(first.data)
    first.data = weight
    try:
        after = _state(model, data, mode)
    finally:
        first.data = old
    spread = before[0] - before[0].mean(axis=0)
    activations = np.linalg.norm(after[0] - before[0]) / np.linalg.norm(spread)
    flat = [np.concatenate([g.ravel() for g in state[1]]) for state in (before, after)]
    gradients = np.linalg.norm(flat[1] - flat[0]) / np.linalg.norm(flat[0])
    return float(activations), float(gradients), after[2] - before[2]


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
    notes = edge_notes(records)
    numbers = {}
    for arm in ARMS:
        loss = values_of(records, arm, "loss")
        numbers[f"training loss when disturbed, {arm}"] = median(loss), ""
        if (loss > LEVEL * 1.1).any():
            notes.append(f"{arm}: {int((loss > LEVEL * 1.1).sum())} networks didn't come down to the level {LEVEL:g}")
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
            name: log2_ratio(*(values_of(records, arm, f"{name}, noise {SIZE:g}, batch") for arm in (plain, BN)))
            for name in ("activations", "gradients")
        }

    return Analysis(against(PLAIN_TUNED), against(PLAIN_PAPER), numbers, notes)
