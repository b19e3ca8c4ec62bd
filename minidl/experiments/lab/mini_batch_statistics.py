"""Mini-batch statistics: what they cost in noise, and what is lost if they take no part in the gradient.

Batches from 2 to 512 at equal numbers of examples. Against them a network whose statistics come from a fixed
part of the training set, refreshed every 10 steps, and are constants for the gradient (the paper, section 2:
the step then undoes itself in the normalisation, and a bias may grow while the loss stands still).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.experiments.lab.arms import median, reports_of, score
from minidl.experiments.lab.choice import beyond, choice_jobs, chosen, edge_notes
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import CHOICE, Job, Record, Result, values_of
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import Data, accuracy, data_of, log_spaced, points, train
from minidl.layers import BatchNorm, Sequential
from minidl.training import recalibrate
from minidl.training.evaluate import POPULATION

BATCH, DETACHED = "mini-batch", "detached training set"
SIZES = {
    "quick": (4, 60, 256), "default": (2, 4, 8, 16, 60, 128, 512),
    "full": (2, 4, 8, 16, 32, 60, 128, 256, 512),
}
PAPER_BATCH = 60         # the paper's batch, at which the arms are compared
RATES = (0.03, 0.125, 0.5, 2.0)
REFRESH = 10        # steps between two refreshments of detached statistics
COMPANY = 20        # different companions in which the same images are shown
NOISY_BATCHES = 200     # on which the noise of the statistics is measured
LAYERS = 3


def choices(scale: Scale, data: str) -> list[Job]:
    """A rate for every batch size, and for the detached statistics."""
    jobs = []
    for size in SIZES[scale.name]:
        fixed = {"data": data, "batch_size": size, "steps": _steps(scale, size)}
        jobs += choice_jobs("mini-batch-statistics", BATCH, {"lr": RATES}, scale, **fixed)
    fixed = {"data": data, "batch_size": PAPER_BATCH, "steps": _steps(scale, PAPER_BATCH)}
    return jobs + choice_jobs("mini-batch-statistics", DETACHED, {"lr": RATES}, scale, **fixed)


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return [job for arm, size in _kinds(records) for job in beyond(records, arm, batch_size=size)]


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each at its best rate."""
    jobs = []
    for arm, size in _kinds(records):
        own = chosen(records, arm, ("lr",), batch_size=size).settings
        fixed = {"data": data, "batch_size": size, "steps": _steps(scale, size)}
        jobs += reports_of("mini-batch-statistics", arm, scale.mlp_seeds, own, **fixed)
    return jobs


def network(job: Job) -> Network:
    """What a job trains.

    With a bias in front of BN in both arms: it is useless, and with detached statistics it may run away.
    """
    return Network(batch_norm=True, bias=True)


def run(job: Job) -> Result:
    """Train one network; measure its statistics' noise, and how a prediction depends on its companions."""
    settings = job.settings
    data = data_of(settings["data"])
    model = build(network(job), job.seed)
    size = settings["batch_size"]
    steps = settings["steps"]
    begin = time.process_time()     # of this process alone: others run beside it
    trained = train(
        model, data.train, lr=settings["lr"], steps=steps, seed=job.seed, batch_size=size,
        before_step=_refresher(model, data) if job.arm == DETACHED else None,
        at=() if job.purpose == CHOICE else log_spaced(steps, 8),
        measure=lambda model, step: {"bias": _largest_bias(model)},
    )
    seconds = time.process_time() - begin
    if job.purpose == CHOICE:
        return score(model, data, trained)
    values = {
        "test": points(accuracy(model, data.test, data.train), trained.finite),
        "own batch": 100 * own_batch_accuracy(model, data, size),
        **noise_of_the_statistics(model, data, size),
        "companions": 100 * changed_by_companions(model, data, size),
        "milliseconds a step": 1000 * seconds / max(1, len(trained.losses)),
        "bias": _largest_bias(model),
    }
    between = zip([0, *trained.steps], trained.steps, strict=False)
    return values, {
        "steps": trained.steps, "bias": [m["bias"] for m in trained.measured],
        "loss": [float(np.mean(trained.losses[begin:end])) for begin, end in between],
    }


def _refresher(model: Sequential, data: Data) -> Callable[[int], None]:
    norms = [layer for _, layer in model.named_layers() if isinstance(layer, BatchNorm)]

    def refresh(step: int) -> None:
        if step % REFRESH == 0 and all(np.isfinite(p.data).all() for p in model.parameters()):
            recalibrate(model, data.train[:POPULATION])
        for norm in norms:
            norm.training = False       # the statistics are constants for the gradient

    return refresh


def _largest_bias(model: Sequential) -> float:
    biases = [p.data for name, p in model.named_parameters() if name.endswith("bias")][:-1]
    return float(max(np.abs(b).max() for b in biases))


def noise_of_the_statistics(model: Sequential, data: Data, size: int) -> dict[str, float]:
    """How much mean and standard deviation differ from batch to batch of training images, in training mode.

    In units of the unit's spread over all batches, mean over a layer's units: "noise of mean, layer 1", ...;
    and "noise", the root of the sum of both squares, mean over the layers. For independent examples that of
    the mean is 1/sqrt(m); from the second layer on they aren't, as the batch has been normalised before.
    """
    rng = np.random.default_rng(0)
    means, variances = [], []
    with model.preserved(), model.evaluating():
        model.train()
        for _ in range(NOISY_BATCHES):
            with Tape() as tape:
                model(data.train.images[rng.integers(len(data.train), size=size)])
            inputs = [r.inputs[0].data for r in tape.find(op="batch_norm")]
            means.append([rows.mean(axis=0, dtype=np.float64) for rows in inputs])
            variances.append([rows.var(axis=0, dtype=np.float64) for rows in inputs])
    mean, variance = np.array(means), np.array(variances)       # (batches, layers, units)
    spread = np.sqrt(variance.mean(axis=0) + mean.var(axis=0))
    of_mean = (mean.std(axis=0) / spread).mean(axis=1)
    of_std = (np.sqrt(variance).std(axis=0) / spread).mean(axis=1)
    values = {"noise": float(np.hypot(of_mean, of_std).mean())}
    for number, noise in enumerate(zip(of_mean, of_std, strict=True), start=1):
        for name, value in zip(("mean", "std"), noise, strict=True):
            values[f"noise of {name}, layer {number}"] = float(value)
    return values


def own_batch_accuracy(model: Sequential, data: Data, size: int) -> float:
    """Accuracy on test images in training mode, each batch with its own statistics."""
    images, labels = data.test.images, data.test.labels
    full = len(images) // size * size
    right = 0
    with model.preserved(), model.evaluating():     # which gives each layer its own mode back
        model.train()
        for start in range(0, full, size):
            logits = model(images[start : start + size]).data
            right += int((logits.argmax(axis=1) == labels[start : start + size]).sum())
    return right / full


def changed_by_companions(model: Sequential, data: Data, size: int) -> float:
    """Share of test images whose predicted class isn't the same in all companies, in training mode."""
    images = data.test.images
    watched = min(100, len(images) // 2)
    rng = np.random.default_rng(0)
    predictions = np.empty((COMPANY, watched), np.int64)
    with model.preserved(), model.evaluating():
        model.train()
        for row in predictions:
            for i in range(watched):
                others = rng.integers(watched, len(images), size - 1)
                row[i] = model(np.concatenate([images[i : i + 1], images[others]])).data[0].argmax()
    return float((predictions != predictions[0]).any(axis=0).mean())


def analyse(records: Sequence[Record]) -> Analysis:
    """Batch statistics against detached ones at batches of 60; the slope of the noise over all sizes."""
    numbers, notes = {}, []
    for arm, size in _kinds(records):
        own = chosen(records, arm, ("lr",), batch_size=size)
        for name, text, unit in (
            ("test", f"test accuracy (lr {own.settings['lr']:g})", "%"),
            ("own batch", "test accuracy with the test batch's own statistics", "%"),
            ("companions", "predictions that depend on the companions", "%"),
            ("noise", "noise of the statistics", "spreads"),
            ("milliseconds a step", "processor time of a training step", "ms"),
            ("bias", "largest |bias| in front of BN", ""),
        ):
            found = values_of(records, arm, name, batch_size=size)
            numbers[f"{text}, {arm}, batch {size}"] = median(found), unit
        notes += edge_notes(own, f"{arm}, batch {size}")
    sizes = [size for arm, size in _kinds(records) if arm == BATCH]
    if 2 in sizes:
        notes.append(
            "in a pair BN makes 1 of one example and -1 of the other, in every unit: only the signs are "
            "left, and from the second layer on the mean of a pair is always the same"
        )
    noise = np.array([values_of(records, BATCH, "noise", batch_size=size) for size in sizes])
    slopes = [_slope(sizes, of_seed) for of_seed in noise.T]
    numbers["slope of log noise over log batch"] = median(slopes), ""
    test = {arm: values_of(records, arm, "test", batch_size=PAPER_BATCH) for arm in (BATCH, DETACHED)}
    contrasts = {
        "gradient through the statistics": list(test[BATCH] - test[DETACHED]),
        "noise falls with the root of m": [0.1 - abs(slope + 0.5) for slope in slopes],
    }
    return Analysis(contrasts, {}, numbers, notes)


def _slope(sizes: Sequence[int], noise: Array) -> float:
    """Of log(noise) over log(size); sizes whose network was lost are left out."""
    known = np.isfinite(noise) & (noise > 0)
    if known.sum() < 2:
        return 0.0
    return float(np.polyfit(np.log(np.array(sizes)[known]), np.log(noise[known]), 1)[0])


def _kinds(records: Sequence[Record]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((r.job.arm, r.job.settings["batch_size"]) for r in records))


def _steps(scale: Scale, size: int) -> int:
    return max(50, scale.of(6_000, 90_000, 600_000) // size)
