"""A figure in words, for readers who can't see it: computed from its data."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minidl.report.figure_records import Panel, Series

IN_FULL = 4     # panels up to which every line is told; of more, only what they show


def number(value: float) -> str:
    """A number for people: at most 5 digits that count, commas from a thousand on.

    Example:
        >>> number(1500.0), number(0.123456), number(2.5e-7), number(float("nan"))
        ('1,500', '0.12346', '2.5e-07', '')

    """
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.5g}"


def describe(title: str, panels: Sequence[Panel]) -> str:
    """Title, axes, and where each line begins and ends; of many panels their titles and axes."""
    kind = f"{len(panels)} panels" if len(panels) > 1 else ""
    told = [_told(panel, len(panels) <= IN_FULL) for panel in panels]
    return " ".join(_sentence(part) for part in (*title.split("\n"), kind, *told) if part)


def _told(panel: Panel, in_full: bool) -> str:
    head = f"{panel.title}: " if panel.title else ""
    if panel.captions:
        count = f"{len(panel.captions)} pictures: " if len(panel.captions) > 1 else ""
        return f"{head}{count}{'; '.join(panel.captions)}"
    if panel.matrix:
        rows, columns = len(panel.matrix.rows), len(panel.matrix.columns)
        return f"{head}{panel.matrix.unit or 'a matrix'}, {rows} x {columns}, {_axes(panel)}"
    if not in_full:
        return ": ".join(filter(None, (panel.title, _axes(panel))))
    lines = [_ends(s) for s in _main(panel.series)]
    shown = lines if len(lines) <= 8 else [f"{len(lines)} lines"]
    return ": ".join(filter(None, (panel.title, _axes(panel), "; ".join(shown))))


def _main(series: Sequence[Series]) -> list[Series]:
    """Without what belongs to another: "BN, range" and "BN, seed 0" to "BN", each seed to the median."""
    drawn = [s for s in series if any(map(math.isfinite, s.y))]
    if drawn and isinstance(drawn[-1].x[0], str) and len(drawn[-1].x) == 1:     # a median of each category
        return [s for s in drawn if s.label == drawn[-1].label]
    labels = {s.label for s in drawn}
    return [s for s in drawn if not any(s.label.startswith(f"{label}, ") for label in labels)]


def _axes(panel: Panel) -> str:
    if panel.ylabel and panel.xlabel:
        return f"{panel.ylabel} against {panel.xlabel}"
    return panel.ylabel or panel.xlabel


def _ends(series: Series) -> str:
    points = [(x, y) for x, y in zip(series.x, series.y, strict=True) if math.isfinite(y)]
    (first, begin), (_, end) = points[0], points[-1]
    if isinstance(first, str) and len(points) == 1:
        return f"{first} {number(begin)}"
    return f"{series.label} {number(begin)}" + (f" to {number(end)}" if end != begin else "")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
