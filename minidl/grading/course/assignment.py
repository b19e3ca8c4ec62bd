"""An assignment as it lies in its folder: tasks and points, and the checks that students see."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minidl.engine.array import Array
from minidl.grading.course.checks import Case, Hint, TaskCheck

DESCRIPTION, VISIBLE = "assignment.toml", "checks.json"
GRADER_VERSION = 1      # of what a check is, and of how it is judged: marks of two versions can't be compared


@dataclass(frozen=True)
class Task:
    """A part of an assignment.

    Attributes:
        number: from 1.
        title: what is to be done.
        points: of all its checks, hidden ones too.
        read: what to read again: a tutorial, such as "tutorials/04_forward.py", or where none tells it a part
            of the handout, such as "handout: Theory in brief".

    """

    number: int
    title: str
    points: float
    read: str


@dataclass(frozen=True)
class Assignment:
    """An assignment.

    Attributes:
        name: "A3".
        title: "Batch normalization, forward and backward".
        starter: name of the starter file, such as "a3.py".
        hours: that it is expected to take.
        library: whether `minidl` may be imported by a submission while it is graded.
        tasks: in their order.
        folder: where it lies.

    """

    name: str
    title: str
    starter: str
    hours: float
    library: bool
    tasks: tuple[Task, ...]
    folder: Path

    @property
    def points(self) -> float:
        """Of all tasks."""
        return sum(task.points for task in self.tasks)


def read_assignment(folder: Path) -> Assignment:
    """An assignment from the `assignment.toml` of its folder.

    Raises:
        ValueError: a folder without one, or one that lacks an entry.

    """
    path = folder / DESCRIPTION
    try:
        entry = tomllib.loads(path.read_text(encoding="utf-8"))
        tasks = tuple(Task(**task) for task in entry.pop("tasks"))
        found = Assignment(tasks=tasks, folder=folder, **entry)
        texts = [found.name, found.title, found.starter, *(task.title for task in tasks)]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a name or a title that is no text")
        numbers = [number for task in tasks for number in (task.number, task.points)]
        if not all(isinstance(number, int | float) for number in numbers):
            raise TypeError("a task's number or points that are no number")
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:     # the second: of UTF-8 and of TOML
        raise ValueError(
            f"assignment in {folder}: expected {DESCRIPTION} with name, title, starter, hours, library and "
            f"tasks, got {type(error).__name__}: {error}"
        ) from error


def read_visible(assignment: Assignment) -> list[TaskCheck]:
    """The checks that students see, from the `checks.json` of the folder; none where there is none.

    Raises:
        ValueError: made for another version of the grader, or damaged.

    """
    path = assignment.folder / VISIBLE
    if not path.exists():
        return []
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        version = plain["grader"]
        checks = [_check(check) for check in plain["checks"]] if version == GRADER_VERSION else []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: expected the grader's version and checks, got {type(error).__name__}: take the "
            "assignment's files anew"
        ) from error
    require_version(version, str(path))
    return checks


def visible_json(checks: Sequence[TaskCheck]) -> str:
    """The visible ones of these checks, as the text of `checks.json`: what is expected, but no solution.

    The grader's version stands in it: a grader of another version refuses the file.
    """
    visible = ",\n".join(json.dumps(_plain(check), allow_nan=True) for check in checks if check.visible)
    return f'{{"grader": {GRADER_VERSION}, "checks": [\n{visible}\n]}}\n'


def require_version(version: object, where: str) -> None:
    """An error unless this is the version of the grader that runs."""
    if version != GRADER_VERSION:
        raise ValueError(
            f"{where} was made for version {version!r:.40} of the grader, and this is version "
            f"{GRADER_VERSION}: take the files and the library of the same edition of the course"
        )


def _plain(check: TaskCheck) -> dict[str, Any]:
    return {
        "name": check.name, "task": check.task, "points": check.points, "tolerance": check.tolerance,
        "cases": [
            {
                "program": case.program,
                "inputs": _values(case.inputs),
                "expected": _values(case.expected),
            }
            for case in check.cases
        ],
        "hints": [
            {"sentence": hint.sentence, "outputs": [_rounded(output) for output in hint.outputs]}
            for hint in check.hints
        ],
    }


def _values(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in named.items()}


def _rounded(named: Mapping[str, Any]) -> dict[str, Any]:
    """Twelve digits of the largest number: more than it takes to name a mistake, and a smaller file."""
    return {name: _value(_twelve_digits(np.asarray(value))) for name, value in named.items()}


def _twelve_digits(a: Array) -> Array:
    largest = np.max(np.abs(a), initial=0.0, where=np.isfinite(a))
    return np.round(a, 11 - int(np.log10(largest))) if a.dtype.kind == "f" and largest else a


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        a = np.asarray(value)
        return {"dtype": a.dtype.name, "shape": a.shape, "values": a.ravel().tolist()}
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    return value


def _back(value: Any) -> Any:
    if isinstance(value, dict):
        return np.array(value["values"], value["dtype"]).reshape(value["shape"])
    if isinstance(value, list):
        return [_back(each) for each in value]
    return value


def _arrays(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _back(value) for name, value in plain.items()}


def _check(plain: Mapping[str, Any]) -> TaskCheck:
    cases = [Case(c["program"], _arrays(c["inputs"]), _arrays(c["expected"])) for c in plain["cases"]]
    hints = [Hint(h["sentence"], [_arrays(output) for output in h["outputs"]]) for h in plain["hints"]]
    rest = {key: plain[key] for key in ("name", "task", "points", "tolerance")}
    return TaskCheck(cases=cases, hints=hints, **rest)
