"""Expected against got, and which known wrong batch normalization gives just that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minidl.engine.array import Array
from minidl.grading.catalogue import WRONG
from minidl.grading.observe import UNLINKED, Observation
from minidl.grading.probes import UPSTREAM_AFTERWARDS, X_AFTERWARDS, Probe, Setting
from minidl.grading.reference import expected
from minidl.grading.report import Check

NAMING = 1e-9   # a wrong one is named only where all inputs give what it gives, to this relative error

CHANGED = {
    X_AFTERWARDS: ("x changed in place", "the input x was changed in place: work on a copy"),
    UPSTREAM_AFTERWARDS: (
        "upstream gradient changed in place",
        "backward changed the upstream gradient in place: work on a copy",
    ),
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """One observed array against the right one."""

    right: Array
    got: Array | None
    error: float
    first_wrong: tuple[int, ...] | None
    sentence: str


def judge(
    setting: Setting, quantities: Sequence[str], observations: Sequence[Observation], tolerance: float
) -> list[Check]:
    """A verdict on each quantity, from the observations of the setting's probes in their order."""
    rights = [expected(probe) for probe in setting.probes]
    return [
        _verdict(setting, quantity, [right[quantity] for right in rights], observations, tolerance)
        for quantity in quantities
    ]


def _verdict(
    setting: Setting,
    quantity: str,
    rights: Sequence[Array],
    observations: Sequence[Observation],
    tolerance: float,
) -> Check:
    comparisons = [
        _compare(right, observation, quantity, tolerance)
        for right, observation in zip(rights, observations, strict=True)
    ]
    failed = [c for c in comparisons if not c.error <= tolerance]
    shown = failed[0] if failed else max(comparisons, key=lambda c: c.error)
    name, says = _diagnosis(setting.probes, comparisons, quantity, tolerance) if failed else ("", "")
    return Check(
        name=f"{setting.name}: {quantity}",
        passed=not failed,
        sentence=f"{says}; {shown.sentence}" if says else shown.sentence,
        expected=shown.right,
        got=shown.got,
        relative_error=shown.error,
        first_wrong=shown.first_wrong,
        wrong=name,
    )


def relative_error(got: Array, right: Array) -> float:
    """max|got - right| / max|right|; absolute where `right` is 0, infinite where shapes or NaN forbid it."""
    if got.shape != right.shape or got.dtype.kind not in "biuf":
        return np.inf
    with np.errstate(all="ignore"):
        error = float(np.max(np.abs(got.astype(np.float64) - right)) / (np.max(np.abs(right)) or 1.0))
    return error if error >= 0 else np.inf      # NaN is neither


def _compare(right: Array, observation: Observation, quantity: str, tolerance: float) -> Comparison:
    if quantity not in observation.found:
        missing = observation.missing
        sentence = missing.get(quantity) or missing.get("", "nothing came")
        return Comparison(right, None, np.inf, None, sentence)
    got = observation.found[quantity]
    if got.dtype.kind not in "biuf":
        return Comparison(right, got, np.inf, None, f"expected an array of real numbers, got {got.dtype}")
    if got.shape != right.shape:
        return Comparison(right, got, np.inf, None, f"expected shape {right.shape}, got {got.shape}")
    error = relative_error(got, right)
    if error <= tolerance:
        return Comparison(right, got, error, None, f"relative error {error:.1e}")
    with np.errstate(all="ignore"):
        close = np.abs(got.astype(np.float64) - right) <= tolerance * (np.max(np.abs(right)) or 1.0)
    first = tuple(int(i) for i in np.argwhere(~close)[0])
    where = f"at {list(first)} expected {right[first]:.9g}, got {got[first]:.9g}"
    return Comparison(right, got, error, first, f"{where}; relative error {error:.1e}")


def _diagnosis(
    probes: Sequence[Probe], comparisons: Sequence[Comparison], quantity: str, tolerance: float
) -> tuple[str, str]:
    """Name and sentence of what is wrong; both empty where that would be a guess."""
    if all(comparison.sentence == UNLINKED for comparison in comparisons):
        return "not linked to the tape", ""
    if any(comparison.got is None for comparison in comparisons):
        return "", ""
    if quantity in CHANGED:
        return CHANGED[quantity]
    for wrong in WRONG:
        with np.errstate(all="ignore"):     # NaN and infinity may be what it gives
            predictions = [wrong.predict(probe).get(quantity) for probe in probes]
            told = _is_told_by(predictions, comparisons, tolerance)
        if told:
            return wrong.name, wrong.sentence
    return "", ""


def _is_told_by(
    predictions: Sequence[Array | None], comparisons: Sequence[Comparison], tolerance: float
) -> bool:
    """Whether every input gave what a known wrong one gives, and on two or more that isn't what is right."""
    shows = 0
    for prediction, comparison in zip(predictions, comparisons, strict=True):
        if prediction is None or comparison.got is None:
            return False
        if relative_error(comparison.got, prediction) > NAMING:
            return False
        shows += relative_error(prediction, comparison.right) > tolerance
    return shows >= 2
