"""A heat map: one number for each pair of two settings, such as learning rate and initial weights."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from minidl.plots.axes import axes_or_new, size_in_points
from minidl.plots.seeds import Values

_SMALLEST_FONT, _LARGEST_FONT = 5.0, 9.0
_MOST_TICKS, _MOST_LEVEL = 30, 9    # columns with a name, and up to how many their names are written level
_NOTHING = "#DDDDDD"    # cells without a finite number


def heat_map(
    values: ArrayLike,
    rows: Sequence[float | str],
    columns: Sequence[float | str],
    ax: Axes | None = None,
    *,
    xlabel: str,
    ylabel: str,
    label: str,
    limits: tuple[float, float] | None = None,
    decimals: int = 0,
    bar: bool = True,
) -> Axes:
    """A number for each pair of two settings, as colour, and written into its cell where there is room.

    The first row is at the top. A cell whose number isn't finite is grey and says "nan" or "inf".

    Args:
        values: (R, C).
        rows: R settings, numbers or names.
        columns: C settings.
        ax: where to draw; None makes a figure. The colour bar takes its room from it.
        xlabel: what the columns are, with their unit.
        ylabel: what the rows are, with their unit.
        label: what the values are, with their unit.
        limits: ends of the colour scale; None takes the smallest and the largest value. Panels that are to be
            compared need the same.
        decimals: how many of them the cells show.
        bar: whether a colour bar stands beside it; panels with the same limits need one in all:
            `figure.colorbar(ax.images[0], ax=list_of_axes, label=label)`.

    Raises:
        ValueError: values of another shape, or none.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure(layout="constrained").subplots()
        >>> ax = heat_map(
        ...     [[94, 10], [96, 97]], ["plain", "BN"], [0.5, 8], ax,
        ...     xlabel="learning rate", ylabel="arm", label="test accuracy (%)",
        ... )
        >>> [text.get_text() for text in ax.texts], [text.get_text() for text in ax.get_xticklabels()]
        (['94', '10', '96', '97'], ['0.5', '8'])

    """
    try:
        cells = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        cells = np.empty(0)
    if cells.shape != (len(rows), len(columns)) or not cells.size:
        raise ValueError(
            f"heat_map expects values ({len(rows)}, {len(columns)}), one for each row and column, "
            f"at least one, got shape {cells.shape}"
        )
    finite = cells[np.isfinite(cells)]
    low, high = limits or ((finite.min(), finite.max()) if finite.size else (0.0, 1.0))
    ax = axes_or_new(ax)
    colours = matplotlib.colormaps["viridis"].with_extremes(bad=_NOTHING)
    shown = np.where(np.isfinite(cells), cells, np.nan)
    image = ax.imshow(shown, aspect="auto", cmap=colours, vmin=low, vmax=high)
    every = max(1, -(-len(columns) // _MOST_TICKS))
    names = {place: _text(setting) for place, setting in enumerate(columns)}
    shown_names = dict(list(names.items())[::every])
    ax.set_xticks(list(shown_names), list(shown_names.values()))
    # Columns without room for a name have one all the same, for whoever reads the figure's data.
    others = {place: name for place, name in names.items() if place not in shown_names}
    ax.set_xticks(list(others), list(others.values()), minor=True)
    ax.set_yticks(range(len(rows)), [_text(setting) for setting in rows])
    ax.tick_params(which="both", length=0)
    ax.tick_params(axis="x", rotation=90 if len(shown_names) > _MOST_LEVEL else 0)
    ax.tick_params(axis="x", which="minor", labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if bar:
        ax.figure.colorbar(image, ax=ax, label=label).ax.spines[:].set_visible(False)
    _write(ax, image, cells, decimals)
    return ax


def _text(setting: float | str) -> str:
    if isinstance(setting, str):
        return setting
    return f"{setting:,.0f}" if abs(setting) >= 1000 else f"{setting:.3g}"


def _write(ax: Axes, image: AxesImage, cells: Values, decimals: int) -> None:
    texts = [f"{value:.{decimals}f}" for value in cells.flat]
    width, height = size_in_points(ax)
    # A digit is about 0.6 of the font size wide, and some room has to stay on both sides.
    fits = min(width / cells.shape[1] / (0.6 * max(map(len, texts)) + 0.6), height / cells.shape[0] / 1.5)
    if fits < _SMALLEST_FONT:
        return
    size = min(fits, _LARGEST_FONT)
    for (i, j), text in zip(np.ndindex(cells.shape), texts, strict=True):
        red, green, blue, _ = image.to_rgba(np.ma.masked_invalid(cells[i : i + 1, j : j + 1]))[0, 0]
        bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        ax.text(j, i, text, ha="center", va="center", fontsize=size, color="black" if bright else "white")
