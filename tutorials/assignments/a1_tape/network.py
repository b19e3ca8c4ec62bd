"""A1, the experiment: your tape records a small network, minidl draws it, and it learns XOR.

    python ../tutorials/assignments/a1_tape/network.py a1.py [--out FOLDER]

Nothing here is graded. It writes tape.png and loss.png.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

import numpy as np

import minidl as dl

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
TARGETS = np.array([[0], [1], [1], [0]])     # exclusive or: no network without a hidden layer can do it
RATE, STEPS = 0.5, 2000


def load(path):
    """The module in a file, whatever the file is called."""
    spec = importlib.util.spec_from_file_location("submission", path)
    if spec is None or not path.is_file():
        sys.exit(f"no Python file at {path}: give the path of your a1.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["submission"] = module      # dataclasses look it up
    try:
        spec.loader.exec_module(module)
    except Exception as error:      # your code raises whatever it likes
        sys.exit(f"{path} can't be imported: {type(error).__name__}: {error}")
    return module


def record_network(a1, parameters):
    """The network on a new tape: (tape, the parameters' numbers, the loss's number)."""
    tape = a1.Tape()
    w1, b1, w2, b2 = numbers = [tape.leaf(p) for p in parameters]
    h = a1.sigmoid(tape, a1.add(tape, a1.matmul(tape, tape.leaf(INPUTS), w1), b1))
    y = a1.sigmoid(tape, a1.add(tape, a1.matmul(tape, h, w2), b2))
    e = a1.add(tape, y, tape.leaf(-TARGETS))
    return tape, numbers, a1.sum_all(tape, a1.multiply(tape, e, e))      # e is used twice: a diamond


def replayed_by_minidl(tape, parameters):
    """Your records on one of minidl's tapes, with your vjps: the adapter between the two."""
    made = {record.output for record in tape.records}
    tensors = [
        None if i in made else dl.Tensor(value, requires_grad=i in parameters)
        for i, value in enumerate(tape.values)
    ]
    with dl.Tape(keep_gradients=True) as theirs:
        for r in tape.records:
            inputs = tuple(tensors[i] for i in r.inputs)
            tensors[r.output] = dl.record(r.op, tape.values[r.output].copy(), inputs, r.vjp)
    theirs.backward(tensors[tape.records[-1].output])
    return theirs, [tensors[i].grad for i in parameters]


def compare(name, ours, theirs):
    """Print how far two lists of arrays are apart."""
    scale = max(np.abs(a).max() for a in theirs)
    error = max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)) / scale
    print(f"{name}: relative difference {error:.1e}{'' if error < 1e-8 else '   <- something is wrong'}")


def main():
    """Record, draw, compare, train."""
    parser = argparse.ArgumentParser(description="A1: your tape records, is drawn, and learns XOR")
    parser.add_argument("submission", nargs="?", type=Path, default=Path("a1.py"), help="default: a1.py")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="default: here")
    args = parser.parse_args()
    a1, random = load(args.submission), np.random.default_rng(0)
    parameters = [random.normal(size=shape) for shape in ((2, 4), (4,), (4, 1), (1,))]

    tape, numbers, loss = record_network(a1, parameters)
    gradients = a1.backward(tape.records, tape.values, loss, np.array(1.0))
    recorded, theirs = replayed_by_minidl(tape, numbers)
    print(f"Your tape, on minidl's, replayed with your vjps:\n\n{recorded}\n")
    compare("your backward against minidl's", [gradients[i] for i in numbers], theirs)

    tangent = [random.normal(size=p.shape) for p in parameters]
    slope = sum(np.vdot(gradients[i], t) for i, t in zip(numbers, tangent, strict=True))
    h = 1e-5
    up, down = (record_network(a1, [p + s * t for p, t in zip(parameters, tangent, strict=True)])
                for s in (h, -h))
    numeric = (up[0].values[loss] - down[0].values[loss]) / (2 * h)
    print("slope of the loss along a random direction:")
    print(f"  measured           {numeric:.8f}\n  by your gradients  {slope:.8f}")
    try:
        forward = a1.forward_mode(tape.records, tape.values, dict(zip(numbers, tangent, strict=True)))[loss]
        print(f"  by forward mode    {float(forward):.8f}")
    except NotImplementedError as missing:
        print(f"  by forward mode    not yet: {missing}")

    losses = []
    for _ in range(STEPS):
        tape, numbers, loss = record_network(a1, parameters)
        gradients = a1.backward(tape.records, tape.values, loss, np.array(1.0))
        parameters = [p - RATE * gradients[i] for p, i in zip(parameters, numbers, strict=True)]
        losses.append(float(tape.values[loss]))
    outputs = tape.values[tape.records[-4].output]
    print(f"\nXOR after {STEPS} steps: loss {losses[0]:.3f} -> {losses[-1]:.4f}, outputs for 00 01 10 11:",
          *np.round(outputs.ravel(), 2))
    draw(recorded, losses, args.out)


def draw(recorded, losses, folder):
    """The tape as a picture, and the loss."""
    import matplotlib

    matplotlib.use("Agg")       # files are written; no window is opened
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    dl.plots.tape(recorded).figure.savefig(folder / "tape.png", dpi=120)
    _, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
    ax.semilogy(losses)
    ax.set(xlabel="step", ylabel="loss", title=f"XOR, learned with your tape (learning rate {RATE})")
    ax.figure.savefig(folder / "loss.png", dpi=120)
    print(f"written: {folder / 'tape.png'}, {folder / 'loss.png'}")


if __name__ == "__main__":
    try:
        main()
    except NotImplementedError as missing:
        sys.exit(f"not yet, the experiment needs it: {missing}")
