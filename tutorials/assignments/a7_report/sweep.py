"""A7, task 2: train small networks at several learning rates, and write what became of them to runs.json.

    python sweep.py                             MNIST, all rates, arms and seeds: some minutes
    python sweep.py --seeds 1 --steps 200       a quick look
    python sweep.py --data stroke-digits        synthetic digits, where MNIST can't be had

Runs that are in runs.json already aren't repeated: add a rate, start again, and only the new ones run.
Fill in the three functions that raise NotImplementedError. The handout is README.md.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

import minidl as dl
from minidl.layers import Sequential

ARMS = ("plain", "BN")          # yours: say in the plan why these
RATES = (0.5, 2.0)              # yours too
PROBE = 1000                    # training images, always the same ones, that saturation is measured on


def network(arm: str, seed: int) -> Sequential:
    """The network of an arm: three hidden layers of 100 sigmoids, with BN in front of each or without.

    Decide how the weights start, and say it in the report. The same seed gives all arms the same draw.
    """
    raise NotImplementedError("A7, task 2: network(arm, seed) -> Sequential")


def saturation(model: Sequential, images: np.ndarray) -> list[dict[str, float]]:
    """For each layer of sigmoids the shares of its values that are saturated, and that are dead.

    Saturated: an output below 0.05 or above 0.95. Dead: saturated values of units that are on one and the
    same side for at least 99 % of the images; such a unit says nothing about the image. So dead <= saturated.

    Returns:
        [{"saturated": ..., "dead": ...}, ...], a layer each, from the first to the last; shares from 0 to 1.

    """
    raise NotImplementedError("A7, task 2: saturation(model, images) -> one dict a layer")


def outcome(loss: float, accuracy: float) -> str:
    """What became of a run, in one word that you define: a run that failed is a result, and is counted."""
    raise NotImplementedError("A7, task 2: outcome(loss, accuracy) -> a word")


# ---- what follows is complete; change it where your plan needs it ------------------------------------------


def run(arm: str, lr: float, seed: int, steps: int, train: Any, test: Any) -> dict[str, Any]:
    """Train one network and measure it at the end, with population statistics for BN."""
    model = network(arm, seed)
    history = dl.fit(
        model, train, optimizer=dl.optim.SGD(model.parameters(), lr=lr), steps=steps, seed=seed,
        validation=test, validate_every=max(1, steps // 10), statistics="population", progress=False,
    )
    with dl.training.recalibrated(model, train[:10_000]):
        layers = saturation(model, train.images[:PROBE])
    points = history.validation
    loss = points.loss[-1] if history.stopped == "finished" else math.nan
    return {
        "arm": arm, "lr": lr, "seed": seed, "steps": steps,
        "outcome": outcome(loss, points.accuracy[-1]), "accuracy": points.accuracy[-1],
        "curve": {"step": list(points.step), "accuracy": list(points.accuracy)}, "layers": layers,
    }


def main() -> None:
    """Train what isn't in the file yet; write the file after every run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", choices=dl.datasets.NAMES, default="mnist")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs.json"))
    options = parser.parse_args()
    train, test = dl.datasets.load(options.data)
    print(f"data: {train.title}")
    results = {"data": train.title, "runs": []}
    if options.out.exists():
        results = json.loads(options.out.read_text(encoding="utf-8"))
        if results["data"] != train.title:
            raise SystemExit(f"{options.out} holds runs on {results['data']}: use another --out")
    known = {(r["arm"], r["lr"], r["seed"], r["steps"]) for r in results["runs"]}
    for arm in ARMS:
        for lr in RATES:
            for seed in range(options.seeds):
                if (arm, lr, seed, options.steps) not in known:
                    found = run(arm, lr, seed, options.steps, train, test)
                    results["runs"].append(found)
                    options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
                    last = found["layers"][-1]
                    print(
                        f"{arm}, lr {lr:g}, seed {seed}: {found['outcome']}, {found['accuracy']:.1%}; "
                        f"last layer {last['saturated']:.0%} saturated, {last['dead']:.0%} dead"
                    )


if __name__ == "__main__":
    main()
