"""A result as lines for the console, in ASCII."""

from __future__ import annotations

from minidl.grading.course.result import Result
from minidl.grading.course.wording import explanation, title

_NAME = 58
_WIDTH = _NAME + 22


def report(result: Result) -> str:
    """The table of checks, then what failed and why, then what else is to be known."""
    lines = [
        f"{result.assignment.name}: {result.assignment.title}",
        f"{in_ascii(str(result.path))} (SHA-256 {result.sha256})",
        f"minidl {result.library}, grader {result.grader}"
        + (f", inputs of seed {result.seed}" if result.seed is not None else ""),
        "",
        *_table(result),
    ]
    for outcome in result.outcomes:
        why = explanation(outcome, result.assignment, result.path.name, result.seed is None)
        if why:
            task = outcome.judgement.check.task
            lines += ["", f"FAIL  {title(outcome)} (task {task})", *(f"  {line}" for line in why)]
    for mark in result.marks:
        if mark.comment:
            lines += ["", f"Task {mark.task}, marked by hand: {mark.comment}"]
    lines += [f"\nNote: {note}." for note in result.notes]
    if result.missing:
        lines += ["", f"Not enforced on this system: {', '.join(result.missing)}."]
    return "\n".join("\n".join(map(in_ascii, line.split("\n"))) for line in lines)


def in_ascii(text: str) -> str:
    """Without what would move a console's cursor, such as the codes in a file's name."""
    plain = text.encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in plain)


def _table(result: Result) -> list[str]:
    rule = "-" * _WIDTH
    lines = [f"{'task':>4}  {'check':<{_NAME}}{'points':>9}  result", rule]
    for outcome in result.outcomes:
        check = outcome.judgement.check
        name = title(outcome)
        name = name if len(name) <= _NAME else f"{name[:_NAME - 3]}..."
        points = f"{outcome.points:g} / {check.points:g}"
        state = "pass" if outcome.judgement.passed else "FAIL"
        lines.append(f"{check.task:>4}  {name:<{_NAME}}{points:>9}  {state}")
    for mark in result.marks:
        given = f"{mark.points:g} / {mark.most:g}" if mark.points is not None else f"- / {mark.most:g}"
        state = "marked" if mark.points is not None else "not marked yet"
        lines.append(f"{mark.task:>4}  {'by hand':<{_NAME}}{given:>9}  {state}")
    total = f"{result.points:g} / {result.most:g}"
    lines += [rule, f"{'':>4}  {'points':<{_NAME}}{total:>9}"]
    rest = result.assignment.points - result.most
    if rest > 0:
        lines.append(f"      {rest:g} more points are for hidden checks or marks by hand: not looked at")
    return lines
