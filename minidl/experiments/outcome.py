"""How a run ended: its outcome in one word, and the steps that it took to a level of accuracy."""

from __future__ import annotations

import math
from collections.abc import Sequence

OUTCOMES = ("trained", "unfinished", "stuck", "non-finite")


def outcome(accuracy: float, finite: bool) -> str:
    """One of OUTCOMES, by the final test accuracy: stuck below 20 %, trained from 90 % on.

    Example:
        >>> outcome(0.113, True), outcome(0.95, True), outcome(0.95, False)
        ('stuck', 'trained', 'non-finite')

    """
    if not finite:
        return "non-finite"
    if accuracy < 0.2:
        return "stuck"
    return "trained" if accuracy >= 0.9 else "unfinished"


def steps_to(level: float, steps: Sequence[int], accuracies: Sequence[float]) -> float:
    """The first of two evaluations in a row at a level of accuracy; infinity if there is none.

    Example:
        >>> steps_to(0.9, [10, 20, 40, 80], [0.5, 0.91, 0.92, 0.89])
        20.0
        >>> steps_to(0.9, [10, 20, 40, 80], [0.5, 0.91, 0.89, 0.95])
        inf

    """
    for i in range(len(steps) - 1):
        if accuracies[i] >= level and accuracies[i + 1] >= level:
            return float(steps[i])
    return math.inf
