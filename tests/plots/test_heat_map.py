"""Heat maps: colours and numbers of a grid of two settings."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import plots
from tests.plots.conftest import overhang, render

NAMES = {"xlabel": "learning rate", "ylabel": "initial weights", "label": "accuracy (%)"}
ROWS, COLUMNS = ["N(0, 0.1^2)", "Glorot"], [0.1, 1, 10]
VALUES = [[10, 50, 97], [94.6, np.nan, np.inf]]


def test_every_cell_has_its_colour_and_number(ax):
    assert plots.heat_map(VALUES, ROWS, COLUMNS, ax, **NAMES) is ax
    assert [text.get_text() for text in ax.texts] == ["10", "50", "97", "95", "nan", "inf"]
    assert [text.get_position() for text in ax.texts][1] == (1, 0)
    shown = ax.images[0].get_array()
    assert shown[0].tolist() == [10, 50, 97]
    assert np.ma.getmaskarray(np.ma.masked_invalid(shown))[1].tolist() == [False, True, True]
    assert ax.images[0].get_clim() == (10, 97)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "initial weights")
    assert ax.figure.axes[1].get_ylabel() == "accuracy (%)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ROWS
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "1", "10"]
    assert overhang(ax.figure) == 0
    render(ax.figure)


def test_numbers_stand_out_from_their_cells(ax):
    plots.heat_map(np.linspace(0, 1, 20).reshape(4, 5), range(4), range(5), ax, decimals=2, **NAMES)
    values = np.array([float(text.get_text()) for text in ax.texts])
    assert [text.get_color() for text in ax.texts] == ["white" if v < 0.6 else "black" for v in values]


def test_panels_on_one_scale_share_a_bar():
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax in axes:
        plots.heat_map(VALUES, ROWS, COLUMNS, ax, limits=(0, 100), bar=False, **NAMES)
        assert ax.images[0].get_clim() == (0, 100)
    assert len(figure.axes) == 2


def test_a_dense_grid_has_colours_alone_and_few_ticks(ax):
    plots.heat_map(np.zeros((3, 120)), ["a", "b", "c"], np.geomspace(0.01, 100, 120), ax, **NAMES)
    assert not ax.texts
    assert len(ax.get_xticks()) <= 30
    assert overhang(ax.figure) == 0


def test_nothing_finite_is_drawn_too(ax):
    plots.heat_map([[np.nan]], ["a"], [1], ax, **NAMES)
    render(ax.figure)


@pytest.mark.parametrize(("values", "message"), [
    ([[1, 2], [3, 4]], r"expects values \(2, 3\), one for each row and column, .* got shape \(2, 2\)"),
    ([[1, 2, 3], [4]], r"got shape \(0,\)"),
])
def test_wrong_data_get_one_sentence(ax, values, message):
    with pytest.raises(ValueError, match=message):
        plots.heat_map(values, ROWS, COLUMNS, ax, **NAMES)
