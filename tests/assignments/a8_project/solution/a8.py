"""A8, a model solution of all three projects; the rubric's figures are its.

    python a8.py check
    python a8.py train --out results.json && python summary.py results.json         MNIST: three minutes
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Dense, Flatten, Sequential, Sigmoid

FEATURES = 100
RATES = (0.5, 2.0, 8.0)
ARMS = (
    "plain", "BN", "mean only", "variance only", "BN in the first layer", "BN in the last layer",
    "noisy BN", "noise alone",
)


class MeanOnly(dl.Layer):
    """y = x - mean + beta; the running mean in evaluation mode."""

    def __init__(self, num_features: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.num_features, self.momentum = num_features, momentum
        self.beta = dl.Parameter(np.zeros(num_features, np.float32))
        self.buffer("running_mean", np.zeros(num_features, np.float32))

    def forward(self, x: dl.Tensor) -> dl.Tensor:
        """(batch, num_features) to the same shape."""
        if not self.training:
            return x - self.running_mean + self.beta
        mean = x.mean(axis=0)
        self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean.data
        return x - mean + self.beta


class VarianceOnly(dl.Layer):
    """y = gamma * x / sqrt(var + eps) + beta: the mean stays."""

    def __init__(self, num_features: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.num_features, self.momentum, self.eps = num_features, momentum, eps
        self.gamma = dl.Parameter(np.ones(num_features, np.float32))
        self.beta = dl.Parameter(np.zeros(num_features, np.float32))
        self.buffer("running_var", np.ones(num_features, np.float32))

    def forward(self, x: dl.Tensor) -> dl.Tensor:
        """(batch, num_features) to the same shape."""
        if not self.training:
            return x * (self.gamma / np.sqrt(self.running_var + np.float32(self.eps))) + self.beta
        var = x.var(axis=0)
        unbiased = var.data * (len(x.data) / (len(x.data) - 1))
        self.running_var = (1 - self.momentum) * self.running_var + self.momentum * unbiased
        return self.gamma * x / dl.ops.sqrt(var + self.eps) + self.beta


class Noise(dl.Layer):
    """A random shift and scale for each unit and step, the same for the whole batch; none in evaluation."""

    def __init__(self, num_features: int, shift: float, scale: float, seed: int) -> None:
        super().__init__()
        self.num_features, self.shift, self.scale, self.seed = num_features, shift, scale, seed
        self.rewind()

    def rewind(self) -> None:
        """Start the noise again, as a gradient check needs."""
        self.generator = np.random.default_rng(self.seed)

    def forward(self, x: dl.Tensor) -> dl.Tensor:
        """(batch, num_features) to the same shape."""
        if not self.training:
            return x
        scale = np.exp(self.generator.normal(0, self.scale, self.num_features)).astype(x.dtype)
        shift = self.generator.normal(0, self.shift, self.num_features).astype(x.dtype)
        return x * scale + shift


def network(arm: str, seed: int) -> Sequential:
    """784-100-100-100-10 with sigmoids; the arm says what stands in front of them."""
    layers: list[dl.Layer] = [Flatten()]
    for number, features in enumerate((784, 100, 100)):
        layers += [Dense(features, FEATURES, init=dl.init.gaussian(0.1)), *_normalization(arm, number, seed)]
        layers.append(Sigmoid())
    return Sequential(*layers, Dense(FEATURES, 10, init=dl.init.gaussian(0.1)), seed=seed)


def _normalization(arm: str, number: int, seed: int) -> list[dl.Layer]:
    if arm == "BN" or (arm, number) in (("BN in the first layer", 0), ("BN in the last layer", 2)):
        return [BatchNorm(FEATURES)]
    if arm == "mean only":
        return [MeanOnly(FEATURES)]
    if arm == "variance only":
        return [VarianceOnly(FEATURES)]
    noise = Noise(FEATURES, shift=0.5, scale=0.5, seed=1000 * seed + number)
    return {"noisy BN": [BatchNorm(FEATURES), noise], "noise alone": [noise]}.get(arm, [])


def check() -> None:
    """Gradients, evaluation mode, and what the layers are for."""
    x = np.random.default_rng(0).normal(3, 2, (8, FEATURES))
    for layer in (MeanOnly(FEATURES), VarianceOnly(FEATURES)):
        wide = layer.astype(np.float64)
        print(type(layer).__name__, dl.gradcheck(wide, x, samples=40))
        y = layer(x.astype(np.float32)).data
        if isinstance(layer, MeanOnly):
            assert np.allclose(y.mean(axis=0), 0, atol=1e-5)
        else:
            assert np.allclose(y.std(axis=0), 1, atol=1e-3)
        with layer.evaluating():
            alone = layer(x[:1].astype(np.float32)).data
            together = layer(x.astype(np.float32)).data[:1]
        assert np.allclose(alone, together, atol=1e-6), "in evaluation mode companions must not matter"
    noise = Noise(FEATURES, 0.5, 0.5, seed=0)

    def same_noise(x: dl.Tensor) -> dl.Tensor:
        noise.rewind()
        return noise(x)

    print("Noise", dl.gradcheck(same_noise, x, samples=40))
    with noise.evaluating():
        assert np.array_equal(noise(x).data, x)


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
