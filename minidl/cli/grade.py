"""`minidl grade`: what a submission, or a folder of them, gets for an assignment."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from minidl.cli.options import whole_number

if TYPE_CHECKING:
    from minidl.grading.course.assignment import Assignment
    from minidl.grading.course.checks import TaskCheck


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `minidl`."""
    parser = subparsers.add_parser(
        "grade",
        help="grade a submission of an assignment",
        description="Run the checks of an assignment on a submission, each in a process of its own, and\n"
        "print what is right, what isn't, and how to see it. Needs no network. Exit code 1 if a check fails.",
        epilog="examples:\n  minidl grade A3 a3.py\n"
        "  minidl grade A3 submissions --csv marks.csv --hidden private --seed 7\n"
        "  minidl grade --export-gradescope A3 autograder.zip --hidden private\n"
        "  minidl grade --export-student-tree course",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("assignment", nargs="?", metavar="A1", help="the assignment's name")
    add("submission", nargs="?", type=Path, metavar="FILE", help="a .py file; with --csv a folder of them")
    add("--json", type=Path, metavar="FILE", help="write the result in the form that Gradescope reads")
    add("--csv", type=Path, metavar="FILE", help="grade all in the folder: write a line for each")
    add("--hidden", type=Path, metavar="DIR", help="the instructors' folder of checks")
    add("--seed", type=whole_number(0), metavar="N", help="draw all inputs anew, from this; needs --hidden")
    add("--manual", type=Path, metavar="FILE", help="marks by hand: submission,task,points,comment")
    add("--assignments", type=Path, metavar="DIR", help="where assignments lie; else sought upwards")
    export = parser.add_mutually_exclusive_group()
    export.add_argument(
        "--export-gradescope", nargs=2, metavar=("A1", "FILE"), help="write an autograder as a .zip"
    )
    export.add_argument(
        "--export-student-tree", type=Path, metavar="DIR", help="copy what students get, without solutions"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.export_student_tree is not None:
        return _export_tree(args)
    if args.export_gradescope is not None:
        return _export_gradescope(args)
    if args.assignment is None or args.submission is None:
        raise ValueError("expected an assignment and a submission, such as  minidl grade A3 a3.py")
    if args.csv is not None and args.json is not None:
        raise ValueError("--json writes one result and --csv those of a folder: leave one of them away")

    for out in (args.json, args.csv):
        if out is not None and any(_same(out, given) for given in (args.submission, args.manual)):
            raise ValueError(f"{out} would be overwritten with the results: name another file for them")

    from minidl.grading.course.find import find_assignment, find_checks

    near = [args.submission.parent, Path.cwd()]
    assignment = find_assignment(args.assignment, near, args.assignments)
    checks = find_checks(assignment, args.hidden, args.seed)
    return (_grade_one if args.csv is None else _grade_all)(args, assignment, checks)


def _same(path: Path, other: Path | None) -> bool:
    return other is not None and path.is_file() and other.is_file() and path.samefile(other)


def _grade_one(args: argparse.Namespace, assignment: Assignment, checks: list[TaskCheck]) -> int:
    from minidl.files import replacing
    from minidl.grading.course.console import report
    from minidl.grading.course.grade import grade
    from minidl.grading.course.gradescope import results_json
    from minidl.grading.course.manual import by_hand, read_marks

    marks = by_hand(assignment, checks)
    if args.manual is not None:
        path = args.submission.resolve()    # the name that it has in a folder of a class
        name = path.name if path.is_dir() else path.stem
        marks = read_marks(args.manual, marks, [name])[name]
    # Opened before the work, to fail before it, and written before anything is printed, as a console that has
    # gone must not lose it.
    with nullcontext() if args.json is None else replacing(args.json) as file:
        result = grade(assignment, checks, args.submission, marks, args.seed)
        if file is not None:
            file.write(results_json(result).encode())
    print(report(result))
    return int(any(not outcome.judgement.passed for outcome in result.outcomes))


def _grade_all(args: argparse.Namespace, assignment: Assignment, checks: list[TaskCheck]) -> int:
    from tqdm import tqdm  # type: ignore[import-untyped]

    from minidl.engine.blocks import cores
    from minidl.files import replacing
    from minidl.grading.course.batch import find_submissions, grade_all, table_csv
    from minidl.grading.course.console import in_ascii
    from minidl.grading.course.manual import by_hand, read_marks, unknown_names

    submissions = find_submissions(args.submission, assignment.starter if checks else "")
    parts = by_hand(assignment, checks)
    marks = {submission.name: parts for submission in submissions}
    if args.manual is not None:
        for name in unknown_names(args.manual, marks):
            print(in_ascii(f"{args.manual}: nothing was handed in as {name}: a slip?"), file=sys.stderr)
        marks = read_marks(args.manual, parts, list(marks))
    watched = sys.stderr is not None and sys.stderr.isatty()
    bar = tqdm(total=len(submissions), unit="submission", ascii=True, disable=not watched)
    with replacing(args.csv) as file, bar:      # in this order: to fail before the work, not after it
        results = grade_all(assignment, checks, submissions, marks, args.seed, cores(), lambda: bar.update())
        # A name from another system may have bytes that are no text.
        file.write(table_csv(assignment, checks, results).encode("utf-8", "backslashreplace"))
    print(f"{assignment.name}: {len(results)} submissions, written to {args.csv}")
    refused = {name: result for name, result in results.items() if isinstance(result, str)}
    for name, why in refused.items():
        print(in_ascii(f"  {name}: not graded: {why}"))
    return int(bool(refused))


def _export_gradescope(args: argparse.Namespace) -> int:
    from minidl.grading.course.export_gradescope import export_gradescope
    from minidl.grading.course.find import find_assignment

    name, out = args.export_gradescope
    assignment = find_assignment(name, [Path.cwd()], args.assignments)
    names = export_gradescope(assignment, Path(out), args.hidden, args.seed)
    print(f"{assignment.name}: {len(names)} files, written to {out}")
    if args.hidden is None:
        print("without hidden checks: name the instructors' folder by --hidden DIR to have them in it")
    return 0


def _export_tree(args: argparse.Namespace) -> int:
    from minidl.grading.course.find import find_folder
    from minidl.grading.course.trees import export_student_tree

    folder = args.assignments or find_folder([Path.cwd()])
    names = export_student_tree(folder.resolve().parents[1], args.export_student_tree)
    print(f"{len(names)} files, written to {args.export_student_tree}")
    return 0
