"""Whether the synthetic digits are worth training on: slow. The figures stand in datasets/README.md."""

import os
from dataclasses import replace

import pytest

from minidl import datasets, optim, schedules
from minidl.experiments import RECIPES, build, build_optimizer
from minidl.layers import Dense, Flatten, Sequential
from minidl.training import evaluate, fit, recalibrate

pytestmark = pytest.mark.slow


def test_a_linear_classifier_stays_between_80_and_95_percent():
    train, test = datasets.stroke_digits()
    model = Sequential(Flatten(), Dense(784, 10, init="zeros"), seed=0)
    steps = 20 * 600
    optimizer = optim.Adam(model.parameters(), lr=schedules.cosine(0.003, steps))
    fit(model, train, optimizer=optimizer, batch_size=100, steps=steps, seed=0, progress=False)
    accuracy = evaluate(model, test).accuracy
    print(f"linear classifier, trained and tested on stroke digits: {100 * accuracy:.1f} %")
    assert 0.80 <= accuracy <= 0.95


@pytest.mark.skipif("MINIDL_DATASETS" not in os.environ, reason="MINIDL_DATASETS names no real MNIST")
def test_a_cnn_trained_on_them_alone_reads_real_handwriting():
    train, own_test = datasets.stroke_digits()
    _, real_test = datasets.mnist()
    config = replace(RECIPES["cnn"], steps=5 * 1000)
    model = build(config)
    optimizer = build_optimizer(config, model)
    fit(model, train, optimizer=optimizer, batch_size=60, steps=config.steps, seed=0, progress=False)
    recalibrate(model, train[:10_000])
    own, real = evaluate(model, own_test).accuracy, evaluate(model, real_test).accuracy
    print(f"CNN trained on stroke digits alone: {100 * own:.1f} % on theirs, {100 * real:.1f} % on MNIST's")
    assert real >= 0.85
