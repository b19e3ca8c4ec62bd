"""Trains with your batch normalization from A3, and draws its curve beside that of the network without.

python ../tutorials/assignments/a3_batch_norm/a3_curve.py a3.py [--steps 1500] [--lr 0.5] [--fast]

The figure goes to a3_curve_lr0.5.png in the present folder: another rate gets a file of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from adapter import MyBatchNorm, as_op
from matplotlib.axes import Axes

import minidl as dl
from minidl.datasets import Dataset
from minidl.grading import check_batch_norm, from_functions
from minidl.layers import Dense, Flatten, Layer, Sequential, Sigmoid

UNITS = 100


def main() -> int:
    """Check, train twice, draw."""
    parser = argparse.ArgumentParser(description="Train with your batch normalization, and without.")
    parser.add_argument("submission", nargs="?", type=Path, default=Path("a3.py"), help="default: a3.py")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--lr", type=float, default=0.5)
    parser.add_argument("--fast", action="store_true", help="100 steps on the synthetic stroke digits")
    args = parser.parse_args()

    mine = load(args.submission)
    try:
        report = check_batch_norm(from_functions(mine.forward, mine.backward))
    except Exception as error:      # your code raises whatever it likes
        print(f"{args.submission} can't be checked: {type(error).__name__}: {error}")
        return 1
    if not report:
        print(f"{report.failures[0].name}: {report.failures[0].sentence}")
        print(f"{args.submission} isn't right yet ({len(report.failures)} checks fail): mend it first.")
        return 1

    train, held_back, notice = data(args.fast)
    print(notice or f"data: {train.title}")
    steps = 100 if args.fast else args.steps
    batch_norm = as_op(mine.forward, mine.backward)
    histories = {
        name: fit(model, train, held_back, steps, args.lr)
        for name, model in (
            ("without", network(list)),
            ("with my batch normalization", network(lambda: [MyBatchNorm(UNITS, batch_norm)])),
        )
    }
    for name, history in histories.items():
        print(f"{name}: accuracy {100 * history.validation.accuracy[-1]:.1f} % after {steps} steps")
    ax = draw(histories, f"A3: 3 x {UNITS} sigmoids, lr {args.lr:g}\n{train.title}")
    for path in dl.plots.save(ax.figure, Path.cwd() / f"a3_curve_lr{args.lr:g}"):
        print(path)
    return 0


def draw(histories: dict[str, dl.History], title: str) -> Axes:
    """Both curves, with a line at the 90 % that question 5 asks for."""
    ax = dl.plots.curves(histories)
    ax.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 0.9, 1])
    ax.axhline(0.9, color="black", linestyle="--", linewidth=0.8)
    ax.legend(loc="best")
    ax.set_title(title)
    return ax


def load(path: Path) -> ModuleType:
    """Your file, as a module."""
    spec = spec_from_file_location("submission", path)
    if spec is None or spec.loader is None or not path.is_file():
        sys.exit(f"no Python file at {path}: give the path of your a3.py")
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
    train, validation = train.split(55_000, seed=0)
    return train, validation, notice


def network(normalization: Callable[[], list[Layer]]) -> Sequential:
    """The paper's network of section 4.1. A bias before batch normalization would do nothing."""
    hidden: list[Layer] = []
    features = 28 * 28
    for _ in range(3):
        norm = normalization()
        hidden += [Dense(features, UNITS, bias=not norm), *norm, Sigmoid()]
        features = UNITS
    return Sequential(Flatten(), *hidden, Dense(UNITS, 10), seed=0)


def fit(model: Sequential, train: Dataset, held_back: Dataset, steps: int, lr: float) -> dl.History:
    """Both networks see the same images in the same order, from the same initial weights."""
    optimizer = dl.optim.SGD(model.parameters(), lr=lr)
    return dl.fit(model, train, optimizer=optimizer, validation=held_back, batch_size=60, steps=steps, seed=0)


if __name__ == "__main__":
    sys.exit(main())
