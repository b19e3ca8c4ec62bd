"""The table that `minidl compare` prints: plain ASCII, one row an arm and learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minidl.experiments import Cell


def comparison_table(cells: Sequence[Cell]) -> str:
    """Accuracy, steps to two levels, outcomes and, for sigmoids, saturation; for each learning rate and arm.

    Example:
        >>> outcomes = {"trained": 2, "unfinished": 0, "stuck": 0, "non-finite": 0}
        >>> never = (math.inf, math.inf)
        >>> cell = Cell("BN", 0.5, (0.945, 0.94, 0.95), 1500, (154.0, 98.0), never, outcomes, 0.0, 0.12)
        >>> print(comparison_table([cell]))
        lr   arm  test accuracy %      to 90 %           to 95 %  outcomes   dead %  deciding %
        ---------------------------------------------------------------------------------------
        0.5  BN   94.5 (94.0 to 95.0)      154  > 1,500 (0 of 2)  trained 2     0.0        12.0

    """
    head, rows = comparison_rows(cells)
    left = (True, True, True, False, False, True, False, False)
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        aligned = zip(row, widths, left[: len(head)], strict=True)
        return "  ".join([c.ljust(w) if at_left else c.rjust(w) for c, w, at_left in aligned]).rstrip()

    lines = [line(head), "-" * len(line(head))]
    for i, row in enumerate(rows):
        if i and row[0] != rows[i - 1][0]:
            lines.append("")
        lines.append(line(row))
    return "\n".join(lines)


def comparison_rows(cells: Sequence[Cell]) -> tuple[list[str], list[tuple[str, ...]]]:
    """The names of the columns, and the rows, as texts."""
    head = ["lr", "arm", "test accuracy %", "to 90 %", "to 95 %", "outcomes", "dead %", "deciding %"]
    if not _has_sigmoids(cells):
        head = head[:-2]
    return head, [_row(cell)[: len(head)] for cell in cells]


def comparison_legend(cells: Sequence[Cell]) -> str:
    """What the columns of the table mean."""
    return _STEPS + (_SATURATION if _has_sigmoids(cells) else "")


_STEPS = """\
Test accuracy: median over the seeds (least to greatest). to 90 %: median step of the first of two validations
in a row at 90 %; > N (k of n): only k of n runs got there within N steps. Outcomes by final test accuracy:
stuck < 20 %, unfinished < 90 %, trained >= 90 %; non-finite: the loss became infinite or NaN."""

_SATURATION = """
dead, deciding: saturated sigmoids (sigma < 0.05 or > 0.95) as a share of all after the last step; dead: their
unit is so on one side for >= 99 % of 1,000 training images; deciding: the others."""


def _has_sigmoids(cells: Sequence[Cell]) -> bool:
    return any(math.isfinite(cell.dead) for cell in cells)


def _row(cell: Cell) -> tuple[str, ...]:
    median, low, high = (100 * a for a in cell.accuracy)
    return (
        f"{cell.lr:g}",
        cell.arm,
        f"{median:.1f} ({low:.1f} to {high:.1f})",
        _steps(cell.to_90, cell.steps),
        _steps(cell.to_95, cell.steps),
        ", ".join(f"{name} {count}" for name, count in cell.outcomes.items() if count),
        _percent(cell.dead),
        _percent(cell.deciding),
    )


def _steps(steps: Sequence[float], limit: int) -> str:
    """The median, infinity being a value as any other (of an even count the upper of the middle two)."""
    median = sorted(steps)[len(steps) // 2]
    there = sum(math.isfinite(step) for step in steps)
    share = f" ({there} of {len(steps)})" if there < len(steps) else ""
    return f"{median:,.0f}{share}" if math.isfinite(median) else f"> {limit:,}{share}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if math.isfinite(share) else "-"
