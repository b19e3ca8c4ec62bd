"""What came against what was expected, in the grader's own process: passed or not, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.engine.array import Array
from minidl.grading.course.checks import Case, TaskCheck

NAMING = 1e-9   # a mistake is named only where all that shows it equals what it gives, to this relative error


@dataclass(frozen=True, eq=False)
class CaseResult:
    """What came of one case.

    Attributes:
        arrays: by name; without what didn't come.
        trouble: what kept it from coming, in a sentence; else empty.

    """

    arrays: Mapping[str, Array]
    trouble: str = ""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a check says of a submission.

    Attributes:
        check: which one.
        passed: whether all cases came out right.
        sentence: what is wrong with the first case that failed; empty for a passed check.
        hint: the mistake that gives exactly this; else empty.
        case: number of the first case that failed, from 0; None for a passed check.
        first_wrong: position of its first wrong element; None if none can be told.
        wrong_name: the first wrong quantity's; empty if none can be told.

    """

    check: TaskCheck
    passed: bool
    sentence: str = ""
    hint: str = ""
    case: int | None = None
    first_wrong: tuple[int, ...] | None = None
    wrong_name: str = ""


def judge_check(check: TaskCheck, results: Sequence[CaseResult]) -> Judgement:
    """Hold the results of a check's cases against what was expected.

    Args:
        check: with its cases.
        results: one a case, in their order; those that are missing were never run.

    """
    for number, case in enumerate(check.cases):
        result = results[number] if number < len(results) else CaseResult({}, "it wasn't run")
        if result.trouble:
            return Judgement(check, False, result.trouble, case=number)
        for name, right in case.expected.items():
            got = result.arrays.get(name)
            sentence, place = _difference(name, got, np.asarray(right), check.tolerance)
            if sentence:
                return Judgement(check, False, sentence, _hint(check, results), number, place, name)
    return Judgement(check, True)


def relative_error(got: Array, right: Array) -> float:
    """max|got - right| / max|right|; absolute where `right` is 0, infinite where shapes or NaN forbid it."""
    if got.shape != right.shape or got.dtype.kind not in "biuf":
        return np.inf
    same = (got == right) | (np.isnan(got.astype(np.float64)) & np.isnan(right.astype(np.float64)))
    if same.all():
        return 0.0
    with np.errstate(all="ignore"):
        scale = float(np.max(np.abs(right))) or 1.0
        error = float(np.max(np.where(same, 0.0, np.abs(got.astype(np.float64) - right))) / scale)
    return error if error >= 0 else np.inf      # NaN is neither


def _difference(
    name: str, got: Array | None, right: Array, tolerance: float
) -> tuple[str, tuple[int, ...] | None]:
    if got is None:
        return f"{name}: expected {_shape(right)}, got nothing", None
    if got.dtype.kind not in "biuf":
        return f"{name}: expected numbers, got an array of {got.dtype.name}", None
    if got.shape != right.shape:
        return f"{name}: expected {_shape(right)}, got {_shape(got)}", None
    error = relative_error(got, right)
    if error <= tolerance:
        return "", None
    with np.errstate(all="ignore"):
        reach = tolerance * (float(np.max(np.abs(right))) or 1.0)
        wrong = ~(np.abs(got.astype(np.float64) - right) <= reach)
    place = _index(np.argmax(wrong), right)
    if got.dtype.kind == "b" and np.isin(right, (0, 1)).all():
        return f"{_named(name, place)}: expected {bool(right[place])}, got {bool(got[place])}", place
    return _compared(name, got, right, place) + _how_far(name, got, right, place, error), place


def _how_far(name: str, got: Array, right: Array, first: tuple[int, ...], error: float) -> str:
    """The array's error beside its first wrong element: where it is, and of what it is a share."""
    if not np.isfinite(error) or not right.any():
        return ""
    if right.size == 1:
        return f" (relative error {error:.2g})"
    worst = _index(np.argmax(np.abs(got.astype(np.float64) - right)), right)
    share = f"{error:.2g} of the largest value expected"
    if worst == first:
        return f"; off by {share}"
    return f"; furthest off is {_compared(name, got, right, worst)}, by {share}"


def _index(flat: np.intp, a: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(flat), a.shape))


def _named(name: str, place: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, place))}]" if place else name


def _compared(name: str, got: Array, right: Array, place: tuple[int, ...]) -> str:
    expected, came = _told_apart(float(right[place]), float(got[place]))
    return f"{_named(name, place)}: expected {expected}, got {came}"


def _told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for digits in (6, 10, 17):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _shape(a: Array) -> str:
    return f"an array of shape {a.shape}" if a.ndim else "a number"


def _hint(check: TaskCheck, results: Sequence[CaseResult]) -> str:
    for hint in check.hints:
        pairs = zip(hint.outputs, results, strict=False)
        shown = [(output, result) for output, result in pairs if output]
        if len(shown) >= 2 and all(_equal(output, result.arrays) for output, result in shown):
            return hint.sentence
    return ""


def _equal(output: Mapping[str, Array], arrays: Mapping[str, Array]) -> bool:
    return all(
        name in arrays and relative_error(arrays[name], np.asarray(wrong)) <= NAMING
        for name, wrong in output.items()
    )


def run_here(case: Case, names: Mapping[str, Any]) -> CaseResult:
    """Run a case in this process: for code that is trusted, such as a course's own solutions in its tests.

    Args:
        case: what to run.
        names: of the submission, as its module has them.

    """
    space: dict[str, Any] = {**names, "np": np}
    for name, value in case.inputs.items():
        space[name] = value.copy() if isinstance(value, np.ndarray) else value
    try:
        with np.errstate(all="ignore"):
            exec(case.program, space)
        return CaseResult({name: np.asarray(space[name]) for name in case.expected if name in space})
    except Exception as error:      # a submission raises whatever it likes
        return CaseResult({}, f"{type(error).__name__}: {error}")
