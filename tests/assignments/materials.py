"""What the course's tests work on: each assignment's folder for students and the one for instructors."""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import importlib.util
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minidl.grading.course.assignment import Assignment, read_assignment
from minidl.grading.course.checks import TaskCheck
from minidl.grading.course.judging import Judgement, judge_check, run_here

INSTRUCTORS = Path(__file__).parent
TUTORIALS = INSTRUCTORS.parents[1] / "tutorials"
STUDENTS = TUTORIALS / "assignments"


@dataclass(frozen=True)
class Material:
    """An assignment with all that belongs to it: what students get, and what they don't."""

    assignment: Assignment
    private: Path

    def checks(self, seed: int) -> list[TaskCheck]:
        """All its checks, visible and hidden ones."""
        return _checks(self.private.name, seed)

    def fresh_checks(self, seed: int) -> list[TaskCheck]:
        """The same, computed once more."""
        return _checks.__wrapped__(self.private.name, seed)

    @property
    def starter(self) -> Path:
        return self.assignment.folder / self.assignment.starter

    @property
    def solution(self) -> Path:
        return self.private / "solution.py"

    @property
    def right(self) -> list[Path]:
        return sorted((self.private / "right").glob("*.py"))


@dataclass(frozen=True)
class Wrong:
    """A wrong submission: the solution with a mistake in it, and what its header says that it breaks."""

    name: str
    breaks: tuple[int, ...]
    hint: str
    text: str


@functools.cache
def _checks(folder: str, seed: int) -> list[TaskCheck]:
    return list(importlib.import_module(f"tests.assignments.{folder}.checks").checks(seed))


def materials() -> list[Material]:
    """Those that have checks of code: A1 to A5, so far as their folders exist."""
    private = sorted(path.parent for path in INSTRUCTORS.glob("a*/checks.py"))
    return [
        Material(read_assignment(STUDENTS / folder.name), folder)
        for folder in private if (STUDENTS / folder.name / "assignment.toml").exists()
    ]


def load(path: Path) -> dict[str, Any]:
    """The names of a submission that can be trusted, imported in this process."""
    name = f"submission_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module      # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return vars(module)


def load_text(text: str, name: str) -> dict[str, Any]:
    """The names of a submission that lies in no file."""
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(f"submission_{name}", None))
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, f"{name}.py", "exec"), vars(module))
    finally:
        del sys.modules[module.__name__]
    return vars(module)


def judge(names: Mapping[str, Any], checks: Iterable[TaskCheck]) -> list[Judgement]:
    """Each check's judgement of a submission, run in this process."""
    return [judge_check(check, [run_here(case, names) for case in check.cases]) for check in checks]


def marks(judgements: Sequence[Judgement]) -> dict[int, float]:
    """Points for each task."""
    points = {judgement.check.task: 0.0 for judgement in judgements}
    for judgement in judgements:
        points[judgement.check.task] += judgement.check.points * judgement.passed
    return points


def lost(judgements: Sequence[Judgement]) -> tuple[int, ...]:
    """The tasks of which a check failed."""
    return tuple(sorted({judgement.check.task for judgement in judgements if not judgement.passed}))


@functools.cache
def wrongs(material: Material) -> list[Wrong]:
    """The wrong submissions of `wrong.toml`; each change must be found in the solution exactly once."""
    solution = material.solution.read_text(encoding="utf-8")
    entries = tomllib.loads((material.private / "wrong.toml").read_text(encoding="utf-8"))["wrong"]
    return [_wrong(entry, solution, material.private.name) for entry in entries]


def _wrong(entry: dict[str, Any], solution: str, folder: str) -> Wrong:
    changes = entry.get("changes") or [[entry["old"], entry["new"]]]
    text = solution
    for old, new in changes:
        times = text.count(old)
        assert times == 1, f"{folder}: {entry['name']}: {old!r} is there {times} times, not once"
        text = text.replace(old, new)
    breaks = tuple(sorted(entry["breaks"]))
    header = f"# breaks: {', '.join(map(str, breaks))}\n# wrong: {entry['name']}\n"
    return Wrong(entry["name"], breaks, entry.get("hint", ""), header + text)


def materialise(material: Material, directory: Path) -> list[Path]:
    """Write the wrong submissions as files, one each, with what they break on their first line."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, wrong in enumerate(wrongs(material)):
        path = directory / f"{material.assignment.name.lower()}_wrong_{number:02}.py"
        path.write_text(wrong.text, encoding="utf-8")
        paths.append(path)
    return paths
