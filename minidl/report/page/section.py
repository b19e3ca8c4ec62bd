"""What every run's part of a page consists of, in the order in which it stands there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from minidl.experiments import Environment
from minidl.report.description import number
from minidl.report.page.html import Html, facts, tag

SYNTHETIC = (
    "The data is synthetic: images that a program drew, in place of a published data set. "
    "Numbers found on them say nothing about MNIST."
)


@dataclasses.dataclass(frozen=True)
class Section:
    """A run in parts.

    Attributes:
        title: of the run.
        summary: verdict or headline in one line.
        headline: verdict or headline at length.
        data: the data set, for people.
        numbers: titles and tables.
        notes: sentences.
        settings: a table.
        seeds: which, in words.
        environment: machine and versions.
        seconds: how long it took, where that is known.
        command: that repeats it; empty if none does.

    """

    title: str
    summary: Html
    headline: Html
    data: str
    numbers: tuple[Html, ...]
    notes: tuple[str, ...]
    settings: Html
    seeds: str
    environment: Environment
    seconds: float | None
    command: str

    @property
    def synthetic(self) -> bool:
        """Whether the data is."""
        return "(synthetic)" in self.data


def settings_table(rows: Iterable[tuple[str, Any]]) -> Html:
    """Names and values."""
    return facts("Settings", [(name, plain(value)) for name, value in rows])


def environment_table(environment: Environment, seconds: float | None) -> Html:
    """Machine and versions, and how long it took."""
    rows = [(name, plain(value)) for name, value in dataclasses.asdict(environment).items()]
    if seconds is not None:
        rows.append(("duration", duration(seconds)))
    return facts("Environment", rows)


def duration(seconds: float) -> str:
    """Seconds, minutes or hours.

    Example:
        >>> duration(42.3), duration(1234), duration(9000)
        ('42 s', '21 minutes', '2.5 hours')

    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"


def plain(value: Any) -> str:
    """A setting for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    return str(value) if isinstance(value, str | int) else number(value) if isinstance(value, float) else "-"


def spans(seeds: Sequence[int]) -> str:
    """Whole numbers in short.

    Example:
        >>> spans([3, 0, 1, 2, 7])
        '0 to 3, 7'

    """
    groups: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if groups and seed == groups[-1][-1] + 1:
            groups[-1].append(seed)
        else:
            groups.append([seed])
    return ", ".join(f"{g[0]} to {g[-1]}" if len(g) > 1 else str(g[0]) for g in groups)


def badge(text: str, kind: str) -> Html:
    """A word in a frame."""
    return tag("span", text, class_=f"badge {kind}")
