"""`minidl grade`: what a submission, or a folder of them, gets for an assignment."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "grade",
        help="grade a submission of an assignment",
        description="Run the checks of an assignment on a submission, each in a process of its own, and\n"
        "print what is right, what isn't, and how to see it. Needs no network. Exit code 1 if a check fails.",
        epilog="examples:\n  minidl grade A3 a3.py\n"
        "  minidl grade A3 submissions --csv marks.csv --hidden DIR\n"
        "  minidl grade A3 --hidden DIR --export-gradescope autograder.zip\n"
        "  minidl grade --export-student-tree DIR",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("assignment", nargs="?", metavar="A1", help="the assignment's name")
    parser.add_argument("submission", nargs="?", type=Path, help="a .py file; with --csv a folder of them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result in Gradescope's form")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a line for each submission of the folder")
    parser.add_argument("--hidden", type=Path, metavar="DIR", help="checks that students don't have")
    parser.add_argument("--seed", type=int, metavar="N", help="draw all inputs anew (with --hidden)")
    parser.add_argument("--manual", type=Path, metavar="FILE", help="marks: submission,task,points,comment")
    parser.add_argument("--assignments", type=Path, metavar="DIR", help="where they lie; else sought upwards")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from minidl.files import replacing
    from minidl.grading.course.console import report
    from minidl.grading.course.find import find_assignment, find_checks
    from minidl.grading.course.grade import grade
    from minidl.grading.course.gradescope import results_json
    from minidl.grading.course.manual import by_hand, read_marks

    if args.assignment is None or args.submission is None:
        raise ValueError("expected an assignment and a submission, such as  minidl grade A3 a3.py")
    assignment = find_assignment(args.assignment, [args.submission.parent, Path.cwd()], args.assignments)
    checks = find_checks(assignment, args.hidden, args.seed)
    marks = by_hand(assignment, checks)
    if args.manual is not None:
        marks = read_marks(args.manual, marks, [args.submission.name])[args.submission.name]
    result = grade(assignment, checks, args.submission, marks, args.seed)
    print(report(result))
    if args.json is not None:
        with replacing(args.json) as file:
            file.write(results_json(result).encode())
    return int(any(not outcome.judgement.passed for outcome in result.outcomes))
