"""Options that several commands share, and the checks of their values."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable

from minidl.datasets import NAMES, Dataset, load, mnist_or_stroke_digits

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky-relu", "gelu")


def whole_number(least: int, most: int = 10**9) -> Callable[[str], int]:
    """A `type=` for argparse: whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        # The length first: Python refuses to read numbers of thousands of digits.
        if len(text) > 20 or not text.lstrip("-").isdecimal() or not least <= int(text) <= most:
            shown = text if len(text) <= 20 else text[:17] + "..."
            span = f"of {least} or more" if most == 10**9 else f"from {least} to {most:,}"
            raise argparse.ArgumentTypeError(f"expected a whole number {span}, got {shown!r}")
        return int(text)

    return parse


def rate(text: str) -> float:
    """A `type=` for argparse: a learning rate, a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"expected a learning rate above 0, got {text!r}")
    return value


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """What `compare` and `train` have in common."""
    parser.add_argument(
        "--model", choices=("mlp", "cnn"), default="mlp", help="default: mlp, 784-100-100-100-10"
    )
    parser.add_argument(
        "--data",
        metavar="NAME",
        help=f"{', '.join(NAMES)}; default: mnist, or the synthetic stroke digits where MNIST can't be had",
    )
    parser.add_argument(
        "--activation", choices=ACTIVATIONS, help="default: sigmoid for the mlp, relu for the cnn"
    )
    parser.add_argument(
        "--placement", choices=("before", "after"), default="before", help="BN before or after the activation"
    )
    parser.add_argument(
        "--batch-size", type=whole_number(2, 60_000), default=60, metavar="N", help="default: 60"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="a new or empty folder for the results; default: a new one in runs/"
    )


def default_activation(args: argparse.Namespace) -> str:
    """The activation that was asked for, or the one that the network usually has."""
    return str(args.activation or {"mlp": "sigmoid", "cnn": "relu"}[args.model])


def find_data(name: str | None) -> tuple[str, Dataset]:
    """Name of the data set to use, and its training set; says on stderr if synthetic data stands in."""
    if name is not None:
        train, _ = load(name)
        return train.name, train
    train, _, notice = mnist_or_stroke_digits()
    if notice:
        print(notice, file=sys.stderr)
    return train.name, train
