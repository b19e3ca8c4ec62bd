"""What a grading run found: plain records, and how they read on a console."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from minidl.engine.array import Array


@dataclass(frozen=True, eq=False)
class Check:
    """One quantity in one setting, such as "feature maps, training: gradient of gamma".

    Attributes:
        name: the setting and the quantity.
        passed: whether all its inputs gave what was expected.
        sentence: what is wrong, in words; for a passed check its relative error.
        expected: the right array, for the first input that failed (or, if all passed, the worst one).
        got: the implementation's; None if there was none.
        relative_error: max|got - expected| / max|expected|; infinite without a comparable array.
        first_wrong: position of the first wrong element in row-major order; None if none can be told.
        wrong: name of the known wrong batch normalization that gives exactly this; "" where none does.

    """

    name: str
    passed: bool
    sentence: str
    expected: Array
    got: Array | None
    relative_error: float
    first_wrong: tuple[int, ...] | None
    wrong: str = ""


@dataclass(frozen=True, eq=False)
class Report:
    """All checks of one implementation; true if all passed. `print(report)` shows the table.

    Attributes:
        checks: in the order in which they ran.
        left_out: names of the checks that this kind of implementation can't be put to.

    Example:
        >>> from minidl.grading import check_batch_norm
        >>> from minidl.layers import BatchNorm
        >>> print(str(check_batch_norm(BatchNorm)).splitlines()[-1])
        63 of 63 checks passed

    """

    checks: tuple[Check, ...]
    left_out: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all checks passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.passed)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        width = max((len(check.name) for check in self.checks), default=0)
        lines = [
            f"{'ok' if check.passed else 'FAIL':4}  {check.name:{width}}  {check.sentence}"
            for check in self.checks
        ]
        known = Counter(check.wrong for check in self.failures if check.wrong)
        if known:
            told = "; ".join(f"{name} ({count} of the failures)" for name, count in known.items())
            lines.append(f"known mistakes: {told}; others may follow from these, so mend these first")
        lines.append(f"{len(self.checks) - len(self.failures)} of {len(self.checks)} checks passed")
        if self.left_out:
            lines.append(
                f"{len(self.left_out)} checks left out, as a pair of functions has no running statistics, "
                f"no evaluation mode and no tape: report.left_out names them"
            )
        return "\n".join(lines)
