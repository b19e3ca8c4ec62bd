"""A2, the experiment: a network made of your pieces learns to read digits, beside one made of minidl's.

    python ../tutorials/assignments/a2_layers/train.py a2.py [--fast] [--out FOLDER]

Nothing here is graded. It writes curve.png. With --fast, or where MNIST can't be had, it trains on the
stroke digits, which are synthetic.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

import numpy as np

import minidl as dl

LR, BATCH = 0.5, 60


def load(path):
    """The module in a file, whatever the file is called."""
    spec = importlib.util.spec_from_file_location("submission", path)
    if spec is None or not path.is_file():
        sys.exit(f"no Python file at {path}: give the path of your a2.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["submission"] = module      # dataclasses look it up
    try:
        spec.loader.exec_module(module)
    except Exception as error:      # your code raises whatever it likes
        sys.exit(f"{path} can't be imported: {type(error).__name__}: {error}")
    return module


def yours(a2):
    """The adapter: ops of minidl, each made of one of your forward functions and its backward."""
    def dense(x, W, b):
        a, w = x.data, W.data       # as they are now: when the vjp is asked, the parameter may have changed
        y = a2.dense_forward(a, w, b.data)
        return dl.record("dense", y, (x, W, b), lambda g: a2.dense_backward(g, a, w))

    def sigmoid(x):
        y = a2.sigmoid(x.data)
        return dl.record("sigmoid", y, (x,), lambda g: (a2.sigmoid_backward(g, y),))

    def relu(x):
        a = x.data
        return dl.record("relu", a2.relu(a), (x,), lambda g: (a2.relu_backward(g, a),))

    def loss(x, labels):
        a = x.data
        value = np.asarray(a2.cross_entropy(a, labels), a.dtype)
        return dl.record("loss", value, (x,), lambda g: (g * a2.cross_entropy_backward(a, labels),))

    return {"dense": dense, "sigmoid": sigmoid, "relu": relu, "loss": loss}


MINIDLS = {
    "dense": dl.ops.dense, "sigmoid": dl.ops.sigmoid, "relu": dl.ops.relu, "loss": dl.losses.cross_entropy,
}


class Network(dl.Layer):
    """784 pixels, 100 ReLU units, 100 sigmoid units, 10 classes, of the pieces that it is given."""

    def __init__(self, pieces):
        super().__init__()
        random, self.pieces = np.random.default_rng(0), pieces
        for i, (m, n) in enumerate(((784, 100), (100, 100), (100, 10)), start=1):
            weight = random.normal(0, (2 / (m + n)) ** 0.5, (m, n)).astype(np.float32)
            setattr(self, f"W{i}", dl.Parameter(weight))
            setattr(self, f"b{i}", dl.Parameter(np.zeros(n, np.float32)))

    def forward(self, x):
        """Logits (batch, 10) of images (batch, 28, 28, 1)."""
        x = dl.ops.reshape(x, (len(x), 784))
        h = self.pieces["relu"](self.pieces["dense"](x, self.W1, self.b1))
        h = self.pieces["sigmoid"](self.pieces["dense"](h, self.W2, self.b2))
        return self.pieces["dense"](h, self.W3, self.b3)


def train(pieces, data, validation, steps):
    """The history of a training; the same initial weights and the same batches each time."""
    model = Network(pieces)
    return dl.fit(
        model, data, optimizer=dl.optim.SGD(model.parameters(), lr=LR), loss=pieces["loss"],
        validation=validation, batch_size=BATCH, steps=steps, seed=0,
    )


def main():
    """Train twice, compare, draw."""
    parser = argparse.ArgumentParser(description="A2: a network made of your pieces learns to read digits")
    parser.add_argument("submission", nargs="?", type=Path, default=Path("a2.py"), help="default: a2.py")
    parser.add_argument("--fast", action="store_true", help="300 steps on the stroke digits (synthetic)")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="default: here")
    args = parser.parse_args()
    pieces = yours(load(args.submission))

    data, _ = dl.datasets.stroke_digits() if args.fast else dl.datasets.mnist_or_stroke_digits()[:2]
    data, validation = data.split(55_000, seed=0)
    steps = 300 if args.fast else 2000
    print(f"data: {data.title}; {steps} steps of {BATCH} images, learning rate {LR}")
    histories = {}
    for name, made_of in (("your pieces", pieces), ("minidl's", MINIDLS)):
        histories[name] = train(made_of, data, validation[:2000], steps)
        print(f"{name}: {histories[name]}")
    ours, theirs = (np.array(history.train.loss) for history in histories.values())
    difference = np.abs(ours[:20] - theirs[:20]).max()
    print(f"largest difference of the losses in the first 20 steps: {difference:.1e}", end="")
    print(" (float32 rounding is about 1e-6)" if difference < 1e-4 else "   <- something is wrong")

    import matplotlib

    matplotlib.use("Agg")       # a file is written; no window is opened
    args.out.mkdir(parents=True, exist_ok=True)
    ax = dl.plots.curves(histories)
    ax.set_title(f"The two curves should coincide: {data.title}")
    ax.figure.savefig(args.out / "curve.png", dpi=120)
    print(f"written: {args.out / 'curve.png'}")


if __name__ == "__main__":
    try:
        main()
    except NotImplementedError as missing:
        sys.exit(f"not yet, the experiment needs it: {missing}")
