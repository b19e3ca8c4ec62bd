"""What the tests of training share: tiny made-up data and a network that learns it in milliseconds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from minidl.layers import BatchNorm, Dense, Dropout, Sequential, Sigmoid

Pair = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def data() -> Pair:
    """64 points of 4 numbers in 3 classes, told apart by a linear map."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(3, 2, (64, 4)).astype(np.float32)
    return inputs, (inputs @ rng.normal(size=(4, 3))).argmax(1)


@pytest.fixture
def build() -> Callable[..., Sequential]:
    def make(seed: int = 0, dropout: float = 0.0) -> Sequential:
        middle = [Dropout(dropout)] if dropout else []
        return Sequential(Dense(4, 8, bias=False), BatchNorm(8), Sigmoid(), *middle, Dense(8, 3), seed=seed)

    return make


@pytest.fixture
def same() -> Callable[..., bool]:
    """Whether two models have the same parameters and buffers, bit for bit."""
    def compare(one: Sequential, other: Sequential) -> bool:
        a, b = one.state_dict(), other.state_dict()
        return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)

    return compare
