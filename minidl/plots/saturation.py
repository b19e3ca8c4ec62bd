"""Saturated sigmoids by layer over the training, the dead ones told from those that decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from minidl.plots.axes import Scale, axes_or_new, dress, legend_beside, percent_axis, step_axis
from minidl.plots.bands import draw_band, seeds_note
from minidl.plots.seeds import Values, median, seed_values
from minidl.plots.style import GREY, arm_style

_DEAD: dict[str, Any] = {"linestyle": (0, (1, 1.6)), "markerfacecolor": "white"}


def saturation(
    steps: ArrayLike,
    shares: Mapping[str, ArrayLike],
    dead: Mapping[str, ArrayLike] | None = None,
    ax: Axes | None = None,
    *,
    xscale: Scale | None = None,
) -> Axes:
    """Share of saturated sigmoids (in per cent) over the training, a colour and a marker for each layer.

    With `dead`, a layer has a dotted line with hollow marks below its solid one: what lies between them
    saturates, but decides. Several seeds: median as a line, and for all that saturates smallest to largest
    as a band. What isn't finite leaves a gap.

    Args:
        steps: (T,).
        shares: layer -> share (0 to 1) of sigmoids below 0.05 or above 0.95, (T,), or (S, T) for S seeds.
        dead: layer -> the same for those saturated on one side for at least 99 % of the probe.
        ax: where to draw; None makes a figure.
        xscale: "log", "linear", or None to choose by the spacing of the steps.

    Raises:
        ValueError: no layer, shapes that don't fit, shares outside 0 to 1, or a dead layer that shares lacks.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure(layout="constrained").subplots()
        >>> shares = {"1": [0.0, 0.1, 0.2], "2": [0.0, 0.5, 0.9]}
        >>> ax = saturation([1, 10, 100], shares, {"2": [0.0, 0.1, 0.8]}, ax)
        >>> ax.get_ylabel(), len(ax.get_lines())
        ('saturated sigmoids (%)', 3)

    """
    at = np.asarray(steps, dtype=np.float64)
    if at.ndim != 1 or not at.size:
        raise ValueError(f"saturation expects steps (T,), at least one, got shape {at.shape}")
    if not shares:
        raise ValueError("saturation expects at least one layer, got none: give {layer: shares}")
    unknown = [layer for layer in dead or {} if layer not in shares]
    if unknown:
        raise ValueError(f"saturation: dead has a layer {unknown[0]!r}, shares has only {', '.join(shares)}")
    saturated = {layer: _checked(f"layer {layer!r}", values, at.size) for layer, values in shares.items()}
    stuck = {layer: _checked(f"dead {layer!r}", values, at.size) for layer, values in (dead or {}).items()}
    ax = axes_or_new(ax)
    dress(ax)
    step_axis(ax, at, xscale)
    percent_axis(ax, "saturated sigmoids")
    for number, (layer, values) in enumerate(saturated.items()):
        style = replace(arm_style(number), linestyle="-")
        draw_band(ax, at, values, style, layer)
        if layer in stuck:
            # Hollow marks: where all that saturates is dead they cover the layer's own marks.
            look = {**style.line(at.size), **_DEAD}
            ax.plot(at, median(stuck[layer]), label=f"_{layer}, dead", **look)
    ax.set_ylim(-0.03, 1.03)
    kinds = [
        Line2D([], [], color=GREY, marker="o", markersize=4.5, label="all saturated"),
        Line2D([], [], color=GREY, marker="o", markersize=4.5, label="of these, dead", **_DEAD),
    ]
    legend_beside(ax, seeds_note(len(values) for values in saturated.values()), kinds if stuck else [])
    return ax


def _checked(where: str, values: ArrayLike, points: int) -> Values:
    shares = seed_values(values, points, f"saturation: {where}")
    shares[~np.isfinite(shares)] = np.nan
    if (shares < 0).any() or (shares > 1).any():
        raise ValueError(
            f"saturation: {where} expects shares from 0 to 1, "
            f"got {np.nanmin(shares):g} to {np.nanmax(shares):g}: divide per cent by 100"
        )
    return shares
