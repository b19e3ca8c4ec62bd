"""What the shipped recipes reach on real MNIST: slow, one to a few minutes each."""

import os
from dataclasses import replace

import pytest

from minidl.experiments import RECIPES, RunConfig, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "MINIDL_DATASETS" not in os.environ, reason="MINIDL_DATASETS names no folder with real MNIST"
    ),
]

EPOCH = 55_000 // 60


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_mlp_with_batch_normalization_reaches_97_percent_at_step_10_000(seed):
    assert run(replace(RECIPES["mlp"], steps=10_000, seed=seed)).test_accuracy >= 0.97


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_so_does_the_papers_network_as_compare_trains_it(seed):
    assert run(RunConfig(batch_norm=True, steps=10_000, seed=seed)).test_accuracy >= 0.97


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_cnn_with_batch_normalization_reaches_99_percent_after_5_epochs(seed):
    assert run(replace(RECIPES["cnn"], steps=5 * EPOCH, seed=seed)).test_accuracy >= 0.99
