"""Marks that people give, for the tasks of an assignment that have no checks: read from a table."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

from minidl.grading.course.assignment import Assignment
from minidl.grading.course.checks import TaskCheck
from minidl.grading.course.result import Mark

COLUMNS = ("submission", "task", "points")


def by_hand(assignment: Assignment, checks: Sequence[TaskCheck]) -> list[Mark]:
    """The tasks that have no check at all, as marks that aren't given yet.

    A task with any check isn't among them: points that its checks leave are those of hidden ones.
    """
    checked = {check.task for check in checks}
    return [Mark(task.number, task.points) for task in assignment.tasks if task.number not in checked]


def read_marks(path: Path, parts: Sequence[Mark], names: Sequence[str]) -> dict[str, list[Mark]]:
    """The marks of a table with the columns submission, task, points, and perhaps comment.

    Args:
        path: a CSV file, as a spreadsheet writes it.
        parts: the tasks that are marked by hand.
        names: of the submissions; one that the table doesn't name stays unmarked.

    Returns:
        for each name its marks, those without points where nothing was given.

    Raises:
        ValueError: a line that doesn't fit.

    """
    most = {part.task: part.most for part in parts}
    given: dict[str, dict[int, Mark]] = {name: {} for name in names}
    for number, row in _rows(path):
        where = f"{path}, line {number}"
        name = (row["submission"] or "").strip()
        mark = _mark(row, most, where)
        if name in given:
            if mark.task in given[name]:
                raise ValueError(f"{where}: {name} has marks for task {mark.task} already: keep one line")
            given[name][mark.task] = mark
    return {name: [marks.get(part.task, part) for part in parts] for name, marks in given.items()}


def unknown_names(path: Path, names: Collection[str]) -> list[str]:
    """The names in a table of marks under which nothing was handed in: typing errors, perhaps."""
    named = dict.fromkeys((row["submission"] or "").strip() for _, row in _rows(path))
    return [name for name in named if name and name not in names]


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Each with the number of its (last) line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            rows = [(table.line_num, row) for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected a table, comma-separated, in UTF-8, got {error}") from error
    missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
    if missing:
        raise ValueError(f"{path}: expected columns {', '.join(COLUMNS)}, got no {missing[0]}")
    return rows


def _mark(row: dict[str, str], most: dict[int, float], where: str) -> Mark:
    tasks = ", ".join(map(str, most)) or "none"
    try:
        task, points = int(row["task"]), float(row["points"])
    except (TypeError, ValueError):
        raise ValueError(
            f"{where}: expected numbers for task and points, got {row['task']!r}, {row['points']!r}"
        ) from None
    if task not in most:
        raise ValueError(f"{where}: expected a task that is marked by hand ({tasks}), got {task}")
    if not 0 <= points <= most[task]:
        raise ValueError(f"{where}: expected 0 to {most[task]:g} points, got {row['points']}")
    return Mark(task, most[task], points, (row.get("comment") or "").strip())
