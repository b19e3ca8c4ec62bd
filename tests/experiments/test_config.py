"""RunConfig: what it refuses, what its arms share, and the networks that it builds."""

import pickle

import numpy as np
import pytest

from minidl.experiments import RunConfig, arms, build, grid
from minidl.layers import BatchNorm, Dense, MaxPool2D, ReLU, Sigmoid


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lr": 0.0}, "lr"),
        ({"lr": float("nan")}, "lr"),
        ({"momentum": 1.0}, "momentum"),
        ({"momentum": -0.1}, "momentum"),
        ({"model": "rnn"}, "model"),
        ({"steps": 0}, "steps"),
        ({"init": "zero"}, "init"),
        ({"batch_norm": True, "batch_size": 1}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"placement": "inside"}, "placement"),
    ],
)
def test_refuses_what_no_run_can_have(change, named):
    with pytest.raises(ValueError, match=rf"expects {named} (to be|from) .*, got"):
        RunConfig(**change)


def test_is_frozen_hashable_and_picklable():
    config = RunConfig(lr=2.0, batch_norm=True)
    assert pickle.loads(pickle.dumps(config)) == config
    assert hash(config) == hash(RunConfig(lr=2.0, batch_norm=True))
    with pytest.raises(AttributeError):
        config.lr = 3.0


def test_arms_share_initial_weights_where_the_initialiser_is_the_same():
    plain, tuned, bn = (build(c) for c in arms(RunConfig(seed=3)))
    weights = [
        [layer.weight.data for layer in model if isinstance(layer, Dense)] for model in (plain, tuned, bn)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[2], strict=True))
    assert not np.array_equal(weights[0][0], weights[1][0])
    assert abs(weights[0][0].std() - 0.1) < 0.001


def test_the_papers_network_before_and_after():
    before = build(RunConfig(batch_norm=True))
    assert [type(layer) for layer in before[1:4]] == [Dense, BatchNorm, Sigmoid]
    assert before[1].bias is None, "beta takes the place of the bias"
    after = build(RunConfig(batch_norm=True, placement="after"))
    assert [type(layer) for layer in after[1:4]] == [Dense, Sigmoid, BatchNorm]
    assert after[1].bias is not None
    assert sum(p.size for p in build(RunConfig()).parameters()) == 785 * 100 + 2 * 101 * 100 + 101 * 10


def test_the_cnn_has_two_blocks_and_ten_outputs():
    model = build(RunConfig(model="cnn", activation="relu", batch_norm=True))
    assert [type(layer) for layer in model[1:4]] == [BatchNorm, ReLU, MaxPool2D]
    assert model(np.zeros((2, 28, 28, 1))).shape == (2, 10)


def test_grid_has_each_arm_at_each_rate_with_the_same_seeds():
    configs = grid(RunConfig(), [0.1, 2.0], 3)
    assert len(configs) == len(set(configs)) == 2 * 3 * 3
    assert {c.seed for c in configs} == {0, 1, 2}
