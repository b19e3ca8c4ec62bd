"""`minidl results`: the page of all verdicts, from runs of the laboratory."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "results",
        help="write the page of all verdicts",
        description="Write a page with claim, numbers, verdict and figure of each experiment.\n"
        "With runs: take their numbers into the file first, in place of those of the same experiments.\n"
        "Without: the page from the file alone.",
        epilog="examples:\n  minidl lab all --out runs/lab\n"
        "  minidl results tutorials/results.json runs/lab\n  minidl results tutorials/results.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", help="a .json file; the page stands beside it, as .md")
    parser.add_argument("names", metavar="RUN", nargs="*", help="a folder of `minidl lab`, or of several")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from minidl.experiments import lab
    from minidl.report.reading import run_folders
    from minidl.report.results import publish, read_lab, write_page

    path = Path(args.file)
    if path.suffix != ".json":
        raise ValueError(f"expected the name of a .json file, got {args.file!r}")
    if not args.names:
        if not path.is_file():
            raise ValueError(f"{path}: no such file: name the runs to take it from")
        print(f"written: {write_page(path)}")
        return 0
    found = {}
    for folder in (run for name in args.names for run in run_folders(Path(name))):
        if folder.resolve() == path.resolve().parent:
            raise ValueError(f"{path}: it would stand among the files of the run {folder}: name another")
        result = read_lab(folder)
        name = result.claim.experiment
        if name in found:
            raise ValueError(f"{folder}: a second run of {name}: name one run for each experiment")
        found[name] = result
    missing = [name for name in lab.experiments() if name not in found]
    if missing:
        print(f"no run of {', '.join(missing)}: they stay as in the file, if they are there")
    files = publish([found[name] for name in lab.experiments() if name in found], path)
    print("written:", *files, sep="\n  ")
    return 0
