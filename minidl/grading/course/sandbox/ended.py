"""How the process of a check ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a check's process ended.

    Attributes:
        code: exit code; negative: the signal that ended it; None where nobody knows.
        cpu: seconds of processor time.
        reason: why it was ended from outside: "wall", "processes"; "keeper" where the keeper is
            gone; else empty.
        left: number of processes that it left.
        missing: limits that weren't enforced, in words; None where the process didn't get so far.

    """

    code: int | None
    cpu: float
    reason: str
    left: int
    missing: Sequence[str] | None
