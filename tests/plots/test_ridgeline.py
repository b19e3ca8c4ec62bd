"""Ridgelines: histograms as rows, over time or by layer."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import plots
from tests.plots.conftest import overhang, render

EDGES = np.linspace(-6, 6, 13)
X = "input x of the sigmoids"


def shares(spread: float) -> np.ndarray:
    values = np.random.default_rng(0).normal(0, spread, 2000)
    return np.histogram(values, EDGES)[0] / 2000


def test_rows_stand_below_each_other_in_order(ax):
    rows = [shares(0.3), shares(1.0), shares(2.0)]
    assert plots.ridgeline(EDGES, rows, [1, 100, 10_000], ax, xlabel=X) is ax
    to_axis = ax.transData.inverted()
    for i, (line, row) in enumerate(zip(ax.get_lines(), rows, strict=True)):
        np.testing.assert_allclose(line.get_ydata()[:-1], 100 * row / row.sum())
        drawn = to_axis.transform(line.get_transform().transform(line.get_xydata()))
        np.testing.assert_allclose(drawn[:-1, 1], 1.5 * row / row.max() - i, atol=1e-9)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1", "100", "10,000"]
    assert ax.get_yticks().tolist() == [0, -1, -2]
    shown = [text.get_text() for text in ax.texts]
    assert shown == [*(f"{100 * row.max() / row.sum():.0f} %" for row in rows), "highest\nbin"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (X, "training step")
    assert ax.get_xlim() == (-6, 6)
    assert overhang(ax.figure) == 0


def test_layers_over_time_in_panels():
    figure = Figure(figsize=(10, 4), layout="constrained")
    for i, ax in enumerate(figure.subplots(1, 3, sharey=True)):
        plots.ridgeline(EDGES, [shares(s + i) for s in (0.5, 1, 2)], [1, 10, 100], ax, xlabel=X, sigmoid=True)
        ax.set_title(f"layer {i + 1}")
    assert overhang(figure) == 0
    render(figure)


def test_zones_of_saturation_are_named(ax):
    plots.ridgeline(EDGES, [shares(1)], ["layer 1"], ax, xlabel=X, ylabel="layer", sigmoid=True)
    assert [text.get_text() for text in ax.texts].count("saturated") == 2
    zones = [zone.get_extents() for zone in ax.patches if zone.zorder == 0]
    zones = [zone.transformed(ax.transData.inverted()) for zone in zones]
    assert sorted((round(zone.x0, 2), round(zone.x1, 2)) for zone in zones) == [(-6, -2.94), (2.94, 6)]
    narrow = Figure(layout="constrained").subplots()
    plots.ridgeline([-1, 0, 1], [[1, 1]], ["a"], narrow, xlabel=X, sigmoid=True)
    assert not [zone for zone in narrow.patches if zone.zorder == 0]


def test_counts_do_as_well_and_an_empty_row_is_a_flat_line(ax):
    plots.ridgeline([0, 1, 2], [[3, 1], [0, 0]], ["a", "b"], ax, xlabel=X)
    assert [text.get_text() for text in ax.texts][:2] == ["75 %", "-"]
    assert ax.get_lines()[1].get_ydata().tolist() == [0, 0, 0]


@pytest.mark.parametrize(("edges", "rows", "labels", "message"), [
    ([0, 1, 2], [[1, 2, 3]], ["a"], r"histograms \(R, B\) and R labels, .* got \(3,\), \(1, 3\) and 1"),
    ([0, 1, 2], np.zeros((0, 2)), [], "at least one of each"),
    ([0, 1, 5], [[1, 2]], ["a"], "edges that rise evenly"),
    ([2, 1, 0], [[1, 2]], ["a"], "edges that rise evenly"),
    ([0, 1, 2], [[1, -2]], ["a"], "counts or shares from 0 up"),
    ([0, 1, 2], [[1, np.nan]], ["a"], "counts or shares from 0 up"),
])
def test_wrong_data_get_one_sentence(ax, edges, rows, labels, message):
    with pytest.raises(ValueError, match=message):
        plots.ridgeline(edges, rows, labels, ax, xlabel=X)
