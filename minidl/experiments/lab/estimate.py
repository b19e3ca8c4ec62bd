"""How long an experiment will take, from a few timed steps of each kind of network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minidl.engine.tape import Tape
from minidl.experiments.lab.jobs import REPORT, Job, module_of
from minidl.experiments.lab.mini_batch_statistics import COMPANY, DETACHED, NOISY_BATCHES, REFRESH
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.test_time import USUAL
from minidl.experiments.run import PROBE, VALIDATION
from minidl.losses import cross_entropy
from minidl.optim import SGD
from minidl.training.evaluate import POPULATION

Speed = Callable[[Job], float]
TEST = 10_000       # test images of each data set that there is
TO_LEVEL = 700      # steps after which layer-dependence has most networks at its training loss
GRADIENT = 3 * 500  # a gradient on 500 images costs as much as looking at three times as many
# What is measured in a reported run: how often, and how many images it looks at each time. A network with BN
# looks at POPULATION more of them for its statistics.
MEASURED = {
    "figure1": (17, PROBE + TEST),
    "covariate-shift": (12, PROBE + 4 * GRADIENT),
    "saturation": (13, PROBE + 2 * GRADIENT),
    "learning-rates": (1, TEST),
    "saturating-nonlinearities": (1, TEST),
    "layer-dependence": (1, 36 * GRADIENT),
    "dropout": (2, TEST),
    "placement": (10, VALIDATION + 300),
    "gamma-beta": (2, TEST),
    "epsilon": (1, 2 * TEST),
    "cnn": (1, 13 * TEST),
    "landscape": (9, 5 * GRADIENT),
}


def measure_speed() -> Speed:
    """A function that estimates the seconds of a job; it times a kind of network when it meets the first."""
    known: dict[tuple[Any, ...], tuple[float, float]] = {}

    def seconds(job: Job) -> float:
        made: Network = module_of(job.experiment).network(job)
        # What hardly changes the time is no kind of its own.
        kind = replace(made, init="Glorot", placement="before", activation="relu", bias=False)
        batch = int(job.settings.get("batch_size", 60))
        if (kind, batch) not in known:
            known[kind, batch] = _times(kind, batch)
        step, image = known[kind, batch]
        return float(_steps(job) * step + images_beside(job, made.batch_norm) * image)

    return seconds


def estimate(jobs: Sequence[Job], speed: Speed) -> float:
    """The seconds that all jobs take one after the other, on one thread."""
    return sum(speed(job) for job in jobs)


def images_beside(job: Job, batch_norm: bool) -> int:
    """How many images go through the network of a job beside those that it learns from."""
    size = int(job.settings.get("batch_size", 60))
    population = POPULATION * batch_norm
    refreshed = _steps(job) * POPULATION // REFRESH if job.arm == DETACHED else 0
    if job.purpose != REPORT:
        return VALIDATION + population + refreshed
    if job.experiment == "mini-batch-statistics":
        return 2 * TEST + population + refreshed + (100 * COMPANY + NOISY_BATCHES) * size
    if job.experiment == "test-time":
        usual = 9 * (POPULATION + VALIDATION) + 3 * TEST if job.arm == USUAL else 0
        return 8 * VALIDATION + 2 * TEST + usual
    times, images = MEASURED[job.experiment]
    return times * (images + population)


def _steps(job: Job) -> int:
    steps = int(job.settings["steps"])
    stops_early = job.experiment == "layer-dependence" and job.purpose == REPORT
    return min(steps, TO_LEVEL) if stops_early else steps


def _times(network: Network, batch: int) -> tuple[float, float]:
    """Seconds of a training step, and of an image that is looked at."""
    model = build(network, 0)
    optimizer = SGD(model.parameters(), lr=0.01)
    images = np.random.default_rng(0).random((max(batch, 500), network.image, network.image, 1), np.float32)
    labels = np.arange(batch) % 10

    def step() -> None:
        with Tape() as tape:
            loss = cross_entropy(model(images[:batch]), labels)
        tape.backward(loss)
        optimizer.step()

    return _typical(step), _typical(lambda: model(images)) / len(images)


def _typical(work: Callable[[], Any]) -> float:
    work()
    times: list[float] = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < 0.1 or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))
