"""Shared by the tests of the figures: Axes that need no display, and checks that hold for every figure."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D


@pytest.fixture(autouse=True)
def _no_display() -> Iterator[None]:
    from matplotlib import pyplot as plt

    before = matplotlib.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


@pytest.fixture
def ax() -> Axes:
    """An Axes of a figure that makes room for legends."""
    return Figure(figsize=(7, 4.2), layout="constrained").subplots()


def history(steps: list[int], accuracy: list[float], loss: list[float] | None = None) -> SimpleNamespace:
    """A stand-in for a History, with the same points for training and validation."""
    loss = [1 - a for a in accuracy] if loss is None else loss
    points = SimpleNamespace(step=steps, loss=loss, accuracy=accuracy)
    return SimpleNamespace(train=points, validation=points)


def overhang(figure: Figure) -> float:
    """How many inches what is drawn (texts, legends, marks) sticks out over the edge of the canvas."""
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    return max(0.0, -box.x0, -box.y0, box.x1 - width, box.y1 - height)


def render(figure: Figure) -> None:
    """Draw every pixel, coarsely."""
    figure.savefig(io.BytesIO(), format="png", dpi=40)


def legend_texts(ax: Axes) -> list[str]:
    """The entries of its legend."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def legend_covers_data(ax: Axes) -> bool:
    """Whether the legend lies over the part of the canvas where data are drawn."""
    ax.figure.draw_without_rendering()
    return bool(ax.get_legend().get_window_extent().overlaps(ax.get_window_extent()))


def crosses(ax: Axes) -> list[Line2D]:
    """The marks of diverged runs, one for each arm and edge."""
    lines = [artist for artist in ax.get_children() if isinstance(artist, Line2D)]
    return [line for line in lines if line.get_marker() == "x" and len(line.get_xdata())]


def drawn(ax: Axes, label: str) -> np.ndarray:
    """The y values of the line with that label."""
    return next(line for line in ax.get_lines() if line.get_label() == label).get_ydata()
