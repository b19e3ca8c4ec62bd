"""The same seed gives the same bits twice in a row: in one process, and in fresh ones on two threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU, Sequential


def trained(seed):
    """Everything that a training leaves behind, as bytes by name: fit with shuffling, dropout and a CNN."""
    rng = np.random.default_rng(7)
    images, labels = rng.random((90, 10, 10, 1), np.float32), rng.integers(0, 3, 90)
    model = Sequential(
        Conv2D(1, 4, 3, bias=False), BatchNorm(4), ReLU(), MaxPool2D(2),
        Flatten(), Dropout(0.3), Dense(64, 16), ReLU(), Dropout(0.5), Dense(16, 3),
        seed=seed,
    )
    optimizer = dl.optim.Adam(model.parameters(), lr=0.01)
    history = dl.fit(
        model, (images[:70], labels[:70]), optimizer=optimizer, validation=(images[70:], labels[70:]),
        batch_size=32, steps=12, validate_every=4, statistics="population", seed=seed, progress=False,
    )
    state = {f"model {name}": np.asarray(a) for name, a in model.state_dict().items()}
    state |= {f"optimizer {name}": np.asarray(a) for name, a in optimizer.state_dict().items()}
    for series in ("train", "validation"):
        for column in ("step", "loss", "accuracy"):
            state[f"{series} {column}"] = np.array(getattr(getattr(history, series), column), np.float64)
    return {name: array.tobytes() for name, array in state.items()}


def test_the_same_seed_gives_the_same_bits_twice_in_a_process():
    first, second = trained(3), trained(3)
    assert len(first["train loss"]) == 8 * 12
    assert len(first["validation loss"]) >= 8 * 3
    assert {name for name in first if first[name] != second[name]} == set()
    other = trained(4)
    assert {"model 0.weight", "model 1.running_mean", "model 9.bias", "train loss"} <= {
        name for name in first if first[name] != other[name]
    }


def test_and_in_two_fresh_processes_whose_convolutions_use_two_threads():
    script = (
        "import hashlib, tests.engine.test_reproducible as t\n"
        "for name, array in t.trained(3).items(): print(name, hashlib.sha256(array).hexdigest())"
    )
    threads = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True,
            cwd=Path(__file__).parents[2], env=threads,
        )
        for _ in range(2)
    )
    assert first.stdout.count("\n") > 20
    assert first.stdout == second.stdout
