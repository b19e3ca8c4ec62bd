"""What is said about a check: to the student on the console, and on Gradescope; nothing about hidden ones."""

from __future__ import annotations

from minidl.grading.course.assignment import Assignment, Task
from minidl.grading.course.judging import Judgement
from minidl.grading.course.reproduce import snippet
from minidl.grading.course.result import Outcome


def title(outcome: Outcome) -> str:
    """The check's name, or what a hidden one is about."""
    check = outcome.judgement.check
    return check.name if check.visible else f"(hidden) {check.topic or 'no topic is given'}"


def explanation(outcome: Outcome, assignment: Assignment, file: str, published: bool = True) -> list[str]:
    """Why a check failed, and what to do, in lines; empty for a passed one.

    Args:
        outcome: of the check.
        assignment: that it belongs to.
        file: the submission's name.
        published: whether the inputs are those that the student has.

    """
    judgement = outcome.judgement
    if judgement.passed:
        return []
    read = [f"Read again: {task_of(assignment, judgement).read}"]
    if not judgement.check.visible:
        # Not what the submission said of it: that might be the inputs.
        return [outcome.why or "The result was wrong, or there was none.", *read]
    lines = [judgement.sentence]
    if judgement.hint:
        lines.append(f"It is exactly what a known mistake gives: {judgement.hint}")
    steps = snippet(judgement, assignment.name, file) if published else []
    if steps:
        lines += ["To see it in a Python prompt, where your file lies:", *(f"    {step}" for step in steps)]
    if not published:
        lines.append("The inputs are your instructor's own; the published ones lie in the handout's folder.")
    if outcome.output.strip():
        lines += ["It printed:", *(f"    {line}" for line in outcome.output.strip().splitlines()[:12])]
    return lines + read


def task_of(assignment: Assignment, judgement: Judgement) -> Task:
    """The task that a check belongs to."""
    return next(task for task in assignment.tasks if task.number == judgement.check.task)
