"""What is said about a check: to the student on the console, and on Gradescope; nothing about hidden ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from minidl.grading.course.assignment import Assignment, Task
from minidl.grading.course.judging import Judgement
from minidl.grading.course.reproduce import snippet
from minidl.grading.course.result import Outcome
from minidl.grading.course.sandbox.wire import CANNOT_RUN

PASTE, END = "# ---- paste from here ----", "# ---- to here ----"
_STUB = re.compile(r"NotImplementedError: (.*?)(?: \(line \d+ of [^()]*\))?$", re.DOTALL)
_TASK = re.compile(r"\w+, task (\d+): ([^(]+)")


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
    if stub(outcome):
        return [f"Not written yet: {stub(outcome)}", *read]
    if blocked([outcome]):
        return [judgement.sentence]
    lines = [judgement.sentence]
    if judgement.hint:
        lines.append(f"It is exactly what a known mistake gives: {judgement.hint}")
    steps = snippet(judgement, assignment.name, file) if published else []
    if steps:
        lines += ["To see it, start `python` where your file lies, and paste:", "", PASTE, *steps, END, ""]
    if not published:
        lines.append("The inputs are your instructor's own; the published ones lie in the handout's folder.")
    if outcome.output.strip():
        lines += ["It printed:", *(f"    {line}" for line in outcome.output.strip().splitlines()[:12])]
    return lines + read


def blocked(outcomes: Sequence[Outcome]) -> str:
    """Why the whole file can't be run, so that nothing was checked; empty where that isn't so.

    Said of all checks in the same words, visible ones too: so nothing of a hidden one's inputs is in it.
    """
    said = {outcome.judgement.sentence for outcome in outcomes}
    sentence = said.pop() if len(said) == 1 else ""
    visible = any(outcome.judgement.check.visible for outcome in outcomes)
    return sentence if visible and sentence.startswith(CANNOT_RUN) else ""


def stub(outcome: Outcome) -> str:
    """What a visible check found unwritten, such as "A1, task 1: Tape.leaf"; else empty."""
    found = _STUB.match(outcome.judgement.sentence) if outcome.judgement.check.visible else None
    return found[1] or "a function" if found else ""


def not_written(outcomes: Sequence[Outcome]) -> str:
    """All that is unwritten in one line, by task: "task 1: Tape.leaf; task 2: unbroadcast, vjp_add"."""
    names: dict[str, list[str]] = {}
    for outcome in outcomes:
        if text := stub(outcome):
            found = _TASK.match(text)
            task, name = (f"task {found[1]}", found[2].strip()) if found else ("", text)
            if name not in names.setdefault(task, []):
                names[task].append(name)
    return "; ".join(f"{task}: {', '.join(of)}" if task else ", ".join(of) for task, of in names.items())


def task_of(assignment: Assignment, judgement: Judgement) -> Task:
    """The task that a check belongs to."""
    return next(task for task in assignment.tasks if task.number == judgement.check.task)
