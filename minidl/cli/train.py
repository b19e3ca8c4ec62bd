"""`minidl train`: one network: its history, weights, learning curve, confusion matrix and worst mistakes."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from minidl.cli.options import add_network_options, default_activation, find_data, rate, whole_number

if TYPE_CHECKING:
    from minidl.experiments import RunConfig


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "train",
        help="train one network and look at its mistakes",
        description="Train one network. Writes results.json, its history and weights, the learning\n"
        "curve, the confusion matrix, the worst mistakes, and a page of it all.",
        epilog="examples:\n  minidl train --live\n  minidl train --model cnn --epochs 2\n"
        "  minidl train --no-batch-norm --lr 8 --steps 1000",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_network_options(parser)
    parser.add_argument(
        "--batch-norm",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="default: with batch normalization",
    )
    parser.add_argument("--lr", type=rate, metavar="RATE", help="default: 0.3; cnn: 0.05")
    parser.add_argument(
        "--init",
        metavar="NAME",
        help="initial weights: 'N(0, 0.1^2)', Glorot, 'Glorot x 4' or He; default: what suits the activation",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=whole_number(1), metavar="N", help="default: 5; cnn: 1")
    length.add_argument("--steps", type=whole_number(1), metavar="N", help="instead of epochs")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--live",
        action="store_true",
        help="follow loss and accuracy in a window; without a display in DIR-live.png, beside the results",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from minidl import experiments, plots, report, set_threads

    folder = report.results_folder(args.out, f"train-{args.model}")
    name, train = find_data(args.data)
    config = _config(args, name)
    if config.model == "mlp":
        set_threads(1)  # small products: a second BLAS thread gains little, and waits long where others work
    title = experiments.title_of(config, train.title)
    print(f"{title}: {config.steps:,} steps", flush=True)
    # Beside the folder, not in it: the folder appears when all of it is there.
    beside = Path(f"{folder.resolve()}-live.png")
    trained = experiments.train_network(config, [plots.Live(beside, title)] if args.live else [])
    files = report.write_training(trained, folder)  # first: a console that has gone must not lose it
    accuracy, images = 100 * trained.evaluation.accuracy, len(trained.test)
    print(f"\ntest accuracy {accuracy:.2f} % of {images:,} images, loss {trained.evaluation.loss:.4f}")
    print(f"training: {trained.history.stopped}\n\n{report.confusion_table(trained)}\n")
    for file in files:
        print(f"  {file}")
    print(f"Open in a browser: {folder / report.PAGE}")
    return 0


def _config(args: argparse.Namespace, data: str) -> RunConfig:
    """The recipe for the network, with what the user wants otherwise."""
    from minidl.experiments import RECIPES, TUNED, split

    recipe = RECIPES[args.model]
    activation = default_activation(args)
    epochs = args.epochs or {"mlp": 5, "cnn": 1}[args.model]
    return replace(
        recipe,
        data=data,
        batch_norm=args.batch_norm,
        init=args.init or TUNED[activation],
        activation=activation,
        placement=args.placement,
        lr=args.lr or recipe.lr,
        steps=args.steps or epochs * max(1, len(split(data)[0]) // args.batch_size),
        batch_size=args.batch_size,
        seed=args.seed,
    )
