"""The data behind a figure: read off what was drawn, so that no table is written a second time by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from minidl.plots.axes import as_percent
from minidl.report.description import describe
from minidl.report.figure_records import FigureData, Matrix, Panel, Series

DIGITS = 9      # significant ones that are kept: a float32 has 7
CROWD = 12      # a collection of more lines than this is a background: its numbers go to the CSV alone

_MATPLOTLIBS = re.compile(r"_(child\d+|container\d+|nolegend_)|")     # labels that nobody gave


def figure_data(name: str, figure: Figure) -> FigureData:
    """What a figure shows, panel by panel, with an alternative text.

    Read are lines, bands (`fill_between`), points, bars, matrices (`imshow`) and labelled horizontal lines. A
    label that begins with an underscore, which Matplotlib keeps out of the legend, is a name here. What has
    no label has that of an earlier line of its colour, or that of the category at which it stands.

    Args:
        name: of its file, without a suffix.
        figure: as it was drawn.

    Example:
        >>> from minidl import plots
        >>> figure = Figure(layout="constrained")
        >>> ax = figure.subplots()
        >>> ax = plots.bands({"BN": ([1, 10], [[9.0, 80.0], [11.0, 90.0]])}, ax, ylabel="accuracy (%)")
        >>> [(series.label, series.y) for series in figure_data("curves", figure).panels[0].series]
        [('BN', [10.0, 85.0]), ('BN, range', [])]

    """
    axes = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    panels = tuple(_panel(ax, axes, number) for number, ax in enumerate(axes, start=1))
    title = figure.get_suptitle() or (panels[0].title if panels else "") or name
    return FigureData(name, title, describe(title, panels), panels)


def _panel(ax: Axes, axes: list[Axes], number: int) -> Panel:
    title = " ".join(ax.get_title().split()) or (f"panel {number}" if len(axes) > 1 else "")
    if not ax.axison:       # pictures: what is written under them is their data
        return Panel(title, captions=_captions(ax))
    xlabel, ylabel = _label(ax, axes, "x"), _label(ax, axes, "y")
    if ax.images:
        return Panel(title, xlabel, ylabel, matrix=_matrix(ax))
    lines = [line for line in ax.lines if line.get_transform().contains_branch_seperately(ax.transData)[1]]
    levels = {
        _given(line): _scaled(line.get_ydata(), ax.yaxis)[0] for line in lines
        if not line.get_transform().contains_branch_seperately(ax.transData)[0] and _given(line)
    }
    named = _named(ax, list(_series(ax)))
    if not named:
        return Panel(title, xlabel, ylabel, captions=_captions(ax))
    crowd = tuple(s for c in ax.collections if _is_crowd(c) for s in _segments(ax, c))
    return Panel(title, xlabel, ylabel, _not_dodged(ax, named), crowd, levels)


def _captions(ax: Axes) -> tuple[str, ...]:
    return tuple(" ".join(text.get_text().split()) for text in ax.texts)


def _label(ax: Axes, axes: list[Axes], which: str) -> str:
    """The label of an axis; where it has none, that of the next panel below (x) or to the left (y)."""
    def of(one: Axes) -> str:
        return " ".join(getattr(one, f"get_{which}label")().split())

    def place(one: Axes) -> Any:
        spec = one.get_subplotspec()
        return spec and (spec.colspan if which == "x" else spec.rowspan)

    there, own = place(ax), axes.index(ax)
    before, after = ([of(one) for one in part if place(one) == there] for part in (axes[:own], axes[own:]))
    nearest = after if which == "x" else before[::-1]
    return of(ax) or next(filter(None, nearest if there is not None else []), "")


@dataclass(frozen=True)
class _Drawn:
    """Something drawn, before it has its name."""

    label: str
    color: str
    series: Series


def _series(ax: Axes) -> Iterator[_Drawn]:
    bars = [container for container in ax.containers if isinstance(container, BarContainer)]
    for bar in bars:
        x = [patch.get_x() + patch.get_width() / 2 for patch in bar.patches]
        y = [patch.get_height() for patch in bar.patches]
        if bar.patches:
            yield _Drawn(_given(bar), _hex(bar.patches[0].get_facecolor()), _points(ax, x, y))
    for artist in ax.get_children():
        if isinstance(artist, Line2D):
            x_in_data, y_in_data = artist.get_transform().contains_branch_seperately(ax.transData)
            color = _hex(artist.get_color())
            if x_in_data and y_in_data:
                yield _Drawn(_given(artist), color, _points(ax, artist.get_xdata(), artist.get_ydata()))
            elif artist.get_marker() == "x":        # the crosses of plots.seeds: x in data, y on the edge
                x = _scaled(artist.get_xdata(), ax.xaxis)
                yield _Drawn("", color, Series("", x, [float("nan")] * len(x), diverged=True))
        elif isinstance(artist, PathCollection):
            offsets = np.asarray(artist.get_offsets())
            faces = artist.get_facecolor()
            color = _hex(faces[0]) if len(faces) else ""
            yield _Drawn(_given(artist), color, _points(ax, offsets[:, 0], offsets[:, 1]))
        elif isinstance(artist, LineCollection):
            if not _is_crowd(artist):
                yield from (_Drawn(s.label, "", s) for s in _segments(ax, artist))
        elif isinstance(artist, PolyCollection):
            yield _Drawn(_given(artist), _hex(artist.get_facecolor()[0]), _band(ax, artist))


def _hex(color: Any) -> str:
    return to_hex(color)        # matplotlib's types say more of a colour than a line or a face can have


def _points(ax: Axes, x: ArrayLike, y: ArrayLike) -> Series:
    return Series("", _scaled(x, ax.xaxis), _scaled(y, ax.yaxis))


def _band(ax: Axes, area: PolyCollection) -> Series:
    """Lower and upper edge of what `fill_between` drew: at each x the least and the greatest y."""
    edges: dict[float, list[float]] = {}
    for path in area.get_paths():
        for x, y in np.asarray(path.vertices, np.float64):
            edges.setdefault(float(x), []).append(float(y))
    at = sorted(edges)
    low, high = [min(edges[x]) for x in at], [max(edges[x]) for x in at]
    return Series("", _scaled(at, ax.xaxis), [], _scaled(low, ax.yaxis), _scaled(high, ax.yaxis))


def _is_crowd(collection: Collection) -> bool:
    return isinstance(collection, LineCollection) and len(collection.get_segments()) > CROWD


def _segments(ax: Axes, collection: Collection) -> Iterator[Series]:
    assert isinstance(collection, LineCollection)
    for number, points in enumerate(collection.get_segments(), start=1):
        series = _points(ax, points[:, 0], points[:, 1])
        yield replace(series, label=f"{_given(collection) or 'line'} {number}")


def _named(ax: Axes, drawn: list[_Drawn]) -> list[Series]:
    """Each with a name, and with x as the axis names it where it has categories."""
    colors = {one.color: one.label for one in reversed(drawn) if one.label and not one.series.low}
    categories = _categories(ax.xaxis)
    seen: dict[str, int] = {}
    series = []
    for one in drawn:
        label = one.label
        if not label:
            label = colors.get(one.color, "value")
            label += " diverged" * one.series.diverged
            seen[label] = seen.get(label, 0) + 1
            # Of those of one colour the first is the line that has this label.
            count = seen[label] + (one.color in colors and not one.series.diverged)
            label += f" ({count})" if count > 1 and not categories else ""
        series.append(replace(_at_categories(one.series, categories), label=label))
    return series


def _at_categories(series: Series, categories: dict[float, Any]) -> Series:
    """With categories for x; a short level line across one of them is one point."""
    if not categories:
        return series
    x = [_nearest(categories, at) for at in series.x]
    points = list(zip(x, series.y, strict=False))
    if len(points) == 2 and points[0] == points[1]:     # both ends at one category
        return replace(series, x=x[:1], y=series.y[:1])
    return replace(series, x=x)


def _nearest(categories: dict[float, Any], at: float) -> Any:
    return categories[min(categories, key=lambda place: abs(place - at))]


def _categories(axis: Axis) -> dict[float, Any]:
    """Place -> what it stands for, of an axis whose ticks were given names: words, or other numbers.

    Layers 1 to 3 at the places 0 to 2 are such, batches of 4 and 60 at 4 and 60 aren't.
    """
    if not isinstance(axis.get_major_locator(), FixedLocator):
        return {}
    names = _tick_names(axis)
    numbers = {at: _number(text) for at, text in names.items()}
    if any(number is None for number in numbers.values()):
        return names
    # Ticks round what they say.
    same = all(math.isclose(at, number or 0.0, rel_tol=0.01) for at, number in numbers.items())
    return {} if same else numbers


def _tick_names(axis: Axis, minor: bool = False) -> dict[float, str]:
    places = axis.get_ticklocs(minor=minor)
    formatter = axis.get_minor_formatter() if minor else axis.get_major_formatter()
    texts = formatter.format_ticks(list(places))
    return {float(at): " ".join(text.split()) for at, text in zip(places, texts, strict=True) if text}


def _number(text: str) -> float | None:
    try:
        return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))
    except ValueError:
        return None


def _not_dodged(ax: Axes, series: list[Series]) -> tuple[Series, ...]:
    """The x of `plots.sweep` without the small factors that set its arms side by side.

    These factors are symmetric: their geometric mean over the arms is 1.
    """
    places = list(dict.fromkeys(tuple(s.x) for s in series if s.y and not s.diverged))
    if ax.get_xscale() != "log" or len(places) < 2 or len({len(x) for x in places}) > 1:
        return tuple(series)
    logs: NDArray[np.float64] = np.log(np.array(places, dtype=np.float64))
    factors = logs - logs.mean(axis=0)
    if not np.allclose(factors, factors[:, :1], atol=1e-6) or np.abs(factors).max() > 0.5:
        return tuple(series)
    shared = np.exp(logs.mean(axis=0))

    def back(x: float) -> float:
        return _rounded(shared[np.abs(np.log(shared / x)).argmin()])

    return tuple(replace(s, x=[back(x) for x in s.x]) for s in series)


def _matrix(ax: Axes) -> Matrix:
    image = ax.images[0]
    values = np.ma.filled(np.ma.asarray(image.get_array(), dtype=np.float64), np.nan)
    rows, columns = values.shape
    written = [[""] * columns for _ in range(rows)]
    for text in ax.texts:
        x, y = text.get_position()
        written[round(y)][round(x)] = text.get_text()
    # Panels may share the bar of one of them.
    bars = [image, *(other for one in ax.figure.axes for other in one.images)]
    bar = next((one.colorbar.ax for one in bars if one.colorbar), None)
    scale = bar.yaxis.get_major_formatter() if bar else None
    factor = 100 / scale.xmax if isinstance(scale, PercentFormatter) else 1.0
    return Matrix(
        _ticks(ax.yaxis, rows), _ticks(ax.xaxis, columns),
        [[_rounded(factor * value) for value in row] for row in values],
        written if ax.texts else [], bar.get_ylabel() if bar else "",
    )


def _ticks(axis: Axis, count: int) -> list[str]:
    """A name for each row or column: its tick's, or its number in brackets where it has none."""
    names = [f"({number})" for number in range(1, count + 1)]
    for at, text in {**_tick_names(axis, minor=True), **_tick_names(axis)}.items():
        if 0 <= at < count:
            names[round(at)] = text
    return names


def _scaled(values: ArrayLike, axis: Axis) -> list[float]:
    """Numbers as the axis shows them: per cent where the data are shares."""
    shown = getattr(axis.get_major_formatter(), "func", None) is as_percent
    return [_rounded(100 * value if shown else value) for value in np.asarray(values, np.float64).ravel()]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _given(artist: Any) -> str:
    """The label that an artist was given, without the underscore that keeps it out of the legend."""
    label = str(artist.get_label() or "")
    return "" if _MATPLOTLIBS.fullmatch(label) else " ".join(label.lstrip("_, ").split())
