"""Trains a network whose statistics your A4 keeps, and draws what moving averages cost beside recalibration.

python ../tutorials/assignments/a4_running_statistics/statistics_curve.py a4.py
    [--momentum 0.1] [--lr 2] [--steps 1000] [--fast]
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np

import minidl as dl
from minidl.datasets import Dataset
from minidl.layers import BatchNorm, Dense, Flatten, Sequential, Sigmoid

UNITS = 100
STEPS_MEASURED = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 3000)
BATCHES, BATCH = 10, 1000       # of the recalibration


class MyStatistics(BatchNorm):
    """The library's layer in training mode; its statistics and its evaluation mode are yours."""

    mine: ModuleType

    def __init__(self, num_features: int, mine: ModuleType, momentum: float) -> None:
        super().__init__(num_features, momentum)
        self.mine = mine

    def forward(self, x: dl.Tensor) -> dl.Tensor:
        """(..., num_features) to the same shape."""
        mean, var = self.running_mean, self.running_var
        if self.training:
            y = super().forward(x)
            new = self.mine.update(mean, var, x.data, self.momentum)
            self.running_mean, self.running_var = map(_single, new)
            return y
        gamma, beta = self.gamma.data, self.beta.data
        return dl.Tensor(_single(self.mine.evaluation_forward(x.data, gamma, beta, mean, var, self.eps)))


def _single(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, np.float32)


def main() -> int:
    """Train, measure, draw."""
    parser = argparse.ArgumentParser(description="Moving averages against recalibration, with your A4.")
    parser.add_argument("submission", nargs="?", type=Path, default=Path("a4.py"), help="default: a4.py")
    parser.add_argument("--momentum", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--fast", action="store_true", help="30 steps on the synthetic stroke digits")
    args = parser.parse_args()

    mine = load(args.submission)
    train, held_back, notice = data(args.fast)
    print(notice or f"data: {train.title}")
    steps = 30 if args.fast else args.steps
    model = network(mine, args.momentum)
    histories = measure_while_training(model, mine, train, held_back, steps, args.lr)
    ax = dl.plots.curves(histories, xscale="log")
    ax.set_title(f"A4: momentum {args.momentum:g}, lr {args.lr:g}, {train.title}")
    for path in dl.plots.save(ax.figure, Path.cwd() / f"a4_curve_momentum{args.momentum:g}"):
        print(path)

    images = held_back.images[:1000]
    with model.evaluating():
        difference = np.abs(folded(model, mine)(images).data - model(images).data).max()
    print(f"folded: {len(model)} layers became {len(folded(model, mine))}, outputs moved by {difference:.1e}")
    return 0


def load(path: Path) -> ModuleType:
    """Your file, as a module."""
    spec = spec_from_file_location("submission", path)
    if spec is None or spec.loader is None or not path.is_file():
        sys.exit(f"no Python file at {path}: give the path of your a4.py")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:      # your code raises whatever it likes
        sys.exit(f"{path} can't be imported: {type(error).__name__}: {error}")
    return module


def data(fast: bool) -> tuple[Dataset, Dataset, str | None]:
    """Digits to train on, and some that are held back from them; the test set is left alone."""
    if fast:
        train, notice = dl.datasets.stroke_digits()[0], "data: stroke digits, which are synthetic"
    else:
        train, _, notice = dl.datasets.mnist_or_stroke_digits()
    train, held_back = train.split(55_000, seed=0)
    return train, held_back, notice


def network(mine: ModuleType, momentum: float) -> Sequential:
    """The paper's network of section 4.1, with batch normalization."""
    hidden: list[dl.Layer] = []
    for features in (28 * 28, UNITS, UNITS):
        norm = MyStatistics(UNITS, mine, momentum)
        hidden += [Dense(features, UNITS, bias=False), norm, Sigmoid()]
    model = Sequential(Flatten(), *hidden, Dense(UNITS, 10), seed=0)
    for layer in norms(model):
        layer.running_mean, layer.running_var = map(_single, mine.initial_statistics(UNITS))
    return model


def norms(model: Sequential) -> list[MyStatistics]:
    """Its batch normalizations."""
    return [layer for layer in model if isinstance(layer, MyStatistics)]


def measure_while_training(
    model: Sequential, mine: ModuleType, train: Dataset, held_back: Dataset, steps: int, lr: float
) -> dict[str, dl.History]:
    """What held-back images say at some steps, by moving averages and by recalibrated statistics."""
    optimizer = dl.optim.SGD(model.parameters(), lr=lr)
    histories = {"my moving averages": dl.History(), "my recalibration": dl.History()}
    print("step  moving averages  recalibrated")
    for step, (images, labels) in enumerate(dl.batches(train, 60, epochs=None, seed=0), start=1):
        with dl.Tape() as tape:
            loss = dl.losses.cross_entropy(model(images), labels)
        tape.backward(loss)
        optimizer.step()
        if step in STEPS_MEASURED or step == steps:
            moving = dl.evaluate(model, held_back)
            with model.preserved():
                recalibrate(model, mine, train)
                exact = dl.evaluate(model, held_back)
            for history, found in zip(histories.values(), (moving, exact), strict=True):
                history.validation.append(step, found.loss, found.accuracy)
            print(f"{step:4}  {100 * moving.accuracy:13.1f} %  {100 * exact.accuracy:10.1f} %")
        if step == steps:
            break
    return histories


def recalibrate(model: Sequential, mine: ModuleType, train: Dataset) -> None:
    """Your statistics for each layer, from what reaches it in training mode."""
    reaching: dict[MyStatistics, list[np.ndarray]] = {layer: [] for layer in norms(model)}
    for i in range(BATCHES):
        with dl.Tape() as tape:
            model(train.images[i * BATCH : (i + 1) * BATCH])
        for layer, record in zip(reaching, tape.find(op="batch_norm"), strict=True):
            reaching[layer].append(record.inputs[0].data)
    for layer, inputs in reaching.items():
        layer.running_mean, layer.running_var = map(_single, mine.recalibrate(inputs))


def folded(model: Sequential, mine: ModuleType) -> Sequential:
    """The network without its batch normalizations, by your `fold`."""
    layers: list[dl.Layer] = []
    for layer in model:
        if not isinstance(layer, MyStatistics):
            layers.append(layer)
            continue
        dense = layers.pop()
        weight, bias = mine.fold(
            dense.weight.data, None, layer.gamma.data, layer.beta.data, layer.running_mean, layer.running_var,
            layer.eps,
        )
        both = Dense(*weight.shape)
        both.weight.data, both.bias.data = _single(weight), _single(bias)
        layers.append(both)
    return Sequential(*layers)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotImplementedError as missing:
        sys.exit(f"not yet, the experiment needs it: {missing}")
