"""What a submission got: a record of its checks, the marks given by hand, and what ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minidl.grading.course.assignment import Assignment, Task
from minidl.grading.course.judging import Judgement


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one check.

    Attributes:
        judgement: passed or not, and why.
        why: what ended its process early, in the grader's words; else empty.
        notes: what the submission did that it shouldn't have, in sentences.
        output: the beginning of what it printed.

    """

    judgement: Judgement
    why: str = ""
    notes: Sequence[str] = ()
    output: str = ""

    @property
    def points(self) -> float:
        """All of the check's points, or none."""
        return self.judgement.check.points if self.judgement.passed else 0.0


@dataclass(frozen=True)
class Mark:
    """Points that a person gave for a task that no check covers.

    Attributes:
        task: its number.
        most: what it is worth.
        points: what was given; None before that.
        comment: to the student.

    """

    task: int
    most: float
    points: float | None = None
    comment: str = ""


@dataclass(frozen=True, eq=False)
class Result:
    """What a submission got.

    Attributes:
        assignment: which one.
        path: the file that ran.
        sha256: of its bytes.
        outcomes: of the checks, in their order.
        marks: of the tasks that are marked by hand.
        missing: limits that couldn't be enforced here, in words.
        seconds: that it took.
        library: version of minidl.
        grader: version of the grader.
        seed: of the inputs; None for the published ones.

    """

    assignment: Assignment
    path: Path
    sha256: str
    outcomes: Sequence[Outcome]
    marks: Sequence[Mark]
    missing: Sequence[str]
    seconds: float
    library: str
    grader: int
    seed: int | None = None

    @property
    def points(self) -> float:
        """Of all checks and marks."""
        given = (mark.points or 0.0 for mark in self.marks)
        return sum(outcome.points for outcome in self.outcomes) + sum(given)

    @property
    def most(self) -> float:
        """What could be had: of the checks that were run, and of the tasks that were marked."""
        checked = sum(outcome.judgement.check.points for outcome in self.outcomes)
        return checked + sum(mark.most for mark in self.marks if mark.points is not None)

    def of_task(self, task: Task) -> tuple[float, float]:
        """The points of a task, and what could be had of it."""
        own = [outcome for outcome in self.outcomes if outcome.judgement.check.task == task.number]
        marks = [mark for mark in self.marks if mark.task == task.number and mark.points is not None]
        points = sum(outcome.points for outcome in own) + sum(mark.points or 0.0 for mark in marks)
        return points, sum(o.judgement.check.points for o in own) + sum(mark.most for mark in marks)

    @property
    def notes(self) -> list[str]:
        """What the submission did that it shouldn't have, each once."""
        return list(dict.fromkeys(note for outcome in self.outcomes for note in outcome.notes))
