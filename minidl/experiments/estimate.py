"""How long a comparison will take, from a few timed steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

import numpy as np

from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.experiments.config import RunConfig
from minidl.experiments.models import build, build_optimizer
from minidl.experiments.run import POINTS, PROBE, VALIDATION
from minidl.layers import Sequential
from minidl.losses import cross_entropy
from minidl.optim import SGD
from minidl.training.evaluate import POPULATION

TEST = 10_000   # test images of each data set that there is
_WHILE = 0.1    # seconds for each figure


def estimate_seconds(configs: Sequence[RunConfig], workers: int, executor: Executor | None = None) -> float:
    """How long a comparison will take: a few steps of each kind of network are timed, on random images.

    Args:
        configs: what would be run.
        workers: processes that share them.
        executor: those processes; they are timed all at once, since they slow each other down. None: this
            process is timed alone.

    """
    if executor is None:
        return _work(configs) / workers
    timed = [executor.submit(_work, configs) for _ in range(workers)]
    return float(np.mean([future.result() for future in timed])) / workers


def _work(configs: Sequence[RunConfig]) -> float:
    """The seconds that this process would need for all of it."""
    total = 0.0
    for batch_norm in (False, True):
        same = [c for c in configs if c.batch_norm == batch_norm]
        if not same:
            continue
        model, config = build(same[0]), same[0]
        images = np.random.default_rng(0).random((config.batch_size, 28, 28, 1), np.float32)
        labels = np.arange(config.batch_size) % 10
        optimizer = build_optimizer(config, model)
        with np.errstate(over="ignore", invalid="ignore"):  # a large rate may diverge, in the runs as here
            step = _typical(partial(_timed_step, model, optimizer, images, labels))
        probe = np.random.default_rng(0).random((PROBE, 28, 28, 1), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            forward = _typical(partial(_timed_forward, model, probe)) / PROBE
        seen = POINTS * (VALIDATION + PROBE + batch_norm * POPULATION) + batch_norm * POPULATION + TEST
        total += sum(c.steps * step + seen * forward for c in same)
    return total


def _typical(measure: Callable[[], float]) -> float:
    """The median of what is measured again and again for a while; the first time is for warming up."""
    measure()
    begin, times = time.perf_counter(), [measure()]
    while time.perf_counter() - begin < _WHILE:
        times.append(measure())
    return float(np.median(times))


def _timed_step(model: Sequential, optimizer: SGD, images: Array, labels: Array) -> float:
    begin = time.perf_counter()
    with Tape() as tape:
        loss = cross_entropy(model(images), labels)
    tape.backward(loss)
    optimizer.step()
    return time.perf_counter() - begin


def _timed_forward(model: Sequential, images: Array) -> float:
    begin = time.perf_counter()
    with model.evaluating():
        model(images)
    return time.perf_counter() - begin
