"""A failed check once more, in the student's own Python prompt: the snippet, and what it loads."""

from __future__ import annotations

import ast
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np

from minidl.grading.course.assignment import read_visible
from minidl.grading.course.find import find_assignment
from minidl.grading.course.judging import Judgement

LONGEST = 10        # lines of a snippet
_BLOCKS = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.If, ast.With, ast.Try)


def reproduce(assignment: str, check: str, submission: str | Path, case: int = 0) -> dict[str, Any]:
    """The names of a submission, `np`, and the inputs of a visible check, ready for its program.

    It runs the submission as a module in this process: it is for one's own.

    Args:
        assignment: such as "A3".
        check: its name, as the grader prints it.
        submission: the file.
        case: which of the check's cases, from 0.

    Raises:
        ValueError: no such visible check.

    """
    path = Path(submission)
    found = find_assignment(assignment, [path.parent, Path.cwd()])
    checks = {each.name: each for each in read_visible(found)}
    if check not in checks or not 0 <= case < len(checks[check].cases):
        raise ValueError(f"{found.name}: expected a visible check and a case of it, got {check!r}, {case}")
    return {**runpy.run_path(str(path)), "np": np, **checks[check].cases[case].inputs}


def snippet(judgement: Judgement, assignment: str, file: str) -> list[str]:
    """Lines for a Python prompt that show what is wrong; empty for what passed or is hidden.

    At most ten of code; a prompt wants an empty line after each block.
    """
    check, number = judgement.check, judgement.case
    if number is None or not check.visible:
        return []
    program = check.cases[number].program.strip().splitlines()
    which = f", {number}" if number else ""
    names = ", ".join(map(json.dumps, (assignment, check.name, file)))
    load = f"globals().update(reproduce({names}{which}))"
    show = [f"print({_place(judgement)})"] if judgement.wrong_name else []
    import_it = "from minidl.grading.course import reproduce"
    for lines in ([import_it, load, *program, *show], [f"{import_it}; {load}", *program, *show]):
        if len(lines) <= LONGEST:
            return _for_a_prompt(lines)
    return _for_a_prompt([f"{import_it}; {load}", *program])


def _for_a_prompt(lines: list[str]) -> list[str]:
    ends = {
        statement.end_lineno
        for statement in ast.parse("\n".join(lines)).body
        if isinstance(statement, _BLOCKS)
    }
    return [each for i, line in enumerate(lines, 1) for each in ([line, ""] if i in ends else [line])]


def _place(judgement: Judgement) -> str:
    place = ", ".join(map(str, judgement.first_wrong or ()))
    return f"{judgement.wrong_name}[{place}]" if place else judgement.wrong_name
