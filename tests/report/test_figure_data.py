"""The data behind a figure, read off what was drawn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments import to_plain
from minidl.report import comparison_figures
from minidl.report.description import number
from minidl.report.figure_data import figure_data
from minidl.report.figure_records import figure_from_plain
from minidl.report.lab import lab_figures
from tests.experiments.lab.test_runs import tiny
from tests.report.test_comparison import made_up

NAN = float("nan")
LAB = ("figure1", "saturation", "learning-rates", "cnn")
GONE = ("diverged before the first measurement",)


@pytest.fixture
def figure():
    return Figure(layout="constrained")


def only(figure):
    (panel,) = figure_data("name", figure).panels
    return panel


def test_medians_bands_and_runs_that_diverged(figure):
    values = [[10.0, 80.0, 90.0], [12.0, -np.inf, -np.inf], [14.0, 70.0, -np.inf]]
    plots.bands({"BN": ([1, 10, 100], values)}, figure.subplots(), ylabel="accuracy (%)")
    panel = only(figure)
    assert (panel.title, panel.xlabel, panel.ylabel) == ("", "training step", "accuracy (%)")
    line, band, gone = panel.series
    assert (line.label, line.x) == ("BN", [1, 10, 100])
    np.testing.assert_array_equal(line.y, [12, 70, NAN])
    assert (band.label, band.low, band.high) == ("BN, range", [10, 70, 90], [14, 80, 90])
    assert (gone.label, gone.x, gone.diverged) == ("BN diverged", [10, 100], True)


def test_shares_are_per_cent_as_on_the_axis_and_arms_are_not_side_by_side(figure):
    arms = {"plain": [[0.9, 0.92], [0.1, 0.3]], "BN": [[0.95, 0.95], [0.97, NAN]]}
    plots.sweep([0.5, 2.0], arms, figure.subplots())
    panel = only(figure)
    assert [s.label for s in panel.series if s.label.startswith("plain")] == [
        "plain", "plain, seed 0", "plain, seed 1"
    ]
    by_label = {s.label: s for s in panel.series}
    assert all(s.x == [0.5, 2.0] for s in panel.series if not s.diverged)
    assert by_label["BN diverged"].x == [2.0]
    assert by_label["plain"].y == [91, 20]
    assert by_label["BN, seed 0"].y == [95, 97]
    assert panel.levels == {"chance": 10.0}


def test_lines_without_a_label_are_named_by_their_colour(figure):
    ax = figure.subplots()
    for i in range(3):
        ax.plot([0, 1], [i, i], color="C0", label=None if i else "BN")
    ax.plot([0, 1], [5, 6], color="C1")
    ax.scatter([0, 1], [7, 8], color="C0")
    assert [s.label for s in only(figure).series] == ["BN", "BN (2)", "BN (3)", "value", "BN (4)"]


def test_categories_stand_for_places(figure):
    ax = figure.subplots()
    ax.plot([0.9, 1.1], [3.0, 4.0], "o", label="_each seed")
    ax.plot([0.7, 1.3], [3.5, 3.5], label="_median")
    ax.set_xticks([0, 1], ["plain", "batch\nnorm"])
    seeds, median = only(figure).series
    assert (seeds.label, seeds.x, seeds.y) == ("each seed", ["batch norm", "batch norm"], [3, 4])
    assert (median.label, median.x, median.y) == ("median", ["batch norm"], [3.5])


@pytest.mark.parametrize(("names", "found"), [
    (["1", "2", "3"], [1, 2, 3]), (["0.weight", "2.weight", "4."], ["0.weight", "2.weight", "4."]),
])
def test_layers_have_the_names_of_the_axis(figure, names, found):
    norms = {"plain": [1.0, 0.5, 0.25], "BN": [1.0, 1.0, 0.5]}
    plots.gradient_flow(names, norms, figure.subplots())
    plain, bn = only(figure).series
    assert plain.x == bn.x == found
    assert figure_data("name", figure).alt.endswith(": plain 1 to 0.25; BN 1 to 0.5.")


def test_bars_and_a_crowd_of_lines(figure):
    left, right = figure.subplots(1, 2)
    left.bar([0.5, 1.5], [10, 20], width=1, label="share")
    values = np.tile([-1.0, 0.0, 1.0], (2, 1))
    plots.percentiles([1, 2], values, np.tile(values, (30, 1, 1)), right)
    bars, crowd = figure_data("name", figure).panels
    assert (bars.title, crowd.title) == ("panel 1", "panel 2")
    assert (bars.series[0].label, bars.series[0].x, bars.series[0].y) == ("share", [0.5, 1.5], [10, 20])
    names = {"15th to 85th", "85th percentile", "median", "15th percentile"}
    assert {s.label for s in crowd.series} == names
    assert len(crowd.background) == 30
    assert crowd.background[4].label == "median of unit 5"


def test_a_few_upright_lines_are_named_one_by_one(figure):
    ax = figure.subplots()
    ax.vlines([1, 2], [0, 0], [5, 6], label="reach")
    ax.axvline(1.5, label="a mark")
    ax.bar([], [])
    ax.bar([1], [3])
    bars, first, second = only(figure).series
    assert (bars.label, bars.x, bars.y) == ("value", [1], [3])
    assert (first.label, first.x, first.y) == ("reach 1", [1, 1], [0, 5])
    assert (second.label, second.y) == ("reach 2", [0, 6])


def test_of_many_lines_the_number_is_told(figure):
    ax = figure.subplots()
    for i in range(9):
        ax.plot([0, 1], [i, i], label=f"line {i}")
    ax.plot([0, 1], [NAN, NAN], label="gone")
    ax.set_ylabel("y")
    assert figure_data("name", figure).alt == "name. y: 9 lines."


def test_a_confusion_matrix_keeps_counts_and_shares(figure):
    plots.confusion_matrix([[48, 2], [0, 50]], ["cat", "dog"], figure.subplots())
    panel = only(figure)
    assert panel.matrix.rows == panel.matrix.columns == ["cat", "dog"]
    assert panel.matrix.values == [[96, 4], [0, 100]]
    assert panel.matrix.written == [["48", "2"], ["", "50"]]
    assert panel.matrix.unit == "share of the true class (%)"


def test_a_matrix_with_few_ticks_numbers_the_others_and_shares_a_colour_bar(figure):
    axes = figure.subplots(1, 2)
    images = [ax.imshow([[1.0, 2.0, NAN]]) for ax in axes]
    for ax in axes:
        ax.set_xticks([0, 2], ["a", "c"])
        ax.set_yticks([0], ["row"])
    figure.colorbar(images[1], ax=list(axes), label="unit")
    for panel in figure_data("name", figure).panels:
        assert panel.matrix.columns == ["a", "(2)", "c"]
        assert panel.matrix.unit == "unit"
        assert math.isnan(panel.matrix.values[0][2])


def test_a_heat_map_names_all_its_columns_also_those_without_room(figure):
    rates = [round(10 ** (i / 8 - 2), 4) for i in range(33)]
    labels = {"xlabel": "learning rate", "ylabel": "arm", "label": "error (%)"}
    plots.heat_map([[0.5] * 33], ["plain"], rates, figure.subplots(), **labels)
    matrix = only(figure).matrix
    assert matrix.columns[:3] == ["0.01", "0.0133", "0.0178"]
    assert not any("(" in name for name in matrix.columns)
    assert matrix.values == [[0.5] * 33]        # per cent already
    labels = figure.axes[0].get_xticklabels(which="both")
    assert sum(label.get_visible() for label in labels) == 17


def test_pictures_have_their_captions(figure):
    images, labels = np.zeros((2, 4, 4)), [0, 1]
    plots.mistakes(images, labels, [1, 0], [0.9, 0.8], ["a", "b"], figure.subplots())
    panel = only(figure)
    assert panel.captions == ("true a said b (90 %)", "true b said a (80 %)")
    assert "2 pictures: true a said b" in figure_data("name", figure).alt


def test_inner_panels_have_the_labels_of_outer_ones(figure):
    axes = figure.subplots(2, 2)
    for ax in axes.flat:
        ax.plot([1, 2], [1, 2], label="a")
    axes[1, 0].set_xlabel("below")
    axes[0, 0].set_ylabel("left")
    panels = figure_data("name", figure).panels
    labels = [(panel.xlabel, panel.ylabel) for panel in panels]
    assert labels == [("below", "left"), ("", "left"), ("below", ""), ("", "")]


def test_the_description_tells_title_axes_and_ends(figure):
    figure.suptitle("What it is\nMNIST, 2 seeds")
    plots.bands({"BN": ([1, 10], [[9.0, 80.0], [11.0, 90.0]])}, figure.subplots(), ylabel="accuracy (%)")
    data = figure_data("name", figure)
    assert data.title == "What it is\nMNIST, 2 seeds"
    assert data.alt == "What it is. MNIST, 2 seeds. accuracy (%) against training step: BN 10 to 85."
    many = Figure()
    for ax in many.subplots(1, 6):
        ax.plot([0, 1], [2, 3], label="a")
        ax.set_title("one")
    assert figure_data("name", many).alt == "one. 6 panels." + 6 * " one."


def test_numbers_are_short():
    assert [number(x) for x in (0.0, 1234.5, 1e9, -0.00001234)] == ["0", "1,234", "1e+09", "-1.234e-05"]


@pytest.mark.parametrize("figures", [
    lambda: comparison_figures(made_up(diverge=True)),
    *(lambda name=name: lab_figures(tiny(name)) for name in LAB),
], ids=["compare", *LAB])
def test_every_panel_has_data_that_come_back_from_json(figures):
    for name, figure in figures().items():
        figure.draw_without_rendering()
        data = figure_data(name, figure)
        assert len(data.alt) > 60
        for panel in data.panels:
            assert panel.series or panel.matrix or panel.captions == GONE
            assert panel.matrix or panel.captions or panel.ylabel
            assert all(s.label for s in panel.series)
            assert all(len(s.x) == len(s.y) or (len(s.low) == len(s.high) == len(s.x)) for s in panel.series)
        plain = json.loads(json.dumps(to_plain(data), allow_nan=False))
        assert to_plain(figure_from_plain(plain)) == plain
