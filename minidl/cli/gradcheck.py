"""`minidl gradcheck`: checks every gradient of minidl, or those of your own op or layer."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minidl.gradchecks import Check


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "gradcheck",
        help="check gradients against central differences",
        description="Check the gradients of every op, loss and layer of minidl, or of your own, against\n"
        "central differences: float64, random upstream gradient. Exit code 1 if one is wrong.",
        epilog="examples:\n  minidl gradcheck\n  minidl gradcheck my_module:my_op --shape 5x3 3x2\n"
        "  minidl gradcheck my_module:make_my_layer --shape 6x4",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "name", nargs="?", metavar="MODULE:FUNCTION", help="an op, a Layer, or a function that makes a layer"
    )
    parser.add_argument(
        "--shape", nargs="+", type=shape, default=[], metavar="SHAPE", help="of each input; default: 4x3"
    )
    parser.set_defaults(run=run)


def shape(text: str) -> tuple[int, ...]:
    """A shape, such as 4x3."""
    parts = text.lower().split("x")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"expected a shape such as 4x3, got {text!r}")
    return tuple(int(part) for part in parts)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from minidl.gradchecks import check_all, check_own

    if args.name is None:
        if args.shape:
            raise ValueError("--shape goes with a name: use minidl gradcheck MODULE:FUNCTION --shape ...")
        return _print(check_all())
    sys.path.insert(0, os.getcwd())     # the user's module lies where the command is called
    return _print(check_own(args.name, args.shape))


def _print(checks: Iterable[Check]) -> int:
    print(f"{'op or layer':<38} {'shapes':<36} {'worst error':>11}  verdict")
    done, failed = 0, []
    for check in checks:
        shapes = " ".join("x".join(map(str, s)) or "scalar" for s in check.shapes)
        verdict = "ok" if check.passed else "WRONG"
        print(f"{check.name:<38} {shapes:<36} {check.error:>11.1e}  {verdict}", flush=True)
        done += 1
        if not check.passed:
            failed.append(check)
    for check in failed:
        sentence = check.sentence.encode("ascii", "replace").decode()
        print(f"\n{check.name}: {sentence}")
    print(f"\n{done} checked, {len(failed)} wrong")
    return 1 if failed else 0
