"""What a figure shows, as plain records: they go to figures.json, and come back from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Series:
    """A line, points, bars or a band.

    Attributes:
        label: as in the legend.
        x: numbers, or the names of categories.
        y: as many numbers; none of a band.
        low: lower edge of a band; otherwise empty.
        high: its upper edge.
        diverged: whether it marks where runs diverged; y is NaN then.

    """

    label: str
    x: list[Any]
    y: list[float]
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    diverged: bool = False


@dataclass(frozen=True)
class Matrix:
    """A heat map.

    Attributes:
        rows: their names, from above.
        columns: their names, from the left.
        values: a list of numbers for each row.
        written: what is written in the cells; empty where nothing is.
        unit: what the colours mean.

    """

    rows: list[str]
    columns: list[str]
    values: list[list[float]]
    written: list[list[str]]
    unit: str


@dataclass(frozen=True)
class Panel:
    """One Axes.

    Attributes:
        title: empty if a figure has but one panel, and that no title.
        xlabel: with its unit.
        ylabel: likewise.
        series: what is drawn, in order.
        background: many faint lines, for the CSV alone.
        levels: horizontal lines with a label, such as chance.
        matrix: of a heat map.
        captions: of pictures.

    """

    title: str
    xlabel: str = ""
    ylabel: str = ""
    series: tuple[Series, ...] = ()
    background: tuple[Series, ...] = ()
    levels: dict[str, float] = field(default_factory=dict)
    matrix: Matrix | None = None
    captions: tuple[str, ...] = ()


@dataclass(frozen=True)
class FigureData:
    """A figure.

    Attributes:
        name: of its file, without a suffix.
        title: lines, the first of which says what it is.
        alt: what a reader who can't see it must know.
        panels: in order.

    """

    name: str
    title: str
    alt: str
    panels: tuple[Panel, ...]


def figure_from_plain(plain: Mapping[str, Any]) -> FigureData:
    """A figure's record from what `to_plain` made of it.

    Raises:
        KeyError, TypeError, ValueError: content of another kind, or of another version.

    """
    panels = tuple(_panel(panel) for panel in plain["panels"])
    return FigureData(**{**plain, "panels": panels})


def _panel(plain: Mapping[str, Any]) -> Panel:
    matrix = plain["matrix"]
    return Panel(**{
        **plain,
        "series": tuple(_series(s) for s in plain["series"]),
        "background": tuple(_series(s) for s in plain["background"]),
        "levels": {label: float(level) for label, level in plain["levels"].items()},
        "matrix": matrix and Matrix(**{**matrix, "values": [_numbers(row) for row in matrix["values"]]}),
        "captions": tuple(plain["captions"]),
    })


def _series(plain: Mapping[str, Any]) -> Series:
    return Series(**{**plain, **{name: _numbers(plain[name]) for name in ("y", "low", "high")}})


def _numbers(plain: list[Any]) -> list[float]:
    return [float(value) for value in plain]
