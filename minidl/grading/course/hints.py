"""Hints from known mistakes: for whoever writes an assignment's checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from minidl.engine.array import Array
from minidl.grading.course.checks import Case, Hint

Mistake: TypeAlias = Callable[..., Mapping[str, Any]]


def hints(
    mistakes: Sequence[tuple[str, Mistake]], cases: Sequence[Case], told: Sequence[Case] = ()
) -> list[Hint]:
    """A hint for each mistake that shows in two of the cases or more, by the first and last of these.

    Two are enough, and students' checks.json stays small; so it does without the mistakes that show in the
    cases `told` of another check, which names them.

    Args:
        mistakes: a sentence to the student, and a function that takes a case's inputs by name and gives what
            the mistake gives, by name.
        cases: of the check that gets the hints.
        told: of another check, with programs that take the same inputs.

    """
    found = []
    for sentence, mistake in mistakes:
        outputs = [_shown(mistake, case) for case in cases]
        showing = [i for i, output in enumerate(outputs) if output]
        if len(showing) >= 2 and not any(_shown(mistake, case) for case in told):
            keep = (showing[0], showing[-1])
            found.append(Hint(sentence, [output if i in keep else {} for i, output in enumerate(outputs)]))
    return found


def _shown(mistake: Mistake, case: Case) -> dict[str, Array]:
    """What the mistake gives for a case, so far as it isn't what is expected."""
    with np.errstate(all="ignore"):
        given = {name: np.asarray(value) for name, value in mistake(**case.inputs).items()}
    return {
        name: value
        for name, value in given.items()
        if value.shape != case.expected[name].shape or not np.allclose(value, case.expected[name])
    }
