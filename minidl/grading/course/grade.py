"""Grading one submission: each check in the sandbox, judged here."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import minidl
from minidl.grading.course.assignment import GRADER_VERSION, Assignment
from minidl.grading.course.checks import TaskCheck
from minidl.grading.course.judging import CaseResult, judge_check
from minidl.grading.course.result import Mark, Outcome, Result
from minidl.grading.course.sandbox.limits import Limits
from minidl.grading.course.sandbox.runner import Sandbox

LARGEST = 10**6     # bytes of a submission


def grade(
    assignment: Assignment, checks: Sequence[TaskCheck], path: Path, marks: Sequence[Mark] = (),
    seed: int | None = None, limits: Limits | None = None,
) -> Result:
    """Run the checks on a submission and judge what comes back.

    Args:
        assignment: which one.
        checks: those to run, in this order.
        path: the submission: a .py file; where there are no checks, anything, a folder too.
        marks: given by hand.
        seed: that the checks were drawn with; None for the published ones.
        limits: what the submission may use.

    Raises:
        ValueError: no file that could be a submission.
        RuntimeError: the sandbox can't be set up here.

    """
    began = time.monotonic()
    limits = limits or Limits()
    source = _read(path) if checks else _all_of(path)
    outcomes: list[Outcome] = []
    missing: list[str] = []
    if checks:
        with Sandbox(path.name, source, assignment.library, limits) as sandbox:
            _run(sandbox, checks, limits, outcomes, missing)
    return Result(
        assignment, path, hashlib.sha256(source).hexdigest(), outcomes, marks, missing,
        time.monotonic() - began, minidl.__version__, GRADER_VERSION, seed,
    )


def _run(
    sandbox: Sandbox, checks: Sequence[TaskCheck], limits: Limits, outcomes: list[Outcome], missing: list[str]
) -> None:
    end = time.monotonic() + limits.submission_seconds
    timeouts = 0
    # Visible ones first: whatever a hidden one tells the submission, no output of it can be shown any more.
    for check in sorted(checks, key=lambda check: not check.visible):
        left = end - time.monotonic()
        if timeouts >= limits.timeouts:
            outcomes.append(_not_run(check, f"not run: {timeouts} checks before it ran out of time"))
        elif left <= 0:
            seconds = f"{limits.submission_seconds:.0f} s"
            outcomes.append(_not_run(check, f"not run: the {seconds} of a submission were over"))
        else:
            run = sandbox.run(check.cases, min(limits.wall_seconds, left))
            timeouts += run.timeout
            missing += [limit for limit in run.missing if limit not in missing]
            judgement = judge_check(check, run.results)
            # What the submission says of a hidden check might be its inputs: nobody is to see that.
            notes, output = (run.notes, run.output) if check.visible else ((), "")
            outcomes.append(Outcome(judgement, run.why, [*notes, *run.seen], output))
    outcomes.sort(key=lambda outcome: checks.index(outcome.judgement.check))


def _not_run(check: TaskCheck, why: str) -> Outcome:
    return Outcome(judge_check(check, [CaseResult({}, why)]), why)


def _all_of(path: Path) -> bytes:
    """What is marked by hand, only to tell one version of it from another."""
    if not path.exists():
        raise ValueError(f"submission {path}: expected a file or a folder, got nothing")
    within = [each for each in sorted(path.rglob("*")) if each.is_file() and not each.is_symlink()]
    files = [path] if path.is_file() else within
    names = [os.fsencode(each.relative_to(path.parent).as_posix()) for each in files]
    return b"".join(name + each.read_bytes() for name, each in zip(names, files, strict=True))


def _read(path: Path) -> bytes:
    if path.is_symlink():       # a student's might lead to the solutions, which the grader may read
        raise ValueError(f"submission {path}: expected a file itself, got a link to one")
    if not path.is_file() or path.suffix.lower() != ".py":
        if not path.exists():
            where = "this folder" if path.parent == Path() else str(path.parent)
            raise ValueError(f"there is no file {path.name} in {where}")
        what = "a folder" if path.is_dir() else "a file of another kind"
        raise ValueError(f"submission {path}: expected a .py file, got {what}")
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"submission {path}: expected at most {LARGEST} bytes, got {size}")
    return path.read_bytes()
