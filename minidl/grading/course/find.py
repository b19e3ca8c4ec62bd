"""Where assignments lie, and their hidden checks."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import minidl
from minidl.grading.course.assignment import (
    DESCRIPTION,
    VISIBLE,
    Assignment,
    read_assignment,
    read_visible,
    require_version,
)
from minidl.grading.course.checks import TaskCheck

CHECKS = "checks.py"
VISIBLE_SEED = 2015     # of the checks that are published


def find_assignment(name: str, near: Sequence[Path], folder: Path | None = None) -> Assignment:
    """An assignment by its name.

    Args:
        name: "A3", or "a3".
        near: files or folders: `tutorials/assignments`, or `assignments`, is looked for in each and upwards.
        folder: where the assignments lie, if that is known.

    Raises:
        ValueError: none of this name, or no assignments at all.

    """
    root = folder or find_folder(near)
    known = [read_assignment(path.parent) for path in sorted(root.glob(f"*/{DESCRIPTION}"))]
    for assignment in known:
        if assignment.name.lower() == name.lower():
            return assignment
    names = ", ".join(assignment.name for assignment in known) or "none"
    raise ValueError(f"expected one of the assignments in {root} ({names}), got {name!r:.60}")


def find_folder(near: Sequence[Path]) -> Path:
    """The folder of all assignments, in one of these places or above it, else beside the library."""
    for place in (*near, Path(minidl.__file__).parent):
        for above in (place.resolve(), *place.resolve().parents):
            for folder in (above / "tutorials" / "assignments", above / "assignments"):
                if any(folder.glob(f"*/{DESCRIPTION}")):
                    return folder
    raise ValueError(
        f"expected tutorials/assignments above {near[0] if near else Path.cwd()}, got none: name it with "
        "--assignments DIR"
    )


def find_checks(
    assignment: Assignment, hidden: Path | None = None, seed: int | None = None
) -> list[TaskCheck]:
    """The checks of an assignment: the published ones, and with an instructor's folder the hidden ones too.

    Args:
        assignment: which one.
        hidden: a folder like `tests/assignments`, with a folder for each assignment, or that folder itself.
        seed: draws the inputs of all checks, so that nobody has seen them; None for those that are published.

    Raises:
        ValueError: a seed without hidden checks, or hidden checks that belong to another edition.

    """
    visible = read_visible(assignment)
    if hidden is None:
        if seed is not None:
            raise ValueError("--seed draws inputs with the hidden checks: name their folder by --hidden DIR")
        return visible
    draw = load_hidden(assignment, hidden)
    published = draw(VISIBLE_SEED)
    _require_same_edition(assignment, visible, [check for check in published if check.visible])
    if seed is not None:
        return draw(seed)
    by_name = {check.name: check for check in visible}
    return [by_name[check.name] if check.visible else check for check in published]


def hidden_folder(assignment: Assignment, hidden: Path) -> Path:
    """The instructors' folder of an assignment, in theirs of all assignments or given itself.

    Raises:
        ValueError: there is none.

    """
    for folder in (hidden / assignment.folder.name, hidden):
        if (folder / CHECKS).is_file():
            return folder
    raise ValueError(f"expected {assignment.folder.name}/{CHECKS} in {hidden}, got none")


def load_hidden(assignment: Assignment, hidden: Path) -> Callable[[int], list[TaskCheck]]:
    """The function `checks` of the instructors' module, which is trusted: it runs in this process.

    Raises:
        ValueError: there is none, or it was made for another version of the grader.

    """
    folder = hidden_folder(assignment, hidden).resolve()
    package = f"minidl_hidden_{folder.name}_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    if package not in sys.modules:
        here = [str(folder)]
        spec = importlib.util.spec_from_file_location(
            package, folder / "__init__.py", submodule_search_locations=here
        )
        assert spec is not None
        sys.modules[package] = importlib.util.module_from_spec(spec)
    module = importlib.import_module(f"{package}.checks")
    # Version 1 needn't be told: there was none before it.
    require_version(getattr(module, "GRADER", 1), str(folder / CHECKS))
    draw: Callable[[int], list[TaskCheck]] = module.checks
    return draw


def _require_same_edition(
    assignment: Assignment, published: Sequence[TaskCheck], drawn: Sequence[TaskCheck]
) -> None:
    def what(check: TaskCheck) -> tuple[object, ...]:
        programs = [(case.program, list(case.inputs), list(case.expected)) for case in check.cases]
        return check.name, check.task, check.points, check.tolerance, programs

    if [what(check) for check in published] != [what(check) for check in drawn]:
        raise ValueError(
            f"{assignment.name}: the hidden checks were made for another edition than "
            f"{assignment.folder / VISIBLE}, as their visible ones differ: take both from the same edition "
            "of the course"
        )
