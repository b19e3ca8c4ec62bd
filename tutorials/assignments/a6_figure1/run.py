"""A6, task 1: train the paper's network without and with BN, and write what Figure 1 needs as plain numbers.

    python run.py                           MNIST; writes results.json
    python run.py --seeds 1 --steps 300     a quick look
    python run.py --data stroke-digits      synthetic digits, where MNIST can't be had

It draws nothing: plot.py does, from results.json alone. The handout is README.md. `python -m doctest run.py`
runs the examples in the docstrings.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import minidl as dl

ARMS = ("plain", "BN")
LR = 0.5                # the paper doesn't say
STD = 0.1               # of the Gaussian weights; the paper says "small"
THRESHOLD = 0.5         # of the binary images; the paper doesn't say
BATCH = 60              # as in the paper
UNIT = 0                # of the last hidden layer; the paper shows "one typical sigmoid"
PROBE = 1000            # training images, always the same ones, that the percentiles are taken over
MEASUREMENTS = 24       # of each run, log-spaced


def binary(data: dl.datasets.Dataset, threshold: float) -> dl.datasets.Dataset:
    """The same images in black and white, float32: 1 from the threshold on, 0 below."""
    raise NotImplementedError("A6, task 1: binary(data, threshold) -> Dataset")


def network(arm: str, seed: int) -> dl.layers.Sequential:
    """784-100-100-100-10 with sigmoids; in the arm "BN" a BatchNorm in front of each of them.

    The same seed must give both arms the same initial weights.
    """
    raise NotImplementedError('A6, task 1: network("plain" or "BN", seed) -> Sequential')


def measuring_points(steps: int, count: int) -> list[int]:
    """At most `count` different steps from 1 to `steps`, log-spaced, both ends among them.

    Example:
        >>> measuring_points(1000, 4)
        [1, 10, 100, 1000]

    """
    raise NotImplementedError("A6, task 1: measuring_points(steps, count) -> list")


def percentiles(values: np.ndarray) -> list[float]:
    """The 15th, 50th and 85th percentile of a unit's inputs, as plain numbers.

    Example:
        >>> percentiles(np.arange(101.0))
        [15.0, 50.0, 85.0]

    """
    raise NotImplementedError("A6, task 1: percentiles(values) -> [p15, p50, p85]")


def steps_to_level(steps: list[int], accuracies: list[float], level: float) -> float:
    """The first step of two measurements in a row at or above a level; infinity if there are none.

    Example:
        >>> steps_to_level([1, 10, 100, 1000], [0.1, 0.9, 0.8, 0.95], 0.9)
        inf
        >>> steps_to_level([1, 10, 100, 1000], [0.1, 0.7, 0.91, 0.95], 0.9)
        100

    """
    raise NotImplementedError("A6, task 1: steps_to_level(steps, accuracies, level) -> step")


def measure(
    model: dl.layers.Sequential, train: dl.datasets.Dataset, test: dl.datasets.Dataset
) -> dict[str, Any]:
    """What is measured at one step: it changes nothing in the training.

    Population statistics for BN come from training images: `with dl.training.recalibrated(model, images)`.

    Returns:
        {"accuracy": of all test images, "percentiles": of the input to sigmoid UNIT of the last layer}.

    """
    raise NotImplementedError("A6, task 1: measure(model, train, test) -> dict")


def train_network(
    model: dl.layers.Sequential,
    train: dl.datasets.Dataset,
    test: dl.datasets.Dataset,
    steps: int,
    seed: int,
) -> dict[str, list[Any]]:
    """Your training loop: plain SGD, mini-batches in an order that the seed decides, measured on the way.

    Returns:
        {"step": [...], "accuracy": [...], "percentiles": [[p15, p50, p85], ...]}, lists of one length.

    """
    raise NotImplementedError("A6, task 1: train_network(model, train, test, steps, seed) -> dict of lists")


# ---- what follows is complete ------------------------------------------------------------------------------


def main() -> None:
    """Train every arm from every seed, print the steps to 90 %, and write results.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", choices=dl.datasets.NAMES, default="mnist")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results.json"))
    options = parser.parse_args()
    train, test = (binary(data, THRESHOLD) for data in dl.datasets.load(options.data))
    print(f"data: {train.title}")
    runs = []
    for arm in ARMS:
        for seed in range(options.seeds):
            found = train_network(network(arm, seed), train, test, options.steps, seed)
            to_90 = steps_to_level(found["step"], found["accuracy"], 0.9)
            print(f"{arm}, seed {seed}: 90 % at step {to_90}, at the end {found['accuracy'][-1]:.1%}")
            runs.append({"arm": arm, "seed": seed, **found})
    settings = {"lr": LR, "std": STD, "threshold": THRESHOLD, "batch": BATCH, "unit": UNIT}
    results = {"data": train.title, "settings": settings, "runs": runs}
    options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(options.out)


if __name__ == "__main__":
    main()
