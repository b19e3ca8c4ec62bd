"""`minidl compare`: the main job, with and without BN over several learning rates and seeds."""

from __future__ import annotations

import argparse
import itertools
import sys
from typing import TYPE_CHECKING

from minidl.cli.options import add_network_options, default_activation, find_data, rate, whole_number
from minidl.engine.blocks import cores, set_threads

if TYPE_CHECKING:
    from minidl.experiments import RunResult

# The CNN's defaults keep it within minutes; `compare --model cnn` prints the estimate first.
RATES = {"mlp": (0.1, 0.5, 2.0, 8.0), "cnn": (0.01, 0.1, 1.0)}
SEEDS = {"mlp": 5, "cnn": 2}
STEPS = {"mlp": 1500, "cnn": 500}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "compare",
        help="train with and without batch normalization, over learning rates and seeds",
        description="Train a network in three arms - plain with the paper's initial weights, plain\n"
        "well initialised, and with batch normalization - over several learning rates and seeds.\n"
        "Prints a table, and writes results.json, history.csv, the figures, and a page of it all.",
        epilog="examples:\n  minidl compare\n  minidl compare --lr 0.5 4 --steps 3000 --data fashion-mnist\n"
        "  minidl compare --model cnn",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_network_options(parser)
    parser.add_argument(
        "--lr", type=rate, nargs="+", metavar="RATE", help="default: 0.1 0.5 2 8; cnn: 0.01 0.1 1"
    )
    parser.add_argument(
        "--seeds", type=whole_number(1, 1000), metavar="N", help="seeds 0 to N - 1; default: 5; cnn: 2"
    )
    parser.add_argument("--steps", type=whole_number(1), metavar="N", help="default: 1,500; cnn: 500")
    parser.add_argument("--workers", type=whole_number(1), metavar="N", help="processes; default: one a core")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    from minidl import experiments, report

    folder = report.results_folder(args.out, f"compare-{args.model}")
    name, train = find_data(args.data)
    base = experiments.RunConfig(
        model=args.model,
        data=name,
        activation=default_activation(args),
        placement=args.placement,
        steps=args.steps or STEPS[args.model],
        batch_size=args.batch_size,
    )
    rates = list(dict.fromkeys(args.lr or RATES[args.model]))
    configs = experiments.grid(base, rates, args.seeds or SEEDS[args.model])
    workers = min(args.workers or cores(), len(configs))
    if workers > 1:
        set_threads(1)      # the workers' setting, so that the estimate is made as they work
    what = f"{base.network}, on {train.title}: {len(configs)} runs of {base.steps:,} steps"
    watched = sys.stderr is not None and sys.stderr.isatty()
    done = itertools.count(1)

    def tell(result: RunResult) -> None:
        bar.update()
        if not watched:
            print(f"run {next(done)} of {len(configs)}: {_line(result)}", file=sys.stderr, flush=True)

    with experiments.worker_processes(workers) as executor:
        duration = _duration(experiments.estimate_seconds(configs, workers, executor))
        print(f"{what}, {workers} worker(s); about {duration}", flush=True)
        with tqdm(total=len(configs), unit="run", ascii=True, disable=not watched) as bar:
            comparison = experiments.compare(configs, executor, tell)
    files = report.write_comparison(comparison, folder)  # first: a console that has gone must not lose it
    cells = experiments.summarize(comparison)
    print(f"\n{report.comparison_table(cells)}\n\n{report.comparison_legend(cells)}\n")
    ended = f"interrupted after {len(comparison.results)} of" if comparison.interrupted else ""
    print(f"{ended} {len(configs)} runs on {train.title} in {comparison.seconds:.0f} s. Written:".lstrip())
    for file in files:
        print(f"  {file}")
    print(f"Open in a browser: {folder / report.PAGE}")
    return 130 if comparison.interrupted else 0


def _line(result: RunResult) -> str:
    config = result.config
    what = f"{config.arm}, lr {config.lr:g}, seed {config.seed}"
    return f"{what}: {result.outcome}, {100 * result.test_accuracy:.1f} %, {result.seconds:.1f} s"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"
