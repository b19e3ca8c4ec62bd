"""Percentiles of a sigmoid's input over the training."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minidl import plots
from tests.plots.conftest import drawn, legend_covers_data, legend_texts, overhang, render

STEPS = [1, 10, 100, 1000]
VALUES = np.array([[-1, 0, 1], [-2, 0, 2], [-3, 1, 5], [-9, 2, 6.0]])


def test_three_lines_a_band_and_the_saturated_zones(ax):
    assert plots.percentiles(STEPS, VALUES, ax=ax) is ax
    assert drawn(ax, "15th percentile").tolist() == VALUES[:, 0].tolist()
    assert drawn(ax, "median").tolist() == VALUES[:, 1].tolist()
    assert drawn(ax, "85th percentile").tolist() == VALUES[:, 2].tolist()
    zones = [artist for artist in ax.get_children() if isinstance(artist, Rectangle) and artist.get_alpha()]
    assert sorted(1 / (1 + np.exp(-zone.get_y())) for zone in zones) == pytest.approx([0.05, 0.95])
    assert legend_texts(ax) == ["85th percentile", "median", "15th percentile", "sigmoid < 0.05 or > 0.95"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training step", "input x of the sigmoid")
    assert not legend_covers_data(ax)
    assert overhang(ax.figure) == 0


def test_quiet_inputs_are_shown_against_where_saturation_begins(ax):
    plots.percentiles(STEPS, VALUES / 100, ax=ax)
    low, high = ax.get_ylim()
    assert low < -2.94
    assert high > 2.94
    assert high < 5


def test_panels_with_one_y_axis_show_both():
    figure = Figure(layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    plots.percentiles(STEPS, VALUES, ax=left)
    plots.percentiles(STEPS, VALUES / 100, ax=right)
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[0] < -9


def test_other_units_lie_faintly_behind(ax):
    others = np.random.default_rng(0).normal(size=(99, 4, 3))
    others[3, 2] = np.nan
    plots.percentiles(STEPS, VALUES, others, ax)
    lines, = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert len(lines.get_segments()) == 99
    assert legend_texts(ax)[-1] == "medians of 99 other units"
    assert overhang(ax.figure) == 0


@pytest.mark.parametrize("lost", [np.nan, np.inf, -np.inf, 1e300])
def test_a_diverged_run_ends_with_a_cross(ax, lost):
    values = VALUES.copy()
    values[2:, 1] = lost
    plots.percentiles(STEPS, values, ax=ax)
    np.testing.assert_array_equal(drawn(ax, "85th percentile"), [1, 2, np.nan, np.nan])
    assert legend_texts(ax)[-1] == "diverged"
    assert ax.get_xlim()[1] >= 1000
    render(ax.figure)


@pytest.mark.parametrize(("steps", "values", "others", "message"), [
    (STEPS, VALUES.T, None, r"got \(4,\) and \(3, 4\)"),
    ([], np.empty((0, 3)), None, "expects steps"),
    (STEPS, VALUES, VALUES, r"others \(units, 4, 3\), got shape \(4, 3\)"),
])
def test_wrong_shapes_get_one_sentence(ax, steps, values, others, message):
    with pytest.raises(ValueError, match=message):
        plots.percentiles(steps, values, others, ax)
