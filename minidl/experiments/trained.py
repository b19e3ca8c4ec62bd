"""One network, trained to be looked at: with its history, its weights, and its answers to the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minidl.datasets import Dataset
from minidl.engine.array import Array
from minidl.experiments.config import RunConfig
from minidl.experiments.models import build, build_optimizer
from minidl.experiments.run import measuring_points, split
from minidl.layers import Sequential
from minidl.training import Callback, Evaluation, History, evaluate, fit, predict, recalibrate
from minidl.training.evaluate import POPULATION


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """What `train_network` returns.

    Attributes:
        config: what was trained.
        title: network and data, for people: "MLP, sigmoid, BN, Glorot x 4, lr 0.3, on MNIST".
        model: with population statistics in its BatchNorms.
        history: of the training, with validations.
        evaluation: on the test images.
        test: the test images.
        logits: (n, classes), the model's outputs for them.

    """

    config: RunConfig
    title: str
    model: Sequential
    history: History
    evaluation: Evaluation
    test: Dataset
    logits: Array


def title_of(config: RunConfig, data: str) -> str:
    """Network and data of a configuration, for people."""
    return f"{config.network}, {config.arm}, {config.recipe}, on {data}"


def train_network(config: RunConfig, callbacks: Sequence[Callback] = ()) -> TrainedNetwork:
    """Train one network with a progress bar, and let it classify the test images."""
    train, validation, test = split(config.data)
    model = build(config)
    # A network that diverges overflows before its loss does; the history says why the training stopped.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        history = fit(
            model,
            train,
            optimizer=build_optimizer(config, model),
            validation=validation,
            validate_every=measuring_points(config.steps),
            batch_size=config.batch_size,
            steps=config.steps,
            statistics="population",
            seed=config.seed,
            drop_last=True,
            callbacks=callbacks,
        )
        recalibrate(model, train[:POPULATION])  # so that the weights, when saved, have these statistics too
        evaluation, logits = evaluate(model, test), predict(model, test.images)
    return TrainedNetwork(config, title_of(config, train.title), model, history, evaluation, test, logits)
