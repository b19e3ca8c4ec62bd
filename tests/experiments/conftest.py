"""A data set that is small enough for tests: bars at ten positions, with noise. Synthetic."""

from importlib import import_module

import numpy as np
import pytest

from minidl.datasets import Dataset

run_module = import_module("minidl.experiments.run")  # the package's attribute of that name is the function


def bars(n: int, seed: int) -> Dataset:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, n)
    images = generator.random((n, 28, 28, 1), np.float32) * 0.3
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * label + 3 : 2 * label + 6] += 0.7
    return Dataset(images, labels, tuple("0123456789"), "bars", True)


@pytest.fixture
def small_data(monkeypatch):
    """`run` finds 1,000 + 200 + 200 bars instead of a real data set."""
    train, validation, test = bars(1000, 0), bars(200, 1), bars(200, 2)
    monkeypatch.setattr(run_module, "split", lambda name: (train, validation, test))
