"""Gradients and updates by layer: whether the gradient arrives, and how far each step moves the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation, blended_transform_factory
from numpy.typing import ArrayLike

from minidl.plots.axes import Scale, axes_or_new, dress, legend_beside, step_axis
from minidl.plots.bands import draw_band, seeds_note
from minidl.plots.seeds import Values, seed_values
from minidl.plots.style import GREY, arm_style

HEALTHY = 1e-3      # of the update-to-weight ratio


def gradient_flow(layers: Sequence[str], norms: Mapping[str, ArrayLike], ax: Axes | None = None) -> Axes:
    """Size of the gradient layer by layer on a logarithmic axis, one line an arm (or a step of the training).

    Where it falls by a large factor from layer to layer towards the first, the gradient vanishes; where it
    rises, it explodes. A norm of 0 has no place on the axis: a hollow triangle on the lower edge shows it. A
    nan leaves a gap, an infinite norm is a hollow triangle on the upper edge.

    Args:
        layers: L names, from the first layer up.
        norms: arm -> 2-norms (L,), or (S, L) of S seeds.
        ax: where to draw; None makes a figure.

    Raises:
        ValueError: no layer or no arm, shapes that don't fit, or a norm below 0.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from minidl import Tape, instruments
        >>> from minidl.layers import Dense, Sequential, Sigmoid
        >>> model = Sequential(Dense(2, 3, bias=False), Sigmoid(), Dense(3, 1, bias=False), seed=0)
        >>> with Tape() as tape:
        ...     loss = model([[1.0, 2.0]]).sum()
        >>> tape.backward(loss)
        >>> found = instruments.parameter_gradients(model)
        >>> norms = {"untrained": [row.gradient for row in found]}
        >>> ax = Figure(layout="constrained").subplots()
        >>> ax = gradient_flow([row.name for row in found], norms, ax)
        >>> [label.get_text() for label in ax.get_xticklabels()], ax.get_yscale()
        (['0.weight', '2.weight'], 'log')

    """
    if not len(layers) or not norms:
        raise ValueError(
            f"gradient_flow expects at least one layer and one arm, got {len(layers)} and {len(norms)}: "
            "give the names of the layers and {arm: norms}"
        )
    places = np.arange(len(layers), dtype=np.float64)
    where = "gradient_flow: arm"
    arms = {arm: _sizes(values, len(layers), f"{where} {arm!r}") for arm, values in norms.items()}
    ax = axes_or_new(ax)
    dress(ax)
    extra = _draw(ax, places, arms)
    long = max(map(len, layers)) * len(layers) > 60
    ax.set_xticks(places, layers, rotation=45 if long else 0, ha="right" if long else "center")
    ax.set_xlim(-0.3, len(layers) - 0.7)
    ax.set_xlabel("layer, from the input up")
    ax.set_ylabel("gradient (2-norm)")
    legend_beside(ax, seeds_note(len(values) for values in arms.values()), extra)
    return ax


def update_ratios(
    steps: ArrayLike,
    ratios: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    *,
    xscale: Scale | None = None,
) -> Axes:
    """Size of the updates over size of the weights, layer by layer over the training, on a logarithmic axis.

    A dashed line marks 1e-3, near which a healthy training stays, as a rule of thumb: far above it steps are
    too large, far below it a layer hardly learns. A ratio of 0 (a layer that didn't move) is a hollow
    triangle on the lower edge, an infinite one (a weight of 0 that moved) one on the upper edge.

    Args:
        steps: (T,).
        ratios: layer -> (T,), or (S, T) of S seeds; `minidl.instruments.update_ratios` measures them.
        ax: where to draw; None makes a figure.
        xscale: "log", "linear", or None to choose by the spacing of the steps.

    Raises:
        ValueError: no layer, shapes that don't fit, or a ratio below 0.

    Example:
        >>> from matplotlib.figure import Figure
        >>> import minidl as dl
        >>> class Ratios(dl.Callback):
        ...     def on_start(self, state):
        ...         self.steps, self.ratios = [], {}
        ...     def on_gradients(self, state):
        ...         self.before = state.model.state_dict()
        ...     def on_step(self, state):
        ...         self.steps.append(state.step)
        ...         found = dl.instruments.update_ratios(self.before, state.model.state_dict())
        ...         for layer, ratio in found.items():
        ...             self.ratios.setdefault(layer, []).append(ratio)
        >>> watch, model = Ratios(), dl.layers.Dense(2, 2)
        >>> data, optimizer = (np.eye(2), np.array([0, 1])), dl.optim.SGD(model.parameters(), lr=0.01)
        >>> history = dl.fit(model, data, optimizer=optimizer, steps=20, callbacks=[watch])
        >>> ax = update_ratios(watch.steps, watch.ratios, Figure(layout="constrained").subplots())
        >>> ax.get_ylabel(), [text.get_text() for text in ax.get_legend().get_texts()][:3]
        ('|update| / |weight|', ['weight', 'bias', 'healthy: about 0.001'])

    """
    at = np.asarray(steps, dtype=np.float64)
    if at.ndim != 1 or not at.size or not ratios:
        raise ValueError(
            f"update_ratios expects steps (T,) and at least one layer, got {at.shape} and {len(ratios)}: "
            "give {layer: ratios}"
        )
    where = "update_ratios: layer"
    layers = {layer: _sizes(values, at.size, f"{where} {layer!r}") for layer, values in ratios.items()}
    ax = axes_or_new(ax)
    dress(ax)
    step_axis(ax, at, xscale)
    extra = _draw(ax, at, layers)
    healthy = f"healthy: about {HEALTHY:g}"
    ax.axhline(HEALTHY, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)), label=healthy)
    ax.set_ylabel("|update| / |weight|")
    legend_beside(ax, seeds_note(len(values) for values in layers.values()), extra)
    return ax


def _sizes(values: ArrayLike, points: int, where: str) -> Values:
    sizes = seed_values(values, points, where)
    if (sizes < 0).any():
        raise ValueError(f"{where} expects sizes from 0 up, got {np.nanmin(sizes):g}: give norms")
    return sizes


def _draw(ax: Axes, x: Values, arms: Mapping[str, Values]) -> list[Artist]:
    """Lines, bands on a logarithmic axis, triangles for what is off it; the legend's entries for those."""
    for number, (label, values) in enumerate(arms.items()):
        draw_band(ax, x, np.where(values == 0, np.nan, values), arm_style(number), label)
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 100 else (1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    found: dict[str, Artist] = {}
    for beyond, edge, marker, label in ((0.0, 0.0, "v", "0: off the scale"), (np.inf, 1.0, "^", "infinite")):
        row = 0
        for number, values in enumerate(arms.values()):
            reached = (values == beyond).any(axis=0)
            if reached.any():
                look: dict[str, Any] = {"marker": marker, "linestyle": "none", "markersize": 6}
                # Each arm has a row of its own, so that none covers another's.
                inwards = (7 + 9 * row) / 72 * (1 - 2 * edge)
                place = blended_transform_factory(ax.transData, ax.transAxes) + ScaledTranslation(
                    0, inwards, ax.figure.dpi_scale_trans
                )
                look |= {"color": arm_style(number).color, "markerfacecolor": "white"}
                marks = Line2D(x[reached], np.full(reached.sum(), edge), transform=place, zorder=4, **look)
                ax.add_artist(marks)
                found[label] = Line2D([], [], label=label, **{**look, "color": GREY})
                row += 1
                ax.margins(y=0.06 + 0.05 * (row + 1))
    return list(found.values())
