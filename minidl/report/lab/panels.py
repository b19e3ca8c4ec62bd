"""The panels that experiments share: over the training, against a setting, and seed by seed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from minidl import plots
from minidl.engine.array import Array
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import REPORT, Record, of_arm
from minidl.plots.axes import Scale
from minidl.plots.style import arm_style
from minidl.report.lab.axes import ticks_at
from minidl.report.lab.titles import ARM_NAMES, arms_of, name_of


def grid(rows: int, columns: int, **options: Any) -> tuple[Figure, Array]:
    """A figure with rows x columns Axes, wide enough for legends beside them; the Axes (rows, columns)."""
    apart = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)     # an axis label is not the next panel's
    figure = Figure(figsize=(max(8.0, 4.4 * columns + 2.4), 3.5 * rows + 0.8), layout=apart)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def over_steps(
    result: LabResult,
    ax: Axes,
    of: Callable[[Record], Sequence[float]],
    ylabel: str,
    *,
    arms: Sequence[str] | None = None,
    xscale: Scale = "log",
    **settings: Any,
) -> Axes:
    """A quantity over the training, one line an arm; a run that ended early leaves a gap."""
    lines = {}
    for arm in arms or arms_of(result):
        records = of_arm(result.records, arm, **settings)
        if not records:
            continue
        steps = max((r.series["steps"] for r in records), key=len)
        values = np.full((len(records), len(steps)), np.nan)
        for row, record in zip(values, records, strict=True):
            found = np.asarray(of(record), np.float64)
            row[: len(found)] = found
        lines[name_of(result, arm)] = (np.array(steps), values)
    return plots.bands(lines, ax, ylabel=ylabel, xscale=xscale)


def against(
    result: LabResult,
    ax: Axes,
    value: str,
    setting: str,
    labels: tuple[str, str],
    *,
    arms: Sequence[str] | None = None,
    xscale: Scale = "linear",
    **settings: Any,
) -> Axes:
    """A number of each run against one of its settings, one line an arm; `labels` are those of x and y."""
    lines = {}
    for arm in arms or arms_of(result):
        records = of_arm(result.records, arm, **settings)
        at = sorted({r.job.settings[setting] for r in records})
        if not at:
            continue
        columns = [[r.values[value] for r in records if r.job.settings[setting] == x] for x in at]
        seeds = max(map(len, columns))
        values = np.full((seeds, len(at)), np.nan)
        for i, column in enumerate(columns):
            values[: len(column), i] = column
        lines[name_of(result, arm)] = (np.array(at), values)
    ax = plots.bands(lines, ax, ylabel=labels[1], xlabel=labels[0], xscale=xscale)
    at = sorted({float(x) for steps, _ in lines.values() for x in steps})
    if len(at) <= 8:
        ticks_at(ax.xaxis, at)
    return ax


def by_arm(
    result: LabResult,
    ax: Axes,
    of: Callable[[Record], float],
    ylabel: str,
    *,
    arms: Sequence[str] | None = None,
    **settings: Any,
) -> Axes:
    """A number of each seed as a point, and the median as a line, arm by arm."""
    names = list(arms or arms_of(result))
    for i, arm in enumerate(names):
        values = [of(r) for r in of_arm(result.records, arm, **settings)]
        style = arm_style(i)
        places = i + np.linspace(-0.15, 0.15, len(values))
        faint: dict[str, Any] = {"markersize": 4.5, "alpha": 0.6, "linestyle": "none", "label": "_each seed"}
        ax.plot(places, values, style.marker, color=style.color, **faint)
        middle = [np.median(values)] * 2
        ax.plot([i - 0.3, i + 0.3], middle, color=style.color, linewidth=2, label="_median")
    ax.set_xticks(range(len(names)), [textwrap.fill(ARM_NAMES.get(arm, arm), 11) for arm in names])
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set_ylabel(ylabel)
    ax.grid(True, axis="y", color="#DDDDDD", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def reported(result: LabResult) -> list[Record]:
    """The records that are reported."""
    return [r for r in result.records if r.job.purpose == REPORT]


def settings_of(result: LabResult, name: str) -> list[Any]:
    """The values of a setting among the reported records, sorted."""
    return sorted({r.job.settings[name] for r in reported(result)})
