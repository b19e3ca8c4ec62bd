"""Convolutional networks: one gamma and beta per feature map, one per activation, none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.engine.array import Array
from minidl.experiments.lab.arms import INITS, VARIED, median, reports_of, score
from minidl.experiments.lab.choice import beyond, choice_jobs, chosen, edge_notes
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import CHOICE, Job, Record, Result, values_of
from minidl.experiments.lab.layers import PerActivationBatchNorm
from minidl.experiments.lab.networks import Network, Normalize, build, kernel_size
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import data_of, points, train
from minidl.layers import BatchNorm, Layer, Sequential
from minidl.training import evaluate, recalibrated
from minidl.training.evaluate import POPULATION

PER_MAP, PER_ACTIVATION, NONE = "BN per feature map", "BN per activation", "without BN"
ARMS = (PER_MAP, PER_ACTIVATION, NONE)
RATES = (0.01, 0.03, 0.1, 0.3)
SHIFTS = (1, 2, 3)      # pixels


def choices(scale: Scale, data: str) -> list[Job]:
    """The same rates and initial weights for every arm."""
    grid = {"lr": RATES, "init": INITS["relu"][1:]}
    return [job for arm in ARMS for job in choice_jobs("cnn", arm, grid, scale, **_fixed(scale, data))]


def further_choices(records: Sequence[Record]) -> list[Job]:
    """One step beyond the rates, where the best is at the edge."""
    return [job for arm in ARMS for job in beyond(records, arm)]


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """Each arm as it was chosen."""
    return [
        job for arm in ARMS
        for job in reports_of(
            "cnn", arm, scale.cnn_seeds, chosen(records, arm, VARIED).settings, **_fixed(scale, data)
        )
    ]


def network(job: Job) -> Network:
    """What a job trains."""
    settings = job.settings
    return Network(
        model="cnn", batch_norm=job.arm != NONE, activation="relu", init=settings["init"],
        image=settings["image"], channels=tuple(settings["channels"]),
    )


def run(job: Job) -> Result:
    """Train one network; shift the test images, and see how many it still recognises."""
    settings = job.settings
    data = data_of(settings["data"], image=settings["image"])
    normalize = _per_activation(settings["image"]) if job.arm == PER_ACTIVATION else BatchNorm
    model = build(network(job), job.seed, normalize)
    options = {"lr": settings["lr"], "steps": settings["steps"], "seed": job.seed}
    trained = train(model, data.train, momentum=0.9, **options)
    if job.purpose == CHOICE:
        return score(model, data, trained)
    values: dict[str, float] = {"parameters": sum(p.size for p in model.parameters())}
    with recalibrated(model, data.train[:POPULATION]):
        values["test"] = points(evaluate(model, data.test), trained.finite)
        for shift in SHIFTS:
            moved = [(shifted(data.test.images, *by), data.test.labels) for by in _directions(shift)]
            accuracies = [points(evaluate(model, pair), trained.finite) for pair in moved]
            values[f"shifted by {shift}"] = float(np.mean(accuracies))
    return values, {"maps": _first_gammas(model)}


def _per_activation(image: int) -> Normalize:
    """Makes the normalisations of the two blocks, in their order: they need the maps' sizes too."""
    kernel = kernel_size(image)
    first = image - kernel + 1
    sizes = iter((first, first // 2 - kernel + 1))

    def normalize(maps: int) -> Layer:
        return PerActivationBatchNorm(next(sizes) ** 2 * maps)

    return normalize


def shifted(images: Array, down: int, right: int) -> Array:
    """Images moved by so many pixels; zeros come in.

    Example:
        >>> shifted(np.array([[1.0, 2.0], [3.0, 4.0]])[None, :, :, None], 1, 0)[0, :, :, 0]
        array([[0., 0.],
               [1., 2.]])

    """
    moved = np.zeros_like(images)
    height, width = images.shape[1:3]
    source = images[:, max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    moved[:, max(0, down) : height - max(0, -down), max(0, right) : width - max(0, -right)] = source
    return moved


def _directions(shift: int) -> list[tuple[int, int]]:
    return [(shift, 0), (-shift, 0), (0, shift), (0, -shift)]


def _first_gammas(model: Sequential) -> list[float]:
    gammas = [p.data for name, p in model.named_parameters() if name.endswith("gamma")]
    return [float(g) for g in gammas[0][:64]] if gammas else []


def analyse(records: Sequence[Record]) -> Analysis:
    """Per map against per activation, and against none."""
    test = {arm: values_of(records, arm, "test") for arm in ARMS}
    numbers, notes = {}, []
    for arm in ARMS:
        own = chosen(records, arm, VARIED)
        where = f"{arm}, lr {own.settings['lr']:g}, {own.settings['init']}"
        numbers[f"test accuracy, {where}"] = median(test[arm]), "%"
        numbers[f"parameters, {arm}"] = median(values_of(records, arm, "parameters")), ""
        for shift in SHIFTS:
            moved = values_of(records, arm, f"shifted by {shift}")
            numbers[f"test accuracy, images shifted by {shift}, {arm}"] = median(moved), "%"
        notes += edge_notes(own, arm)
    contrasts = {
        "as good as per activation": list(test[PER_MAP] - test[PER_ACTIVATION]),
        "better than none": list(test[PER_MAP] - test[NONE]),
    }
    return Analysis(contrasts, {}, numbers, notes)


def _fixed(scale: Scale, data: str) -> dict[str, object]:
    return {"data": data, "steps": scale.cnn_steps, "image": scale.image, "channels": scale.channels}
