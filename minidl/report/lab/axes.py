"""Axes of the laboratory's figures: layer by layer along x, and logarithmic ones with plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import Record, of_arm
from minidl.report.lab.titles import arms_of, name_of


def series(name: str) -> Callable[[Record], Any]:
    """A function that takes a series from a record."""
    return lambda record: record.series[name]


def value(name: str) -> Callable[[Record], float]:
    """A function that takes a number from a record."""
    return lambda record: record.values[name]


def by_layer(
    result: LabResult,
    ax: Axes,
    of: Callable[[Record], Any],
    ylabel: str,
    *,
    xlabel: str = "hidden layer",
    first: int = 1,
    **settings: Any,
) -> Axes:
    """A number of each layer, counted from `first`, one line an arm."""
    lines = {}
    for arm in arms_of(result):
        values = np.array([of(record) for record in of_arm(result.records, arm, **settings)], np.float64)
        layers = np.arange(first, first + values.shape[1])
        lines[name_of(result, arm)] = (layers, values)
    ax = plots.bands(lines, ax, ylabel=ylabel, xlabel=xlabel, xscale="linear")
    ax.set_xticks(layers)
    return ax


def ticks_at(axis: Axis, places: Any) -> None:
    """Ticks at these places and nowhere else, with plain numbers."""
    axis.set_major_locator(FixedLocator([float(place) for place in places]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))


def plain_log(ax: Axes, which: Literal["x", "y"] = "y") -> Axes:
    """Make an axis logarithmic, with 0.1, 1, 10 for ticks, and 2 and 5 between where it is short."""
    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 100 else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}" if x >= 1000 else f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())
    return ax
