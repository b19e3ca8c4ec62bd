"""`minidl train`: one network: its history, weights, learning curve, confusion matrix and worst mistakes."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from minidl.cli.options import add_network_options, default_activation, find_data, rate, whole_number

if TYPE_CHECKING:
    from pathlib import Path

    from minidl.datasets import Dataset
    from minidl.engine.array import Array
    from minidl.experiments import RunConfig
    from minidl.layers import Sequential
    from minidl.training import Evaluation, History


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "train",
        help="train one network and look at its mistakes",
        description="Train one network. Writes its history, weights and learning curve, the\n"
        " confusion matrix and the worst mistakes.",
        epilog="examples:\n  minidl train\n  minidl train --model cnn --epochs 2\n"
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
        "--init", metavar="NAME", help="initial weights: 'N(0, 0.1^2)', Glorot, 'Glorot x 4' or He"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=whole_number(1), metavar="N", help="default: 5; cnn: 1")
    length.add_argument("--steps", type=whole_number(1), metavar="N", help="instead of epochs")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="default: 0")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from minidl import experiments, report
    from minidl.training import evaluate, fit, predict, recalibrate

    folder = report.results_folder(args.out, f"train-{args.model}")
    name, _ = find_data(args.data)
    train, validation, test = experiments.split(name)
    config = _config(args, name, len(train))
    model = experiments.build(config)
    label = f"{args.model.upper()}, {config.activation}, {config.arm}, lr {config.lr:g}"
    print(f"{label}, on {train.title}: {config.steps:,} steps", flush=True)
    history = fit(
        model,
        train,
        optimizer=experiments.build_optimizer(config, model),
        validation=validation,
        batch_size=config.batch_size,
        steps=config.steps,
        statistics="population",
        seed=config.seed,
        drop_last=True,
    )
    recalibrate(model, train[: experiments.POPULATION])  # so that the weights that are saved have them too
    result = evaluate(model, test)
    print(
        f"\ntest accuracy {100 * result.accuracy:.2f} %, loss {result.loss:.4f} ({len(test):,} images); "
        f"{history.stopped}"
    )
    logits = predict(model, test.images)
    matrix = report.confusion_counts(test.labels, logits.argmax(1), len(test.class_names))
    print(f"\n{report.confusion_table(matrix, test.class_names)}\n")
    _write(folder, config, f"{label}, on {train.title}", model, history, result, test, logits, matrix)
    for file in sorted(folder.iterdir()):
        print(f"  {file}")
    return 0


def _config(args: argparse.Namespace, data: str, examples: int) -> RunConfig:
    """The recipe for the network, with what the user wants otherwise."""
    from minidl.experiments import RECIPES

    recipe = RECIPES[args.model]
    epochs = args.epochs or {"mlp": 5, "cnn": 1}[args.model]
    return replace(
        recipe,
        data=data,
        batch_norm=args.batch_norm,
        init=args.init or recipe.init,
        activation=default_activation(args),
        placement=args.placement,
        lr=args.lr or recipe.lr,
        steps=args.steps or epochs * max(1, examples // args.batch_size),
        batch_size=args.batch_size,
        seed=args.seed,
    )


def _write(
    folder: Path,
    config: RunConfig,
    title: str,
    model: Sequential,
    history: History,
    result: Evaluation,
    test: Dataset,
    logits: Array,
    matrix: Array,
) -> None:
    from minidl import experiments, plots, report
    from minidl.training import save_checkpoint

    figures = report.training_figures(history, title, test, logits, matrix)
    with report.written_whole(folder) as unfinished:
        history.to_json(unfinished / "history.json")
        history.to_csv(unfinished / "history.csv")
        save_checkpoint(unfinished / "weights.npz", model)
        report.write_json(
            unfinished / "results.json",
            experiments.to_plain(
                {
                    "config": config,
                    "title": title,
                    "test": result,
                    "stopped": history.stopped,
                    "confusion": matrix.tolist(),
                    "environment": experiments.environment(),
                }
            ),
        )
        for name, figure in figures.items():
            plots.save(figure, unfinished / name)
