"""The command `minidl`: one module a command. Bad input ends with one sentence and exit code 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from minidl import __version__
from minidl.cli import compare, datasets, gradcheck, grade, lab, report, results, train

COMMANDS = (compare, lab, train, report, results, datasets, gradcheck, grade)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without repeating the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 (a check failed), 2 (bad input), 130 (Ctrl-C).

    Args:
        arguments: without the program's name; None for those of the process.

    """
    parser = _Parser(
        prog="minidl",
        description="Train small networks, with and without batch normalization.",
        epilog="example: minidl compare",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"minidl {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    args = parser.parse_args(arguments)
    for name, value in vars(args).items():
        if value == [] and name not in ("names", "shape"):  # what argparse makes of --model=--
            parser.error(f"argument --{name.replace('_', '-')}: expected a value")
    try:
        code: int = args.run(args)
        return code
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        print(f"minidl {args.command}: {text}".encode("ascii", "replace").decode(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"minidl {args.command}: interrupted, nothing was written", file=sys.stderr)
        return 130
