"""The table that `minidl compare` prints: plain ASCII, one row an arm and learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minidl.experiments import Cell


def comparison_table(cells: Sequence[Cell]) -> str:
    """Accuracy, steps to two levels, outcomes and saturation, for each learning rate and arm.

    Example:
        >>> outcomes = {"trained": 5, "unfinished": 0, "stuck": 0, "non-finite": 0}
        >>> cell = Cell("BN", 0.5, (0.945, 0.94, 0.95), 154.0, math.inf, outcomes, 0.0, 0.12)
        >>> print(comparison_table([cell]))
        lr   arm  test accuracy %      to 90 %  to 95 %  outcomes   dead %  deciding %
        ------------------------------------------------------------------------------
        0.5  BN   94.5 (94.0 to 95.0)      154    never  trained 5     0.0        12.0

    """
    head = ("lr", "arm", "test accuracy %", "to 90 %", "to 95 %", "outcomes", "dead %", "deciding %")
    left = (True, True, True, False, False, True, False, False)
    rows = [_row(cell) for cell in cells]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        aligned = zip(row, widths, left, strict=True)
        return "  ".join([c.ljust(w) if at_left else c.rjust(w) for c, w, at_left in aligned]).rstrip()

    lines = [line(head), "-" * len(line(head))]
    for i, row in enumerate(rows):
        if i and row[0] != rows[i - 1][0]:
            lines.append("")
        lines.append(line(row))
    return "\n".join(lines)


LEGEND = """\
Test accuracy and steps: median over the seeds (accuracy: least to greatest). to 90 %: step of the first of
two validations in a row at 90 %; never: in at least half of the runs. Outcomes by final test accuracy:
stuck < 20 %, unfinished < 90 %, trained >= 90 %. dead, deciding: saturated sigmoids (sigma < 0.05 or > 0.95)
as a share of all after the last step; dead: their unit is so on one side for >= 99 % of 1,000 training
images; deciding: the others."""


def _row(cell: Cell) -> tuple[str, ...]:
    median, low, high = (100 * a for a in cell.accuracy)
    return (
        f"{cell.lr:g}",
        cell.arm,
        f"{median:.1f} ({low:.1f} to {high:.1f})",
        _steps(cell.steps_to_90),
        _steps(cell.steps_to_95),
        ", ".join(f"{name} {count}" for name, count in cell.outcomes.items() if count),
        _percent(cell.dead),
        _percent(cell.deciding),
    )


def _steps(steps: float) -> str:
    return f"{steps:,.0f}" if math.isfinite(steps) else "never"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if math.isfinite(share) else "-"
