"""`minidl report`: one page of runs of compare, train and lab."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "report",
        help="write one page of runs of compare, train and lab",
        description="Write one HTML file of one or more runs: verdict or headline, figures with their data,\n"
        "settings, environment, seeds, and the command that repeats it. It opens without a network.",
        epilog="examples:\n  minidl report runs/compare-mlp-20260101-120000\n"
        "  minidl report runs/lab-all-20260101-120000 --out laboratory.html",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "names", metavar="RUN", nargs="+", help="a folder of compare, train or lab, or one that holds such"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="default: report.html in the folder; of several RUNs in the present one"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from minidl import report
    from minidl.files import replacing

    given = [Path(name) for name in dict.fromkeys(args.names)]
    page = Path(args.out) if args.out else (given[0] if len(given) == 1 else Path()) / report.PAGE
    if page.is_dir():
        raise ValueError(f"--out {page}: expected the name of a file, got a folder: {page / report.PAGE}?")
    if page.suffix.lower() not in (".html", ".htm"):    # else a slip would replace a run's own results.json
        raise ValueError(f"--out {page}: expected a name that ends in .html: {page.with_suffix('.html')}?")
    runs = [report.read_run(folder) for name in given for folder in report.run_folders(name)]
    content = report.run_page(runs)
    with replacing(page) as file:
        file.write(content.encode())
    print(f"{len(runs)} run{'s' * (len(runs) > 1)} in {os.fspath(page)}")
    return 0
