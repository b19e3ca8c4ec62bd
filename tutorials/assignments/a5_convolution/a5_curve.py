"""A5: train a small CNN with your own pieces, without and with batch normalization, and draw both curves.

    python ../tutorials/assignments/a5_convolution/a5_curve.py a5.py

MNIST, or the synthetic stroke digits where it can't be had, or with --data stroke-digits.

What you haven't written yet comes from the library, and the screen says so. Your speed is measured first: the
slower your functions, the fewer images they get. The figure goes to a5_curve.png in the present folder.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl import ops
from minidl.layers import BatchNorm, Conv2D, Dense

SECONDS = 45                    # for both trainings together, more or less
BATCH, STEPS = 60, 200          # at most
LR = 0.3
TRIAL = np.random.default_rng(0).normal(size=(4, 14, 14, 1)).astype(np.float32)


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


def pieces_of(path):
    """Each of the student's ops that runs, the library's for the others."""
    spec = importlib.util.spec_from_file_location("submission", path)
    module = sys.modules["submission"] = importlib.util.module_from_spec(spec)     # dataclasses look it up
    try:
        spec.loader.exec_module(module)
    except Exception as error:      # your code raises whatever it likes
        sys.exit(f"{path} can't be imported: {type(error).__name__}: {error}")
    chosen = dict(LIBRARY)
    for name, op in own_ops(module).items():
        try:
            step_of(Network({**LIBRARY, name: op}, batch_norm=True), TRIAL, np.arange(4))
            chosen[name] = op
        except (NotImplementedError, AttributeError) as error:
            print(f"{name}: the library's stands in ({error})")
    return chosen


def seconds_an_image(pieces):
    model = Network(pieces, batch_norm=True)
    step_of(model, TRIAL, np.arange(4))         # the first call is slower than the others
    begin = time.perf_counter()
    step_of(model, TRIAL, np.arange(4))
    return (time.perf_counter() - begin) / len(TRIAL)


def size_of_run(seconds):
    """(steps, batch size) that two trainings can have."""
    images = int(SECONDS / 2 / seconds)
    batch = min(BATCH, max(8, images // 40))
    return min(STEPS, max(10, images // batch)), batch


def smaller(data):
    """Means of 2 x 2 pixels: 14 x 14 are enough to tell digits apart, and four times as fast."""
    images = data.images.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4), dtype=np.float32)
    return images, data.labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("submission", type=Path, help="your a5.py")
    parser.add_argument("--data", choices=dl.datasets.NAMES, help="instead of MNIST")
    options = parser.parse_args()
    if not options.submission.is_file() or options.submission.suffix != ".py":
        sys.exit(f"no Python file at {options.submission}: give the path of your a5.py")
    train, test, notice = (
        (*dl.datasets.load(options.data), None) if options.data else dl.datasets.mnist_or_stroke_digits()
    )
    print(notice or f"data: {train.title}")
    pieces = pieces_of(options.submission)
    seconds = seconds_an_image(pieces)
    steps, batch = size_of_run(seconds)
    few = "" if (steps, batch) == (STEPS, BATCH) else f", fewer than {STEPS} x {BATCH} so as to end in time"
    print(f"{1000 * seconds:.2g} ms an image: {steps} steps of {batch} images each{few}")
    whose = "the library's" if pieces["batch_norm"] is LIBRARY["batch_norm"] else "your"
    histories = {}
    for name, batch_norm in (("plain", False), (f"with {whose} batch norm", True)):
        model = Network(pieces, batch_norm)
        model.initialize(seed=0)
        optimizer = dl.optim.SGD(model.parameters(), lr=LR)
        histories[name] = dl.fit(
            model, smaller(train), optimizer=optimizer, steps=steps, batch_size=batch, seed=0
        )
        accuracy = dl.evaluate(model, smaller(test[:100])).accuracy
        print(f"{name}: {accuracy:.0%} of 100 test images")
    ax = dl.plots.curves(histories, "loss", "train")
    ax.set_title(f"{train.title}, a small CNN: {steps} steps of {batch}, lr {LR:g}")
    dl.plots.save(ax.figure, "a5_curve")
    plt.close("all")
    print("a5_curve.png (and .svg): the loss on the mini-batches")


if __name__ == "__main__":
    main()
