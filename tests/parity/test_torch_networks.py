"""Whole networks with batch normalization, trained in minidl and in PyTorch from the same weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minidl as dl
from minidl.layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
)
from tests.parity.compare import assert_close
from tests.parity.convert import Images, load, nchw, nhwc, state_of

torch = pytest.importorskip("torch")
nn = torch.nn

STEPS, BATCH = 100, 32
Made = tuple[Sequential, Any, Images]

OPTIMIZERS: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, float]]] = {
    "SGD": (dl.optim.SGD, torch.optim.SGD, {"lr": 0.2}),
    "SGD with momentum": (dl.optim.SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    "Adam": (dl.optim.Adam, torch.optim.Adam, {"lr": 1e-3}),
    "Adam, fast": (dl.optim.Adam, torch.optim.Adam, {"lr": 1e-2}),
}


def data(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Batches of images (synthetic noise, with an empty border as digits have) and learnable labels."""
    rng = np.random.default_rng(0)
    images = np.zeros((steps, BATCH, 10, 10, 1))
    images[:, :, 2:8, 1:9] = rng.uniform(size=(steps, BATCH, 6, 8, 1))
    scores = (images.reshape(-1, 100) - images.mean()) @ rng.normal(size=(100, 10))
    return images, scores.argmax(1).reshape(steps, BATCH)


def mlp(bias: bool = False) -> Made:
    ours = Sequential(
        Flatten(),
        Dense(100, 30, bias=bias), BatchNorm(30), Sigmoid(),
        Dense(30, 30, bias=bias), BatchNorm(30), ReLU(),
        Dense(30, 10),
        seed=0,
    )
    theirs = nn.Sequential(
        nn.Flatten(),
        nn.Linear(100, 30, bias=bias), nn.BatchNorm1d(30), nn.Sigmoid(),
        nn.Linear(30, 30, bias=bias), nn.BatchNorm1d(30), nn.ReLU(),
        nn.Linear(30, 10),
    )
    return ours, theirs, {"1.weight": (10, 10, 1)}


def cnn(bias: bool = False) -> Made:
    ours = Sequential(
        Conv2D(1, 6, 3, padding=1, bias=bias), BatchNorm(6), ReLU(), MaxPool2D(2),
        Conv2D(6, 8, 2, bias=bias), BatchNorm(8, momentum=None), Sigmoid(), AvgPool2D(2),
        Flatten(),
        Dense(32, 20, bias=bias), BatchNorm(20, momentum=0.3, eps=1e-3), Tanh(),
        Dense(20, 10),
        seed=0,
    )
    theirs = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1, bias=bias), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 2, bias=bias), nn.BatchNorm2d(8, momentum=None), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 20, bias=bias), nn.BatchNorm1d(20, momentum=0.3, eps=1e-3), nn.Tanh(),
        nn.Linear(20, 10),
    )
    return ours, theirs, {"9.weight": (2, 2, 8)}


def train(made: Made, optimizer: str, steps: int = STEPS) -> tuple[list[float], list[float]]:
    """Train both networks, each on its own, on the same batches in the same order. Returns the losses."""
    ours, theirs, images = made
    ours.astype(np.float64)
    theirs.double()
    load(theirs, ours, images)
    for name, value in state_of(theirs, ours, images).items():
        np.testing.assert_array_equal(value, ours.state_dict()[name])
    our_class, their_class, options = OPTIMIZERS[optimizer]
    our_optimizer = our_class(ours.parameters(), **options)
    their_optimizer = their_class(theirs.parameters(), **options)
    our_losses, their_losses = [], []
    for x, labels in zip(*data(steps), strict=True):
        with dl.Tape() as tape:
            loss = dl.losses.cross_entropy(ours(x), labels)
        tape.backward(loss)
        our_optimizer.step()
        our_losses.append(loss.item())

        their_optimizer.zero_grad()
        their_loss = nn.functional.cross_entropy(theirs(torch.tensor(nchw(x))), torch.tensor(labels))
        their_loss.backward()
        their_optimizer.step()
        their_losses.append(their_loss.item())
    return our_losses, their_losses


def assert_same_evaluation(ours: Sequential, theirs: Any) -> None:
    """With running statistics, on images that neither has seen."""
    x = np.random.default_rng(1).uniform(size=(7, 10, 10, 1))
    ours.eval()
    theirs.eval()
    with torch.no_grad():
        np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(nchw(x))).numpy(), rtol=1e-9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("network", [mlp, cnn], ids=["MLP", "CNN"])
def test_a_hundred_steps_from_the_same_weights(network, optimizer):
    made = ours, theirs, images = network()
    start = ours.astype(np.float64).state_dict()
    our_losses, their_losses = train(made, optimizer)
    np.testing.assert_allclose(our_losses, their_losses, rtol=1e-9)
    assert np.mean(our_losses[-10:]) < np.mean(our_losses[:10]) - 0.1       # so it has learned something

    # Every single number to 1e-9 of itself, however small: no floor, and no norm that hides a small one.
    end = ours.state_dict()
    for name, value in state_of(theirs, ours, images).items():
        np.testing.assert_allclose(end[name], value, rtol=1e-9, atol=0, err_msg=name)
        assert (end[name] != start[name]).mean() > 0.4, name    # the border's weights get no gradient
    assert_same_evaluation(ours, theirs)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_a_bias_before_batch_norm_is_the_one_thing_that_differs(optimizer):
    # The batch's mean takes the bias out again, so its gradient is 0, and what float64 leaves of that is
    # rounding, in each library its own. Adam divides the rounding by its own size until eps stands against
    # it, and lets the bias wander by some 1e-9 in 100 steps. The running mean, with the bias in it, shows
    # that, and evaluation too, since the running mean trails behind. No two libraries could agree to 1e-9 of
    # themselves there. All else does: the losses in training, and every other parameter.
    made = ours, theirs, images = cnn(bias=True)
    our_losses, their_losses = train(made, optimizer)
    np.testing.assert_allclose(our_losses, their_losses, rtol=1e-9)
    wandering = {"0.bias", "4.bias", "9.bias"}
    if optimizer == "Adam":
        wandering |= {"1.running_mean", "5.running_mean", "10.running_mean"}
    end = ours.state_dict()
    for name, value in state_of(theirs, ours, images).items():
        if name in wandering:
            np.testing.assert_allclose(end[name], value, rtol=0, atol=1e-7, err_msg=name)
        else:
            np.testing.assert_allclose(end[name], value, rtol=1e-9, atol=0, err_msg=name)
    for name in ("0.bias", "4.bias", "9.bias"):
        assert np.abs(end[name]).max() < 1e-7, name
    if optimizer == "SGD":
        assert_same_evaluation(ours, theirs)


def test_images_and_their_order_are_converted():
    x = np.arange(24.0).reshape(1, 2, 3, 4)
    assert nchw(x)[0, 1].tolist() == x[0, :, :, 1].tolist()
    assert_close(nhwc(nchw(x)), x)


def test_the_comparison_is_not_blind():
    # A momentum of 0.3 instead of 0.31: the parameters agree and the running statistics don't.
    made = ours, theirs, images = cnn()
    theirs[10].momentum = 0.31
    train(made, "SGD", steps=5)
    end, state = ours.state_dict(), state_of(theirs, ours, images)
    np.testing.assert_allclose(end["10.gamma"], state["10.gamma"], rtol=1e-9)
    assert not np.allclose(end["10.running_mean"], state["10.running_mean"], rtol=1e-4, atol=0)
