"""A8: a project. Write a layer, check it, train with it, and write results.json. The handout is README.md.

    python a8.py check                      gradients against central differences, and both modes
    python a8.py train                      MNIST, all arms, rates and seeds: some minutes
    python a8.py train --seeds 1 --steps 200 --data stroke-digits

Choose one of the three projects; leave out what it doesn't need.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Sequential

FEATURES = 100
RATES = (0.5, 2.0, 8.0)
ARMS = ("plain", "BN", "yours")         # yours: name them in the plan


class MeanOnly(dl.Layer):
    """Project 1: y = x - mean + beta in training mode; the running mean in evaluation mode.

    Its sister divides by the standard deviation without taking the mean away. The running statistics are
    buffers: made by self.buffer("running_mean", array), replaced by assignment, never part of a gradient.
    """

    def __init__(self, num_features: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.num_features, self.momentum = num_features, momentum
        self.beta = dl.Parameter(np.zeros(num_features, np.float32))
        self.buffer("running_mean", np.zeros(num_features, np.float32))

    def forward(self, x: dl.Tensor) -> dl.Tensor:
        """(batch, num_features) to the same shape. `self.training` is the mode; ops are in `minidl.ops`."""
        raise NotImplementedError("A8, task 2: MeanOnly.forward(x)")


class NoisyBatchNorm(dl.Layer):
    """Project 3: batch normalization, then noise in training mode, drawn anew at every step.

    For each step and unit a random shift and a random scale (Santurkar et al. 2018, section 2.1), the same
    for all examples of the batch or not: say which. No noise in evaluation mode.
    """

    def __init__(self, num_features: int, shift: float, scale: float, seed: int) -> None:
        super().__init__()
        self.norm = BatchNorm(num_features)
        self.shift, self.scale = shift, scale
        self.generator = np.random.default_rng(seed)

    def forward(self, x: dl.Tensor) -> dl.Tensor:
        """(batch, num_features) to the same shape."""
        raise NotImplementedError("A8, task 2: NoisyBatchNorm.forward(x)")


def network(arm: str, seed: int) -> Sequential:
    """784-100-100-100-10 with sigmoids, with your layer where the arm has it.

    Project 2, BN in some layers, is made here: in the first hidden layer alone, in the last alone, and so on.
    The same seed gives all arms the same initial weights.
    """
    raise NotImplementedError("A8, task 3: network(arm, seed) -> Sequential")


def check() -> None:
    """Your own checks of your layer, loud when one fails: what the handout lists under task 2."""
    raise NotImplementedError("A8, task 2: check()")


# ---- what follows is complete; change it where your plan needs it ------------------------------------------


def run(arm: str, lr: float, seed: int, steps: int, train: Any, test: Any) -> dict[str, Any]:
    """Train one network; its test accuracy on the way, in evaluation mode, with moving averages."""
    model = network(arm, seed)
    history = dl.fit(
        model, train, optimizer=dl.optim.SGD(model.parameters(), lr=lr), steps=steps, seed=seed,
        validation=test, validate_every=max(1, steps // 10), progress=False,
    )
    points = history.validation
    return {
        "arm": arm, "lr": lr, "seed": seed, "stopped": history.stopped,
        "step": list(points.step), "accuracy": list(points.accuracy),
    }


def train_all(options: argparse.Namespace) -> None:
    """Every arm at every rate from every seed; the file is written after each run."""
    train, test = dl.datasets.load(options.data)
    print(f"data: {train.title}")
    results: dict[str, Any] = {"data": train.title, "steps": options.steps, "runs": []}
    for arm in ARMS:
        for lr in RATES:
            for seed in range(options.seeds):
                found = run(arm, lr, seed, options.steps, train, test)
                results["runs"].append(found)
                options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
                print(f"{arm}, lr {lr:g}, seed {seed}: {found['accuracy'][-1]:.1%}, {found['stopped']}")


def main() -> None:
    """Check or train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("check", "train"))
    parser.add_argument("--data", choices=dl.datasets.NAMES, default="mnist")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results.json"))
    options = parser.parse_args()
    if options.what == "check":
        check()
    else:
        train_all(options)


if __name__ == "__main__":
    main()
