"""`minidl datasets`: list the data sets, fetch them, verify their files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minidl.datasets.local import Finding

_EPILOG = """\
examples:
  minidl datasets                      what there is, where it lies, and whether it is right
  minidl datasets fetch mnist          download it if it is missing, and verify it
  minidl datasets verify               check every file that is here (exit code 1 if one is wrong)

Set MINIDL_DATASETS to a folder that holds mnist/ and fashion-mnist/ to use files that you have.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "datasets",
        help="list, fetch and verify the data sets",
        description="List the data sets, fetch them, verify their files.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="{fetch,verify}")
    fetch = actions.add_parser(
        "fetch",
        help="download data sets (or draw the synthetic one) where they are missing, and verify them",
        epilog="example: minidl datasets fetch mnist fashion-mnist",
    )
    fetch.add_argument("names", nargs="+", metavar="NAME", help="mnist, fashion-mnist or stroke-digits")
    verify = actions.add_parser(
        "verify",
        help="check size and SHA-256 of every file",
        epilog="example: minidl datasets verify mnist",
    )
    verify.add_argument("names", nargs="*", metavar="NAME", help="default: all that are here")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; the exit code is 1 where `verify` found a file wrong or missing."""
    from minidl.datasets.mnist import known

    names = [known(name) for name in getattr(args, "names", [])]
    if args.action == "fetch":
        return _fetch(names)
    if args.action == "verify":
        return _verify(names)
    return _list()


def _list() -> int:
    from minidl.datasets import NAMES
    from minidl.datasets.folders import places

    row = "{:<14} {:<11} {:>8}  {}".format
    _say(row("name", "state", "MB", "where"))
    surveys = {name: _survey(name) for name in NAMES}
    for name, (state, size, paths, _) in surveys.items():
        _say(row(name, state, f"{size / 1e6:.1f}" if size else "-", _folders(paths) or "-"))
    _say("")
    for name, (_, _, _, credit) in surveys.items():
        _say(f"{name}: {credit}")
    _say("\nlooked for in, first one first: " + ", ".join(str(place.path) for place in places()))
    return 0


def _survey(name: str) -> tuple[str, int, list[Path], str]:
    """State, bytes, files and credit of one data set."""
    from minidl.datasets import stroke_cache
    from minidl.datasets.local import inspect
    from minidl.datasets.manifest import sources

    if name == stroke_cache.NAME:
        paths = stroke_cache.cache_files()[:1]
        state = "drawn" if paths else "not drawn"
        if any(stroke_cache.read_cache(path) is None for path in paths):
            state = "damaged"
        credit = f"synthetic, {stroke_cache.CREDIT}; needs no network"
        return state, sum(path.stat().st_size for path in paths), paths, credit
    source = sources()[name]
    findings = inspect(source)
    paths = [finding.path for finding in findings if finding.path]
    return _state(findings), source.size, paths, f"{source.credit}; licence: {source.licence}"


def _fetch(names: list[str]) -> int:
    from minidl.datasets import stroke_cache
    from minidl.datasets.local import obtain
    from minidl.datasets.manifest import sources

    for name in names:
        if name == stroke_cache.NAME:
            stroke_cache.stroke_digits()
            paths = stroke_cache.cache_files()[:1]
        else:
            paths = [finding.path for finding in obtain(sources()[name]) if finding.path]
        _say(f"{name}: here and verified, in {_folders(paths) or 'memory only, as no folder is writable'}")
    return 0


def _verify(names: list[str]) -> int:
    """Print a line for each file; without names, what is missing altogether is no failure."""
    from minidl.datasets import NAMES, stroke_cache
    from minidl.datasets.local import inspect
    from minidl.datasets.manifest import sources

    failed = False
    for name in names or NAMES:
        results: list[tuple[Path | str, str | None]]
        if name == stroke_cache.NAME:
            results = [
                (path, None if stroke_cache.read_cache(path) else "is damaged")
                for path in stroke_cache.cache_files()[:1]
            ]
        else:
            findings = inspect(sources()[name])
            here = any(finding.path for finding in findings)
            results = [(f.path or f.file.name, f.fault if f.path else "is missing") for f in findings if here]
        if not results:
            failed |= bool(names)
            _say(f"{name}: not here")
        for path, fault in results:
            failed |= fault is not None
            _say(f"{name}: {path} {fault or 'is right'}")
    return int(failed)


def _state(findings: list[Finding]) -> str:
    if any(finding.fault for finding in findings):
        return "damaged"
    present = sum(finding.raw is not None for finding in findings)
    return "missing" if not present else "verified" if present == len(findings) else "incomplete"


def _folders(paths: list[Path]) -> str:
    return ", ".join(dict.fromkeys(str(path.parent) for path in paths))


def _say(line: str) -> None:
    """Print, even where a folder's name has letters that the console doesn't have."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"   # no stdout at all: nothing is printed
    print(line.encode(encoding, "backslashreplace").decode(encoding))
