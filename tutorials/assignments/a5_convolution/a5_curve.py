"""A5: train a small CNN with your own pieces, without and with batch normalization, and draw both curves.

    python ../tutorials/assignments/a5_convolution/a5_curve.py a5.py

MNIST, or the synthetic stroke digits where it can't be had, or with --data stroke-digits.

What you wrote must pass the visible checks first. What you haven't written yet comes from the library, and
the screen says so. Your speed is measured: the slower your functions, the fewer images they get, and the
smaller the batches and the learning rate. The figure goes to a5_curve.png in the present folder.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
import traceback
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl import ops
from minidl.grading.course.assignment import read_assignment, read_visible
from minidl.grading.course.judging import judge_check, run_here
from minidl.layers import BatchNorm, Conv2D, Dense
from minidl.plots import arm_style

SECONDS = 45                    # for both trainings together, more or less
BATCH, STEPS = 60, 200          # at most
LR = 0.3
TASKS = {"conv2d": (1, 2), "max_pool2d": (3,), "batch_norm": (4,)}
TRIAL = np.random.default_rng(0).normal(size=(64, 14, 14, 1)).astype(np.float32)
TRIAL_LABELS = np.arange(64) % 10
LONG_ENOUGH = 0.1               # seconds that can be measured


# ---- the adapter: your functions on arrays become ops on the tape ------------------------------------------


def own_ops(own):
    def conv2d(x, weight, bias):
        a, w = x.data, weight.data      # as they are now: a parameter may change before the vjp is asked
        y = own.conv2d(a, w, bias.data)
        return record("own conv2d", y, (x, weight, bias), lambda g: own.conv2d_backward(g, a, w))

    def max_pool2d(x, size):
        a = x.data
        y = own.max_pool2d(a, size)
        return record("own max_pool2d", y, (x,), lambda g: (own.max_pool2d_backward(g, a, size),))

    def batch_norm(x, gamma, beta, eps):
        a, c = x.data, gamma.data
        y = own.batch_norm(a, c, beta.data, eps)
        return record("own batch_norm", y, (x, gamma, beta), lambda g: own.batch_norm_backward(g, a, c, eps))

    return {"conv2d": conv2d, "max_pool2d": max_pool2d, "batch_norm": batch_norm}


def record(name, y, inputs, backward):
    """An op of float32: the tape wants every gradient in the type of its tensor."""
    def vjp(g):
        return tuple(np.array(a, np.float32) for a in backward(g))

    return dl.record(name, np.array(y, np.float32), inputs, vjp)


LIBRARY = {
    "conv2d": ops.conv2d, "max_pool2d": ops.max_pool2d,
    "batch_norm": lambda *arguments: ops.batch_norm(*arguments)[0],
}


# ---- the network -------------------------------------------------------------------------------------------


class Network(dl.Layer):
    """Convolution, batch normalization or not, sigmoid, max-pooling, and a dense layer."""

    def __init__(self, pieces, batch_norm):
        super().__init__()
        self.pieces = pieces
        self.conv = Conv2D(1, 4, 3)
        self.norm = BatchNorm(4) if batch_norm else None
        self.dense = Dense(6 * 6 * 4, 10)

    def forward(self, x):
        h = self.pieces["conv2d"](x, self.conv.weight, self.conv.bias)
        if self.norm is not None:
            h = self.normalize(h)
        h = self.pieces["max_pool2d"](ops.sigmoid(h), 2)
        return self.dense(h.reshape(len(h.data), -1))

    def normalize(self, h):
        if not self.training:       # evaluation mode is the library's: you write it in A4
            return self.norm(h)
        self.norm(h.detach())       # its running statistics follow
        return self.pieces["batch_norm"](h, self.norm.gamma, self.norm.beta, self.norm.eps)


def step_of(model, images, labels):
    with dl.Tape() as tape:
        loss = dl.losses.cross_entropy(model(images), labels)
    tape.backward(loss)


# ---- the experiment ----------------------------------------------------------------------------------------


def load(path):
    """Your file, as a module."""
    if not path.is_file() or path.suffix != ".py":
        sys.exit(f"no Python file at {path}: give the path of your a5.py")
    spec = importlib.util.spec_from_file_location("submission", path)
    module = sys.modules["submission"] = importlib.util.module_from_spec(spec)     # dataclasses look it up
    try:
        spec.loader.exec_module(module)
    except Exception as error:      # your code raises whatever it likes
        sys.exit(f"{path} can't be imported: {type(error).__name__}: {error}")
    return module


def pieces_of(module):
    """Your ops that pass the visible checks, the library's for those not written; a wrong one ends it."""
    chosen, wrong = dict(LIBRARY), []
    checks = read_visible(read_assignment(Path(__file__).resolve().parent))
    for name, op in own_ops(module).items():
        functions = name, f"{name}_backward"
        missing = [f"{each} is missing" for each in functions if not hasattr(module, each)]
        failed = [] if missing else failures(module, [c for c in checks if c.task in TASKS[name]])
        missing += [said.sentence for said in failed if said.sentence.startswith("NotImplementedError")]
        wrong += [said for said in failed if not said.sentence.startswith("NotImplementedError")]
        if missing:
            print(f"{name}: the library's stands in ({missing[0]})")
        else:
            chosen[name] = op
    for said in wrong:
        print(f"{said.check.name}: {said.hint or said.sentence}")
    if wrong:
        sys.exit(f"{len(wrong)} of the visible checks fail, so the curves would be wrong: mend that first")
    return chosen


def failures(module, checks):
    results = [(check, [run_here(case, vars(module)) for case in check.cases]) for check in checks]
    return [said for said in (judge_check(*result) for result in results) if not said.passed]


def seconds_an_image(pieces):
    """Measured twice, on more and more images as long as that takes no time."""
    model = Network(pieces, batch_norm=True)
    step_of(model, TRIAL[:4], TRIAL_LABELS[:4])         # the first call is slower than the others
    for images in (4, 16, len(TRIAL)):
        seconds = min(seconds_of(model, images) for _ in range(2))
        if seconds > LONG_ENOUGH:
            break
    return seconds / images


def seconds_of(model, images):
    begin = time.perf_counter()
    step_of(model, TRIAL[:images], TRIAL_LABELS[:images])
    return time.perf_counter() - begin


def size_of_run(seconds):
    """(steps, batch size) that two trainings can have: many steps teach more than large batches."""
    images = int(SECONDS / 2 / seconds)
    batch = min(BATCH, max(8, images // STEPS))
    return min(STEPS, max(10, images // batch)), batch


def tested(seconds):
    """How many test images the time allows: more than the first hundred if you are fast."""
    return min(2000, max(100, int(SECONDS / 10 / seconds)))


def smaller(data):
    """Means of 2 x 2 pixels: 14 x 14 are enough to tell digits apart, and four times as fast."""
    images = data.images.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4), dtype=np.float32)
    return images, data.labels


def rate_of(batch):
    """A smaller batch has a noisier gradient: a smaller step, though not by much, as the steps are few."""
    return LR * (batch / BATCH) ** 0.25


def train_twice(pieces, train, test, size):
    """Histories without and with batch normalization: the same images in the same order for both."""
    steps, batch = size
    whose = "the library's" if pieces["batch_norm"] is LIBRARY["batch_norm"] else "your"
    histories = {}
    for name, batch_norm in (("plain", False), (f"with {whose} batch norm", True)):
        model = Network(pieces, batch_norm)
        model.initialize(seed=0)
        optimizer = dl.optim.SGD(model.parameters(), lr=rate_of(batch))
        histories[name] = dl.fit(
            model, smaller(train), optimizer=optimizer, steps=steps, batch_size=batch, seed=0
        )
        accuracy = dl.evaluate(model, smaller(test)).accuracy
        print(f"{name}: {accuracy:.0%} of {len(test):,} test images")
    return histories


def draw(histories, title):
    """Each mini-batch's loss, pale, and its running mean; a network that guesses has ln 10."""
    _, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for number, (name, history) in enumerate(histories.items()):
        style, losses = arm_style(number), np.array(history.train.loss)
        last = max(1, len(losses) // 10)
        means = [losses[max(0, i - last):i].mean() for i in range(1, len(losses) + 1)]
        ax.plot(history.train.step, losses, color=style.color, alpha=0.25, linewidth=0.8)
        ax.plot(history.train.step, means, **style.line(len(losses)), label=f"{name}, mean of {last} steps")
    ax.axhline(np.log(10), color="black", linestyle=":", linewidth=1, label="guessing: ln 10")
    ax.set(xlabel="training step", ylabel="loss on the mini-batch", ylim=(0, None), title=title)
    ax.legend(fontsize="small")
    return ax


def where_in(path, error):
    """The line of a file in which an error came up, in words."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f" (line {lines[-1]} of {path})" if lines else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("submission", nargs="?", type=Path, default=Path("a5.py"), help="default: a5.py")
    parser.add_argument("--data", choices=dl.datasets.NAMES, help="instead of MNIST")
    options = parser.parse_args()
    path = options.submission
    pieces = pieces_of(load(path))
    train, test, notice = (
        (*dl.datasets.load(options.data), None) if options.data else dl.datasets.mnist_or_stroke_digits()
    )
    print(notice or f"data: {train.title}")
    try:
        seconds = seconds_an_image(pieces)
        steps, batch = size = size_of_run(seconds)
        few = "" if size == (STEPS, BATCH) else f", fewer than {STEPS} x {BATCH} so as to end in time"
        print(f"{1000 * seconds:.2g} ms an image: {steps} steps of {batch} images each{few}")
        histories = train_twice(pieces, train, test[:tested(seconds)], size)
    except Exception as error:      # your code raises whatever it likes
        sys.exit(f"the training stopped: {type(error).__name__}: {error}{where_in(path, error)}")
    setting = f"{steps} steps of {batch} images, lr {rate_of(batch):.2g}"
    ax = draw(histories, f"A5, a small CNN: {setting}\n{train.title}")
    dl.plots.save(ax.figure, "a5_curve")
    plt.close("all")
    print("a5_curve.png (and .svg): the loss on the mini-batches")


if __name__ == "__main__":
    main()
