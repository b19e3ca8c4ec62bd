"""A result as lines for the console, in ASCII."""

from __future__ import annotations

from minidl.grading.course.result import Result
from minidl.grading.course.wording import blocked, explanation, not_written, stub, title

_NAME = 58
_WIDTH = _NAME + 22


def report(result: Result) -> str:
    """The table of checks, then what failed and why, then what else is to be known."""
    lines = [f"{result.assignment.name}: {result.assignment.title}", ""]
    if whole := blocked(result.outcomes):
        lines += [f"{whole.removesuffix('.')}. Nothing was checked.", ""]
    lines += _table(result)
    if not whole:
        lines += _reasons(result)
    for mark in result.marks:
        if mark.comment:
            lines += ["", f"Task {mark.task}, marked by hand: {mark.comment}"]
    lines += [f"\nNote: {note}." for note in result.notes]
    lines += ["", *about(result)]
    return "\n".join("\n".join(map(in_ascii, line.split("\n"))) for line in lines)


def in_ascii(text: str) -> str:
    """Without what would move a console's cursor, such as the codes in a file's name."""
    plain = text.encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in plain)


def about(result: Result) -> list[str]:
    """What was graded, by what, and what that couldn't do here."""
    seed = f", inputs of seed {result.seed}" if result.seed is not None else ""
    lines = [
        f"File: {in_ascii(str(result.path))}",
        f"Its fingerprint (SHA-256): {result.sha256}",
        f"Graded by: minidl {result.library}, grader {result.grader}{seed}",
    ]
    if result.missing:
        lines.append(f"Not enforced on this system (no fault of yours): {', '.join(result.missing)}.")
    return lines


def _reasons(result: Result) -> list[str]:
    lines = []
    for outcome in result.outcomes:
        why = explanation(outcome, result.assignment, result.path.name, result.seed is None)
        if why and not stub(outcome):
            lines += ["", f"FAIL  {title(outcome)} (task {outcome.judgement.check.task})", *why]
    if missing := not_written(result.outcomes):
        lines += ["", f"Not written yet: {missing}."]
    return lines


def _table(result: Result) -> list[str]:
    rule = "-" * _WIDTH
    lines = [f"{'task':>4}  {'check':<{_NAME}}{'points':>9}  result", rule]
    fail = "not run" if blocked(result.outcomes) else "FAIL"
    for outcome in result.outcomes:
        check = outcome.judgement.check
        name = title(outcome)
        name = name if len(name) <= _NAME else f"{name[:_NAME - 3]}..."
        points = f"{outcome.points:g} / {check.points:g}"
        state = "pass" if outcome.judgement.passed else "not yet" if stub(outcome) else fail
        lines.append(f"{check.task:>4}  {name:<{_NAME}}{points:>9}  {state}")
    for mark in result.marks:
        given = f"{mark.points:g} / {mark.most:g}" if mark.points is not None else f"- / {mark.most:g}"
        state = "marked" if mark.points is not None else "not marked yet"
        lines.append(f"{mark.task:>4}  {'by hand':<{_NAME}}{given:>9}  {state}")
    total = f"{result.points:g} / {result.most:g}"
    lines += [rule, f"{'':>4}  {'points':<{_NAME}}{total:>9}"]
    hidden, by_hand = _not_looked_at(result)
    if hidden > 0:
        lines.append(f"      {hidden:g} more points are for hidden checks, which your instructor runs")
    if by_hand > 0:
        lines.append(f"      {by_hand:g} more points are marked by hand: not looked at")
    if hidden > 0 and all(outcome.judgement.passed for outcome in result.outcomes):
        lines += ["", "Visible checks don't cover everything the handout lists: read its bullets once more."]
    return lines


def _not_looked_at(result: Result) -> tuple[float, float]:
    """Points for checks that weren't run, and points that a person hasn't given yet."""
    checked = {outcome.judgement.check.task for outcome in result.outcomes}
    marked = {mark.task for mark in result.marks if mark.points is not None}
    by_hand = sum(task.points for task in result.assignment.tasks if task.number not in checked | marked)
    return result.assignment.points - result.most - by_hand, by_hand
