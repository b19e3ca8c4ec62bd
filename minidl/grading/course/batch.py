"""A folder of submissions: all of them graded, several at a time, one line each."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from minidl.grading.course.assignment import Assignment
from minidl.grading.course.checks import TaskCheck
from minidl.grading.course.grade import grade
from minidl.grading.course.result import Mark, Result
from minidl.grading.course.sandbox.limits import Limits


@dataclass(frozen=True)
class Submission:
    """Whose, and where: `path` is None where `trouble` says why there is none."""

    name: str
    path: Path | None
    trouble: str = ""


def find_submissions(folder: Path, starter: str) -> list[Submission]:
    """What was handed in: `NAME.py`, or folders `NAME/` with one .py file or one named as the starter.

    Args:
        folder: of all submissions.
        starter: name of the file that students fill in; empty where folders as such are marked by hand.

    Raises:
        ValueError: no folder, or nothing in it.

    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of submissions, got none")
    entries = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "__"))]
    files = [path for path in entries if path.suffix.lower() == ".py" and not path.is_dir()]
    found = [Submission(path.stem, path) for path in files]
    for path in entries:
        if path.is_dir():
            if path.is_symlink():       # it might lead to the solutions
                found.append(Submission(path.name, None, "expected a folder itself, got a link to one"))
                continue
            if not starter:
                found.append(Submission(path.name, path))
                continue
            files = sorted(path.glob("*.py"))
            named = [file for file in files if file.name == starter] or files
            if len(named) == 1:
                found.append(Submission(path.name, named[0]))
            else:
                trouble = f"expected {starter}, got {len(files)} other .py files"
                found.append(Submission(path.name, None, trouble))
    found.sort(key=lambda submission: submission.name)
    if not found:
        raise ValueError(f"{folder}: expected NAME.py files, or a folder for each student, got neither")
    names = [submission.name for submission in found]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"{folder}: {twice[0]} is there as a file and as a folder: keep one of them")
    return found


def grade_all(
    assignment: Assignment, checks: Sequence[TaskCheck], submissions: Sequence[Submission],
    marks: Mapping[str, Sequence[Mark]], seed: int | None, workers: int, done: Callable[[], None],
    limits: Limits | None = None,
) -> dict[str, Result | str]:
    """The result of each submission by name, or a sentence where it can't be graded.

    Args:
        assignment: which one.
        checks: those to run.
        submissions: of a class.
        marks: given by hand, by name.
        seed: that the checks were drawn with.
        workers: how many are graded at a time.
        done: called after each.
        limits: what each may use.

    """
    def one(submission: Submission) -> Result | str:
        if submission.path is None:
            return submission.trouble
        try:
            return grade(assignment, checks, submission.path, marks[submission.name], seed, limits)
        except (ValueError, OSError) as error:      # of this file: the others are graded all the same
            return str(error)

    results: dict[str, Result | str] = {}
    with ThreadPoolExecutor(workers) as pool:       # of threads: the work is that of the sandboxes
        jobs = {pool.submit(one, submission): submission.name for submission in submissions}
        try:
            for job in as_completed(jobs):
                results[jobs[job]] = job.result()
                done()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return {submission.name: results[submission.name] for submission in submissions}


def table_csv(
    assignment: Assignment, checks: Sequence[TaskCheck], results: Mapping[str, Result | str]
) -> str:
    """A line for each submission, by name: points, tasks, checks, and what is to be known of it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    tasks = [f"task {task.number}" for task in assignment.tasks]
    about = ["trouble", "notes", "not enforced", "file", "sha256", "minidl", "grader", "seed"]
    names = [check.name for check in checks]
    writer.writerow(["submission", "points", "of", *tasks, *names, *about])
    for name, result in results.items():
        if isinstance(result, str):
            empty = [""] * (len(tasks) + len(checks))
            writer.writerow([_safe(name), 0, "", *empty, _safe(result), *[""] * (len(about) - 1)])
        else:
            writer.writerow([_safe(name), *_numbers(assignment, result), *_texts(result)])
    return text.getvalue()


def _numbers(assignment: Assignment, result: Result) -> Iterator[str]:
    yield f"{result.points:g}"
    yield f"{result.most:g}"
    for task in assignment.tasks:
        points, most = result.of_task(task)
        yield f"{points:g}" if most else ""
    for outcome in result.outcomes:
        yield f"{outcome.points:g}"


def _texts(result: Result) -> list[str]:
    trouble = dict.fromkeys(outcome.why for outcome in result.outcomes if outcome.why)
    seed = "" if result.seed is None else str(result.seed)
    texts = ["; ".join(trouble), "; ".join(result.notes), ", ".join(result.missing), str(result.path)]
    return [*map(_safe, texts), result.sha256, result.library, str(result.grader), seed]


def _safe(text: str) -> str:
    """Not to be taken for a formula by a spreadsheet: a student chose a part of it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
