"""Training needs no more memory after ten thousand steps than after a hundred."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import numpy as np
import pytest

import minidl as dl
from minidl import Tape
from minidl.layers import BatchNorm, Dense, ReLU, Sequential


class Training:
    """A small network with BN; it keeps a sum of the losses as a tensor, which mustn't hold their tapes."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.x, self.labels = rng.normal(size=(8, 4)).astype(np.float32), rng.integers(0, 3, 8)
        self.model = Sequential(Dense(4, 8, bias=False), BatchNorm(8), ReLU(), Dense(8, 3), seed=0)
        self.optimizer = dl.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        self.total = 0.0

    def run(self, steps):
        for _ in range(steps):
            with Tape() as tape:
                loss = dl.losses.cross_entropy(self.model(self.x), self.labels)
            tape.backward(loss)
            self.optimizer.step()
            self.total += loss


@pytest.fixture
def training():
    """Without the garbage collector, so that a reference cycle counts as a leak."""
    training = Training()
    gc.collect()
    gc.disable()
    training.run(100)
    yield training
    gc.enable()
    assert np.isfinite(training.total.item())


def test_ten_thousand_steps_leave_no_objects_behind(training):
    before = sys.getallocatedblocks()       # an array counts as one, whatever its size
    training.run(10_000)
    assert sys.getallocatedblocks() - before < 1000


def test_memory_is_flat_and_no_two_steps_live_together(training):
    tracemalloc.start()
    try:
        training.run(100)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        training.run(1)
        _, peak_of_one = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        training.run(400)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 4000            # bytes: ten for each step
    assert peak - before < 2 * (peak_of_one - before)
