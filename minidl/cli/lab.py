"""`minidl lab`: an experiment for every claim about batch normalization."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from minidl.cli.options import find_data, whole_number
from minidl.engine.blocks import cores, set_threads

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from minidl.experiments.lab import LabResult, NotConcluded, Scale

SEEDS = "seeds 0 to N - 1; default: 10 for an MLP, 5 for a CNN; with --quick 2"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "lab",
        help="test the claims about batch normalization, each by an experiment",
        description="Test a claim about batch normalization: train its arms, and say what the data say.\n"
        "Each experiment writes results.json, its figures, a paragraph with the verdict, and a page.",
        epilog="examples:\n  minidl lab list\n  minidl lab figure1 --quick\n  minidl lab all",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="an experiment, all of them (all), or their list (list)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a preview in a minute, without a verdict")
    size.add_argument("--full", action="store_true", help="the paper's scale: hours")
    parser.add_argument("--seeds", type=whole_number(2, 1000), metavar="N", help=SEEDS)
    parser.add_argument("--workers", type=whole_number(1), metavar="N", help="processes; default: one a core")
    parser.add_argument("--data", metavar="NAME", help="default: mnist, or synthetic digits without it")
    parser.add_argument("--grey", action="store_true", help="figure1 alone: grey pixels, not black or white")
    parser.add_argument("--out", metavar="DIR", help="a new or empty folder; default: a new one in runs/")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from minidl.experiments import lab, worker_processes
    from minidl.report import NotDrawn, results_folder

    scale = lab.scale_of("quick" if args.quick else "full" if args.full else "default", args.seeds)
    known = lab.experiments()
    workers = args.workers or cores()
    if workers > 1:
        set_threads(1)
    if args.name == "list":
        _list(scale, workers)
        return 0
    if args.name not in (*known, "all"):
        raise ValueError(f"expected one of {', '.join(known)}, all or list, got {args.name!r}")
    if args.grey and args.name != "figure1":
        raise ValueError(f"--grey goes with figure1 alone, got {args.name!r}: leave it away")
    names = known if args.name == "all" else [args.name]
    folder = results_folder(args.out, f"lab-{args.name}")
    data, train = find_data(args.data)
    done: list[str] = []
    code = 0
    try:
        with worker_processes(workers) as executor:
            for name in names:
                jobs = lab.planned(name, scale, data)
                print(f"{name}: about {len(jobs)} runs on {train.title}, {scale.name} scale", flush=True)
                target = folder / name if args.name == "all" else folder
                try:
                    result = _run_one(name, scale, data, executor, len(jobs), args.grey)
                except lab.NotConcluded as error:
                    _keep(error, target)
                    code = 2
                    continue
                try:
                    _report(result, target)
                except NotDrawn as error:
                    # The results are kept: the experiments that follow needn't wait for a figure.
                    print(f"minidl lab: {error}".encode("ascii", "replace").decode(), file=sys.stderr)
                    code = 2
                    if isinstance(error.__cause__, KeyboardInterrupt):
                        return 130
                done.append(name)
    except KeyboardInterrupt:
        if not done:
            raise
        print(f"interrupted after {', '.join(done)}, which are written", file=sys.stderr)
        return 130
    if len(names) > 1:
        print(f"\nAll of them on one page: minidl report {folder}")
    return code


def _run_one(
    name: str, scale: Scale, data: str, executor: Executor | None, count: int, grey: bool
) -> LabResult:
    from tqdm import tqdm  # type: ignore[import-untyped]

    from minidl.experiments import lab

    watched = sys.stderr is not None and sys.stderr.isatty()
    with tqdm(total=count, unit="run", ascii=True, disable=not watched) as bar:
        settings = {"grey": True} if grey else {}
        return lab.run_experiment(name, scale, data, executor, lambda record: bar.update(), settings)


def _report(result: LabResult, folder: Path) -> None:
    from minidl.report import PAGE
    from minidl.report.lab import paragraph, write_lab

    files = write_lab(result, folder)       # first: a console that has gone must not lose it
    print(f"\n{paragraph(result)}\n{result.seconds:.0f} s. Written:")
    for file in files:
        print(f"  {file}")
    print(f"Open in a browser: {folder / PAGE}")


def _keep(error: NotConcluded, folder: Path) -> None:
    from minidl.experiments import to_plain
    from minidl.report import write_json, written_whole

    with written_whole(folder) as unfinished:
        write_json(unfinished / "records.json", to_plain(error.records))
    text = f"minidl lab: {error}: they are kept in {folder / 'records.json'}"
    print(text.encode("ascii", "replace").decode(), file=sys.stderr)


def _list(scale: Scale, workers: int) -> None:
    from minidl.experiments import lab

    speed = lab.measure_speed()
    for name in lab.experiments():
        seconds = lab.estimate(lab.planned(name, scale), speed) / workers
        print(f"{name:26} {_duration(seconds):>8}  {lab.claims()[name].claim}")
    print(f"\nEstimates for the {scale.name} scale on this machine with {workers} worker(s).")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
