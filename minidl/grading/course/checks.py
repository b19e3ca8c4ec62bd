"""What an assignment checks: programs that use a student's code, and what must come out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from minidl.engine.array import Array

Given: TypeAlias = Array | float | int | bool | str | list[Any] | None


@dataclass(frozen=True, eq=False)
class Case:
    """One use of a submission.

    Attributes:
        program: at most nine lines of Python, better seven: with the lines that load the inputs and print
            what is wrong they are the snippet of ten lines that students get. They see the names of the
            submission, `np`, and the inputs; afterwards the names in `expected` must be bound to numbers or
            arrays.
        inputs: what the program works on, by name. Each case gets copies of its own.
        expected: what must come out, by name: float64 or int64 arrays. It never enters the student's process.

    """

    program: str
    inputs: Mapping[str, Given]
    expected: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Hint:
    """A known mistake, named only where a submission gives exactly what it gives, in two cases or more.

    Attributes:
        sentence: what is wrong, to its author: "your running variance is biased".
        outputs: for each case of the check what the mistake gives, by name; an empty mapping where it doesn't
            show.

    """

    sentence: str
    outputs: Sequence[Mapping[str, Array]]


@dataclass(frozen=True, eq=False)
class TaskCheck:
    """One check of a task, with its points: all of them, or none.

    Attributes:
        name: short, such as "backward: gradient of x".
        task: number of the task that it belongs to, from 1.
        points: what it is worth.
        cases: all must come out right.
        tolerance: largest max|got - expected| / max|expected| allowed.
        hints: mistakes that are named where the output equals theirs.
        visible: whether students have it; of a hidden one they see the topic alone.
        topic: what a hidden check is about, without giving it away: "means that depend on the position".

    """

    name: str
    task: int
    points: float
    cases: Sequence[Case]
    tolerance: float = 1e-8
    hints: Sequence[Hint] = ()
    visible: bool = True
    topic: str = ""
