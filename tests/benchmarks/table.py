"""The results as text and as JSON."""

from __future__ import annotations

import datetime
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minidl.files import replacing
from tests.benchmarks.rows import Row

HEAD = ("work", "minidl", "against", "", "its setting", "figure", "quartiles", "target", "", "same allocator")


def text(rows: Sequence[Row], verdict: bool = True) -> str:
    """The table, one line a row, with the target beside each figure."""
    cells = [HEAD, *[_cells(row, verdict) for row in rows]]
    widths = [max(len(line[c]) for line in cells) for c in range(len(HEAD))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "-" * max(len(line) for line in lines))
    lines += [f"NOT VALID: {row.work}: {row.fault}" for row in rows if row.fault]
    return "\n".join(lines)


def summary(rows: Sequence[Row]) -> str:
    aimed = [row for row in rows if row.reached is not None]
    short = [f"{row.work} against {row.against}" for row in aimed if not row.reached]
    line = f"{len(aimed) - len(short)} of {len(aimed)} targets reached"
    return "\n".join([line, *[f"  short: {name}" for name in short]])


def _cells(row: Row, verdict: bool) -> tuple[str, ...]:
    spread = "" if row.low is None or row.high is None else f"{_number(row.low)}-{_number(row.high)}"
    target = ""
    if row.target is not None:
        target = f"{'>=' if row.at_least else '<='} {_number(row.target)}"
    said = {True: "ok", False: "SHORT", None: ""}[row.reached] if verdict else ""
    allocator = "" if row.allocator is None else f"{_number(row.allocator.value)}x"
    figure = f"{_number(row.figure)}{row.unit if row.unit == 'x' else ' ' + row.unit}"
    return (
        row.work, row.ours, row.against, row.theirs, row.setting, figure, spread, target, said, allocator
    )


def _number(x: float) -> str:
    return f"{x:.2f}" if abs(x) < 10 else f"{x:.1f}"


def machine() -> dict[str, Any]:
    """What the figures were measured on; it names no host and no user."""
    return {
        "date": datetime.date.today().isoformat(),
        "system": platform.system(),
        "processor": _processor(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def as_json(rows: Sequence[Row], about: dict[str, Any], verdict: bool = True) -> dict[str, Any]:
    """The rows with all rounds; without verdicts where the figures aren't meant to be judged."""
    return {
        **about, "rows": [{**asdict(row), "reached": row.reached if verdict else None} for row in rows]
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """The results as JSON: whole, or not at all."""
    with replacing(path) as file:
        file.write((json.dumps(content, indent=1) + "\n").encode())
