"""The charts of a run, drawn from its results as they stand in results.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from minidl.plots.save import save
from minidl.plots.style import BLUE, GREY, VERMILLION, arm_style
from tests.benchmarks import curves


def draw_all(result: dict[str, Any], folder: Path) -> list[Path]:
    """Write every chart for which the result has figures; the paths, PNG and SVG."""
    figures = {}
    speeds = [row for row in result["rows"] if row["at_least"]]
    if speeds:
        figures["ratios"] = ratios(speeds)
    if "curves" in result:
        figures["curves"] = step_times(result["curves"])
        figures["tape"] = tape(result["tape"])
    return [path for name, figure in figures.items() for path in save(figure, folder / name)]


def ratios(rows: Sequence[dict[str, Any]]) -> Figure:
    """How many times as fast as each peer, with quartiles, and the target as a tick."""
    figure = Figure(figsize=(8.5, 0.9 + 0.3 * len(rows)), layout="constrained")
    ax = figure.subplots()
    places = np.arange(len(rows))[::-1]
    for y, row in zip(places, rows, strict=True):
        color = {True: BLUE, False: VERMILLION, None: GREY}[row["reached"]]
        ax.barh(y, row["figure"], height=0.62, color=color, alpha=0.85)
        if row["low"] is not None:
            ax.plot([row["low"], row["high"]], [y, y], color="black", linewidth=1)
        if row["target"] is not None:
            ax.plot([row["target"]] * 2, [y - 0.45, y + 0.45], color="black", linewidth=2.2)
        ax.annotate(
            f"{row['figure']:.2f}", (0, y), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=8, color="white",
        )
    ax.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
    ax.set_yticks(places, [f"{row['work']}  |  {row['against']}" for row in rows], fontsize=8)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xlim(0, 1.05 * max(max(row["figure"], row["high"] or 0, row["target"] or 0) for row in rows))
    ax.set_xlabel("times as fast (the peer's step time over minidl's)")
    ax.set_title(
        "minidl against its peers: thick tick = target, line = quartiles\n"
        "blue: target reached, orange: not, grey: no target", fontsize=9,
    )
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def step_times(found: dict[str, Any]) -> Figure:
    """One panel an axis: step time of each library, quartiles as a band."""
    figure = Figure(figsize=(10, 7.5), layout="constrained")
    for ax, (name, curve) in zip(figure.subplots(2, 2).flat, found.items(), strict=True):
        for i, series in enumerate(curve["series"].values()):
            style = arm_style(i)
            points = series["points"]
            low, high = ([1e3 * p[k] for p in points] for k in ("low", "high"))
            ax.plot(
                curve["values"], [1e3 * p["median"] for p in points], label=series["label"],
                **style.line(len(points)),
            )
            ax.fill_between(curve["values"], low, high, color=style.color, alpha=0.2, linewidth=0)
        _logarithmic(ax, curve["values"])
        ax.set_xlabel(curve["label"])
        ax.set_ylabel("ms a training step")
        title = curve["about"]
        if "torch" in curve["series"]:
            least = min(zip(curves.ratios(curve, "torch"), curve["values"], strict=True))
            title += f"\nlowest PyTorch/minidl ratio {least[0]:.2f} at {name} {least[1]}"
        ax.set_title(title, fontsize=8.5)
        ax.legend(frameon=False, fontsize=8)
    return figure


def tape(found: dict[str, Any]) -> Figure:
    """The tape's cost against its records, and the line through it."""
    figure = Figure(figsize=(5.5, 4), layout="constrained")
    ax = figure.subplots()
    counts = np.array(found["records"])
    line = found["start"] + found["per_record"] * counts
    ax.plot(counts, 1e3 * line, color=GREY, linestyle="--", linewidth=1, label="fitted line")
    ax.plot(counts, 1e3 * np.array(found["seconds"]), color=BLUE, marker="o", linestyle="", label="measured")
    _logarithmic(ax, found["records"])
    ax.set_xlabel("records on the tape")
    ax.set_ylabel("ms to record and to replay")
    ax.set_title(
        f"{1e6 * found['start']:.0f} µs + {1e6 * found['per_record']:.2f} µs a record, "
        f"largest deviation {found['deviation']:+.0%}", fontsize=9,
    )
    ax.legend(frameon=False, fontsize=8)
    return figure


def _logarithmic(ax: Axes, values: Sequence[int]) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(values, [f"{v:,}" for v in values])
    ax.minorticks_off()
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
