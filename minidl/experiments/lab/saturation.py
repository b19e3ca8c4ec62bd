"""Saturation: whether the inputs of sigmoids grow, sigmoids die of it, and batch normalization prevents it.

A saturated sigmoid isn't yet a dead one: those that are on one side for nearly all images are counted apart
from those that decide. And a network that has learnt more is more saturated: so the arms are compared at the
same training loss, and at the same step besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.experiments.lab.arms import (
    ARMS,
    best,
    choice_notes,
    choices_of_arms,
    chosen_text,
    further_of_arms,
    median,
    reports_of,
    score,
)
from minidl.experiments.lab.experiment import Analysis, log2_ratio
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, Job, Record, Result, of_arm
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import Data, accuracy, data_of, log_spaced, points, train
from minidl.instruments import probe, saturation
from minidl.layers import Sequential
from minidl.losses import cross_entropy
from minidl.training import recalibrated
from minidl.training.evaluate import POPULATION

RATES = (0.125, 0.5, 2.0, 4.0)
DEPTHS = {"quick": (3, 6), "default": (1, 3, 6, 10), "full": (1, 2, 3, 4, 6, 8, 10)}
MAIN_DEPTH = 3      # the paper's; on it the verdict rests
BINS = np.linspace(-12, 12, 49)


def choices(scale: Scale, data: str) -> list[Job]:
    """Rates and initial weights for each depth, as a deep plain network wants others than a shallow one."""
    return [
        job for depth in DEPTHS[scale.name]
        for job in choices_of_arms("saturation", scale, RATES, data=data, depth=depth, steps=_steps(scale))
    ]


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return [job for depth in _depths(records) for job in further_of_arms(records, depth=depth)]


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm at each depth, with what was chosen for it there."""
    jobs = []
    for depth in DEPTHS[scale.name]:
        for arm in ARMS:
            own = best(records, arm, depth=depth).settings
            seeds = scale.mlp_seeds if depth == MAIN_DEPTH else min(scale.mlp_seeds, 3)
            jobs += reports_of("saturation", arm, seeds, own, data=data, depth=depth, steps=_steps(scale))
    return jobs


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(batch_norm=job.arm == BN, init=job.settings["init"], depth=job.settings["depth"])


def run(job: Job) -> Result:
    """Train one network; measure the inputs and slopes of its sigmoids, and its gradients, on the way."""
    settings = job.settings
    data = data_of(settings["data"])
    model = build(network(job), job.seed)
    options = {"lr": settings["lr"], "steps": settings["steps"], "seed": job.seed}
    if job.purpose == CHOICE:
        return score(model, data, train(model, data.train, **options))
    at = [0, *log_spaced(settings["steps"])]
    trained = train(
        model, data.train, at=at, measure=lambda model, step: _look(model, data), **options
    )
    found = trained.measured
    series: dict[str, Any] = {name: [m[name] for m in found] for name in found[0] if name != "histogram"}
    series |= {"steps": trained.steps, "histogram": found[-1]["histogram"]}
    return {"test": points(accuracy(model, data.test, data.train), trained.finite)}, series


def _look(model: Sequential, data: Data) -> dict[str, Any]:
    """Per layer: the inputs' size, saturated shares, the slope, the gradient's norm; and the probe's loss."""
    with recalibrated(model, data.train[:POPULATION]):
        tape = probe(model, data.probe)
        weights = [p for name, p in model.named_parameters() if name.endswith("weight")]
        with model.evaluating(), Tape() as recorded:
            loss = cross_entropy(model(data.probe), data.train.labels[: len(data.probe)])
    gradients = recorded.gradients(loss, weights)
    sigmoids = tape.find(op="sigmoid")
    sizes = [np.abs(r.inputs[0].data) for r in sigmoids]
    shares = saturation(tape)
    return {
        "loss": loss.item(),
        "median": [float(np.median(a)) for a in sizes],
        "p95": [float(np.percentile(a, 95)) for a in sizes],
        "dead": [s.dead for s in shares],
        "deciding": [s.deciding for s in shares],
        "slope": [float(np.mean(r.output.data * (1 - r.output.data))) for r in sigmoids],
        "gradient": [float(np.linalg.norm(g.astype(np.float64))) for g in gradients],
        "histogram": [_shares(r.inputs[0].data) for r in sigmoids],
    }


def _shares(x: Array) -> Array:
    """Shares of values in BINS; what is larger counts in the outermost ones."""
    counts: Array = np.histogram(np.clip(x, BINS[0], BINS[-1]), BINS)[0]
    return counts / x.size


def at_loss(losses: Sequence[float], values: Sequence[float], level: float) -> float:
    """The value when the loss first came down to a level; between two points linear in the loss.

    Example:
        >>> at_loss([2.0, 1.0, 0.5], [0.0, 10.0, 20.0], level=0.75)
        15.0

    """
    for i, loss in enumerate(losses):
        if loss <= level:
            if i == 0:
                return float(values[0])
            share = (losses[i - 1] - level) / (losses[i - 1] - loss)
            return float(values[i - 1] + share * (values[i] - values[i - 1]))
    return float(values[int(np.nanargmin(losses))])


def analyse(records: Sequence[Record]) -> Analysis:
    """At equal training loss: saturated shares, large inputs, slopes, means over the layers."""
    notes = [note for depth in _depths(records) for note in choice_notes(records, depth=depth)]
    numbers = {}
    for arm in ARMS:
        runs = of_arm(records, arm, depth=MAIN_DEPTH)
        where = chosen_text(records, arm, depth=MAIN_DEPTH)
        numbers[f"test accuracy, {where}"] = median([r.values["test"] for r in runs]), "%"
        for name, text, unit in (
            ("dead", "dead sigmoids at the end", "%"), ("deciding", "saturated and deciding", "%"),
            ("p95", "95th percentile of |x|", ""), ("slope", "mean derivative", ""),
        ):
            values = [np.mean(r.series[name][-1]) for r in runs]
            numbers[f"{text}, {arm}"] = median(values) * (100 if unit else 1), unit
    for plain in (PLAIN_PAPER, PLAIN_TUNED):
        pairs = zip(*(of_arm(records, arm, depth=MAIN_DEPTH) for arm in (plain, BN)), strict=True)
        compared = [common_loss(pair) for pair in pairs]
        numbers[f"training loss of the comparison, {plain} with BN"] = median(compared), "nats"
    notes.append("that saturation slows learning is no contrast; a figure has loss decrease against slope")
    return Analysis(_contrasts(records, PLAIN_TUNED), _contrasts(records, PLAIN_PAPER), numbers, notes)


def essential_series(record: Record) -> dict[str, list[Any]]:
    """Of a run's series what `analyse` reads: means over the layers, of networks of the main depth."""
    if record.job.purpose == CHOICE or record.job.settings["depth"] != MAIN_DEPTH:
        return {}
    means = {
        name: [[float(np.mean(layers))] for layers in record.series[name]]
        for name in ("dead", "deciding", "p95", "slope")
    }
    return {"loss": record.series["loss"], **means}


def common_loss(pair: Sequence[Record]) -> float:
    """The least training loss that all of them came down to."""
    return max(float(np.nanmin(r.series["loss"])) for r in pair)


def _at(record: Record, level: float, name: str) -> float:
    """A measure, mean over the layers, when the training loss first came down to a level."""
    return at_loss(record.series["loss"], [float(np.mean(layers)) for layers in record.series[name]], level)


def _contrasts(records: Sequence[Record], plain: str) -> dict[str, list[float]]:
    pairs = zip(of_arm(records, plain, depth=MAIN_DEPTH), of_arm(records, BN, depth=MAIN_DEPTH), strict=True)
    saturated, large, slopes = [], [], []
    for pair in pairs:
        level = common_loss(pair)
        shares = [_at(r, level, "dead") + _at(r, level, "deciding") for r in pair]
        saturated.append(100 * (shares[0] - shares[1]))
        large.append([_at(r, level, "p95") for r in pair])
        slopes.append([_at(r, level, "slope") for r in pair])
    return {
        "less saturated at equal loss": saturated,
        "smaller inputs at equal loss": log2_ratio(*zip(*large, strict=True)),
        "larger derivative at equal loss": log2_ratio(*list(zip(*slopes, strict=True))[::-1]),
    }


def _steps(scale: Scale) -> int:
    return scale.of(scale.mlp_steps, scale.mlp_steps, 10_000)


def _depths(records: Sequence[Record]) -> list[int]:
    return sorted({r.job.settings["depth"] for r in records})
