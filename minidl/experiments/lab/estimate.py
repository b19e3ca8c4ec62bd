"""How long an experiment will take, from a few timed steps of each kind of network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minidl.engine.tape import Tape
from minidl.experiments.lab.jobs import BN, REPORT, Job
from minidl.experiments.lab.networks import Network, build
from minidl.losses import cross_entropy
from minidl.optim import SGD

Speed = Callable[[Job], float]
LOOKS, IMAGES = 14, 17_000      # measurements of a reported run, and images that each looks at


def measure_speed() -> Speed:
    """A function that estimates the seconds of a job; it times a kind of network when it meets the first."""
    known: dict[tuple[Any, ...], tuple[float, float]] = {}

    def seconds(job: Job) -> float:
        settings = job.settings
        options = {k: settings[k] for k in ("model", "depth", "width", "image", "channels") if k in settings}
        network = Network(batch_norm=job.arm == BN, **options)
        batch = int(settings.get("batch_size", 60))
        key = (network, batch)
        if key not in known:
            known[key] = _times(network, batch)
        step, image = known[key]
        looks = LOOKS if job.purpose == REPORT else 1
        return float(settings.get("steps", 0) * step + looks * IMAGES * image)

    return seconds


def estimate(jobs: Sequence[Job], speed: Speed) -> float:
    """The seconds that all jobs take one after the other, on one thread."""
    return sum(speed(job) for job in jobs)


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
