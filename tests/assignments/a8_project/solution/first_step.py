"""Gradient norms and inputs of the sigmoids by layer, at the first step: what project 2 measures.

    python first_step.py            MNIST, seed 0, a few seconds
"""

from __future__ import annotations

import numpy as np
from a8 import network

import minidl as dl

ARMS = ("plain", "BN", "variance only", "BN in the first layer", "BN in the last layer")


def main() -> None:
    """One line an arm: norms of the weights' gradients, then mean and standard deviation of the inputs."""
    train, _ = dl.datasets.load("mnist")
    print(f"{train.title}, 60 images, training mode; inputs of a sigmoid: |mean| / std, averages")
    for arm in ARMS:
        model = network(arm, seed=0)
        with dl.Tape() as tape:
            loss = dl.losses.cross_entropy(model(train.images[:60]), train.labels[:60])
        tape.backward(loss)
        rows = dl.instruments.parameter_gradients(model)
        norms = [f"{row.gradient:.3f}" for row in rows if row.name.endswith("weight")]
        inputs = [record.inputs[0].data for record in tape.find(op="sigmoid")]
        spread = [f"{np.abs(x.mean(axis=0)).mean():.2f}/{x.std(axis=0).mean():.2f}" for x in inputs]
        print(f"{arm}: gradients {' '.join(norms)}; inputs {' '.join(spread)}")


if __name__ == "__main__":
    main()
