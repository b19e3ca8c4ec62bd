"""A6, the model solution: as a student would hand it in, with a third arm for the rubric's figures.

    python run.py --out results.json      MNIST, 3,000 steps, 3 seeds, 3 arms: a minute
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Dense, Flatten, Sequential, Sigmoid

ARMS = ("plain", "BN", "plain, Glorot x 4")
LR = 0.5                # the paper doesn't say
STD = 0.1               # of the Gaussian weights; the paper says "small"
THRESHOLD = 0.5         # of the binary images; the paper doesn't say
BATCH = 60              # as in the paper
UNIT = 0                # of the last hidden layer; the paper shows "one typical sigmoid"
PROBE = 1000            # training images, always the same ones, that the percentiles are taken over
MEASUREMENTS = 24       # of each run, log-spaced


def binary(data: dl.datasets.Dataset, threshold: float) -> dl.datasets.Dataset:
    """The same images in black and white, float32: 1 from the threshold on, 0 below."""
    images = (data.images >= threshold).astype(np.float32)
    return dl.datasets.Dataset(images, data.labels, data.class_names, data.name, data.synthetic)


def network(arm: str, seed: int) -> Sequential:
    """784-100-100-100-10 with sigmoids; in the arm "BN" a BatchNorm in front of each of them.

    The same seed must give both arms the same initial weights.
    """
    init = dl.init.gaussian(STD)
    if arm == "plain, Glorot x 4":
        init = partial(dl.init.glorot_uniform, gain=4)
    layers: list[dl.Layer] = [Flatten()]
    for features in (784, 100, 100):
        layers.append(Dense(features, 100, init=init))
        if arm == "BN":
            layers.append(BatchNorm(100))
        layers.append(Sigmoid())
    return Sequential(*layers, Dense(100, 10, init=init), seed=seed)


def measuring_points(steps: int, count: int) -> list[int]:
    """At most `count` different steps from 1 to `steps`, log-spaced, both ends among them.

    Example:
        >>> measuring_points(1000, 4)
        [1, 10, 100, 1000]

    """
    return sorted({round(step) for step in np.geomspace(1, steps, count)})


def percentiles(values: np.ndarray) -> list[float]:
    """The 15th, 50th and 85th percentile of a unit's inputs, as plain numbers.

    Example:
        >>> percentiles(np.arange(101.0))
        [15.0, 50.0, 85.0]

    """
    return [float(p) for p in np.percentile(values, (15, 50, 85))]


def steps_to_level(steps: list[int], accuracies: list[float], level: float) -> float:
    """The first step of two measurements in a row at or above a level; infinity if there are none.

    Example:
        >>> steps_to_level([1, 10, 100, 1000], [0.1, 0.9, 0.8, 0.95], 0.9)
        inf
        >>> steps_to_level([1, 10, 100, 1000], [0.1, 0.7, 0.91, 0.95], 0.9)
        100

    """
    for i in range(len(steps) - 1):
        if accuracies[i] >= level and accuracies[i + 1] >= level:
            return steps[i]
    return float("inf")


def measure(model: Sequential, train: dl.datasets.Dataset, test: dl.datasets.Dataset) -> dict[str, Any]:
    """What is measured at one step: it changes nothing in the training.

    Population statistics for BN come from training images: `with dl.training.recalibrated(model, images)`.

    Returns:
        {"accuracy": of all test images, "percentiles": of the input to sigmoid UNIT of the last layer}.

    """
    with dl.training.recalibrated(model, train[:10_000]), model.evaluating():
        predicted = [
            model(test.images[i : i + 1000]).data.argmax(axis=1) for i in range(0, len(test), 1000)
        ]
        with dl.Tape() as tape:
            model(train.images[:PROBE])
    last = tape.find(op="sigmoid")[-1]
    return {
        "accuracy": float(np.mean(np.concatenate(predicted) == test.labels)),
        "percentiles": percentiles(last.inputs[0].data[:, UNIT]),
    }


def train_network(
    model: Sequential,
    train: dl.datasets.Dataset,
    test: dl.datasets.Dataset,
    steps: int,
    seed: int,
) -> dict[str, list[Any]]:
    """Your training loop: plain SGD, mini-batches in an order that the seed decides, measured on the way.

    Returns:
        {"step": [...], "accuracy": [...], "percentiles": [[p15, p50, p85], ...]}, lists of one length.

    """
    optimizer = dl.optim.SGD(model.parameters(), lr=LR)
    stream = dl.batches(train, BATCH, epochs=None, seed=seed)
    due = measuring_points(steps, MEASUREMENTS)
    found: dict[str, list[Any]] = {"step": [], "accuracy": [], "percentiles": []}
    for step, (images, labels) in enumerate(islice(stream, steps), start=1):
        with dl.Tape() as tape:
            loss = dl.losses.cross_entropy(model(images), labels)
        tape.backward(loss)
        optimizer.step()
        if step in due:
            found["step"].append(step)
            for name, value in measure(model, train, test).items():
                found[name].append(value)
    return found


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
