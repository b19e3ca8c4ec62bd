"""A figure on the page: the drawing, and the data behind it as tables to unfold and files to keep."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

from minidl.report.description import number
from minidl.report.figure_records import Matrix, Panel, Series
from minidl.report.page.html import Html, download, table, tag
from minidl.report.page.run import Drawn
from minidl.report.page.svg import inline_svg

Rows = list[list[Any]]


def figure(drawn: Drawn, prefix: str, level: int) -> Html:
    """A figure with its data.

    Args:
        drawn: the figure.
        prefix: of the ids in it.
        level: of its heading.

    """
    data = drawn.data
    first, *others = data.title.split("\n")
    picture = inline_svg(drawn.svg, prefix, first, data.alt)
    return tag(
        "figure",
        tag("figcaption", tag(f"h{level}", first), *(tag("p", line) for line in others)),
        tag("div", picture, class_="scroll card", role="region", tabindex="0", aria_label=f"Figure: {first}"),
        tag("details", tag("summary", "The data behind this figure"), *(
            _panel(panel, f"{data.name}-{i}" if len(data.panels) > 1 else data.name)
            for i, panel in enumerate(data.panels, start=1)
        ), class_="data"),
    )


def _panel(panel: Panel, name: str) -> Html:
    head, rows = _matrix(panel.matrix) if panel.matrix else _captions(panel) if panel.captions else _lines(
        panel, panel.series
    )
    title = ": ".join(filter(None, (panel.title, _axes(panel)))) or name
    shown = head, [[_text(cell) for cell in row] for row in rows]
    if panel.matrix and panel.matrix.written:
        shown = head, [
            [row, *cells] for row, cells in zip(panel.matrix.rows, panel.matrix.written, strict=True)
        ]
    if panel.background:
        head, rows = _lines(panel, (*panel.series, *panel.background))
    notes = [f"{label}: {number(level)}." for label, level in panel.levels.items()]
    if panel.background:
        notes.append(f"The {len(panel.background)} faint lines are in the CSV file alone.")
    return tag(
        "div",
        table(title, *shown),
        tag("p", *(f"{note} " for note in notes), download(f"{name}.csv", _csv(head, rows), f"{name}.csv")),
        class_="panel",
    )


def _axes(panel: Panel) -> str:
    if panel.matrix:
        return f"{panel.matrix.unit}, {panel.ylabel} in rows, {panel.xlabel} in columns"
    return panel.ylabel


def _captions(panel: Panel) -> tuple[list[str], Rows]:
    return ["", "what is written"], [[i, text] for i, text in enumerate(panel.captions, start=1)]


def _matrix(matrix: Matrix) -> tuple[list[str], Rows]:
    return ["", *matrix.columns], [
        [name, *values] for name, values in zip(matrix.rows, matrix.values, strict=True)
    ]


def _lines(panel: Panel, series: Sequence[Series]) -> tuple[list[str], Rows]:
    """A row for each x, a column for each series; where they share few x, a row for each point."""
    columns: dict[str, dict[Any, Any]] = {}
    for one in series:
        for label, values in _columns(one):
            column = columns.setdefault(label, {})
            for key, value in zip(_keys(one.x, column), values, strict=True):
                column[key] = value
    keys = _ordered({key: None for column in columns.values() for key in column})
    x = panel.xlabel or "x"
    if not columns or len(keys) <= 2 * max(map(len, columns.values())):
        rows = [[key[0], *(column.get(key, math.nan) for column in columns.values())] for key in keys]
        return [x, *columns], rows
    y = panel.ylabel or "y"
    return ["", x, y], [
        [label, key[0], value] for label, column in columns.items() for key, value in column.items()
    ]


def _columns(series: Series) -> Iterable[tuple[str, list[Any]]]:
    if series.low:
        return (f"{series.label}: low", series.low), (f"{series.label}: high", series.high)
    if series.diverged:
        return ((series.label, ["x"] * len(series.x)),)
    return ((series.label, series.y),)


def _keys(x: Sequence[Any], column: dict[Any, Any]) -> list[tuple[Any, int]]:
    """Each x with how often it came before: several points may stand at one place."""
    keys: list[tuple[Any, int]] = []
    for at in x:
        count = 0
        while (at, count) in column or (at, count) in keys:
            count += 1
        keys.append((at, count))
    return keys


def _ordered(keys: dict[tuple[Any, int], None]) -> list[tuple[Any, int]]:
    places = {at: i for i, at in enumerate(dict.fromkeys(at for at, _ in keys))}
    words = any(isinstance(at, str) for at in places)
    return sorted(keys, key=lambda key: (places[key[0]] if words else key[0], key[1]))


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else number(float(cell))


def _csv(head: Sequence[str], rows: Rows) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([_kept(cell) for cell in row])
    return buffer.getvalue()


def _kept(cell: Any) -> Any:
    if not isinstance(cell, float):
        return cell
    return "" if math.isnan(cell) else f"{cell:.9g}"
