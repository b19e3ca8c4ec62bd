"""Curves with bands: what is drawn, how steps are scaled, and how diverged runs show."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import plots
from tests.plots.conftest import crosses, drawn, legend_covers_data, legend_texts, overhang, render

LOG_STEPS = [10, 20, 50, 100, 200, 500, 1000, 1500]


def test_an_arm_is_its_median_and_the_range_of_its_seeds(ax):
    values = np.array([[1.0, 2, 3], [2, 3, 7], [3, 9, 8]])
    arms = {"a": ([1, 2, 3], values), "b": ([1, 2, 3], [4, 5, 6])}
    assert plots.bands(arms, ax, ylabel="loss (nats)") is ax
    assert drawn(ax, "a").tolist() == [2, 3, 7]
    assert drawn(ax, "b").tolist() == [4, 5, 6]
    band, = ax.collections
    assert band.get_datalim(ax.transData).bounds == pytest.approx((1, 1, 2, 8))
    assert legend_texts(ax) == ["a", "b"]
    assert ax.get_legend().get_title().get_text() == "median and range\nof 1 to 3 seeds"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training step", "loss (nats)")
    assert not legend_covers_data(ax)
    assert overhang(ax.figure) == 0


def test_a_single_run_has_no_band_and_no_note(ax):
    plots.bands({"a": ([1, 2], [1, 2])}, ax, ylabel="y")
    assert not ax.collections
    assert ax.get_legend().get_title().get_text() == ""


@pytest.mark.parametrize(("steps", "scale"), [
    (LOG_STEPS, "log"),
    ([0, *LOG_STEPS], "symlog"),
    (range(1, 1001), "linear"),
    (range(1000, 50_001, 1000), "linear"),
    ([10, 14, 19, 26, 36, 50, 300], "log"),
    ([10, 12, 20, 30, 99], "linear"),
    ([5], "linear"),
    ([0], "linear"),
])
def test_the_x_axis_follows_the_spacing_of_the_steps(ax, steps, scale):
    plots.bands({"a": (steps, np.ones(len(steps)))}, ax, ylabel="y")
    assert ax.get_xscale() == scale
    assert overhang(ax.figure) == 0


def test_two_seeds_are_several(ax):
    plots.bands({"a": ([1, 2], [[1, 2], [2, 3]])}, ax, ylabel="y")
    assert ax.get_legend().get_title().get_text() == "median and range\nof 2 seeds"


def test_the_x_axis_can_be_chosen(ax):
    plots.bands({"a": (LOG_STEPS, LOG_STEPS)}, ax, ylabel="y", xscale="linear", xlabel="epoch")
    assert (ax.get_xscale(), ax.get_xlabel()) == ("linear", "epoch")
    plots.bands({"a": ([1, 2], [1, 2])}, ax, ylabel="y", xscale="log")
    assert ax.get_xscale() == "log"
    with pytest.raises(ValueError, match="got 'logit'"):
        plots.bands({"a": ([1, 2], [1, 2])}, ax, ylabel="y", xscale="logit")


def test_ticks_are_plain_numbers(ax):
    plots.bands({"a": (LOG_STEPS, LOG_STEPS)}, ax, ylabel="y")
    ax.figure.draw_without_rendering()
    assert "1,000" in [label.get_text() for label in ax.get_xticklabels()]


def test_a_missing_value_is_a_gap_and_an_infinite_one_a_cross_at_the_edge(ax):
    nan, inf = np.nan, np.inf
    values = [[1, nan, 1, 1], [2, nan, inf, inf], [3, nan, inf, inf]]
    plots.bands({"a": ([1, 2, 3, 4], values), "b": ([1, 2], [1, -inf])}, ax, ylabel="y")
    np.testing.assert_array_equal(drawn(ax, "a"), [2, nan, nan, nan])
    assert [(c.get_xdata().tolist(), c.get_ydata().tolist()) for c in crosses(ax)] == [([3], [1]), ([2], [0])]
    assert [text.get_text() for text in ax.texts] == ["2"]
    assert legend_texts(ax) == ["a", "b", "diverged (number of seeds)"]
    assert overhang(ax.figure) == 0


def test_crosses_of_several_arms_do_not_cover_each_other(ax):
    lost = [1, -np.inf, -np.inf]
    plots.bands({"a": ([1, 2, 3], lost), "b": ([1, 2, 3], lost)}, ax, ylabel="y")
    ax.figure.draw_without_rendering()
    heights = [c.get_transform().transform((2, 0))[1] for c in crosses(ax)]
    assert heights[1] - heights[0] > 11
    assert legend_texts(ax)[-1] == "diverged"


def test_crosses_leave_the_limits_to_the_data(ax):
    plots.bands({"a": ([1, 2, 3], [[0.5, 0.6, 0.6], [0.5, 0.5, -np.inf]])}, ax, ylabel="y")
    low, high = ax.get_ylim()
    assert 0.45 < low < 0.5
    assert 0.6 < high < 0.65


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308])
def test_an_arm_without_a_finite_value_still_gives_a_figure(ax, value):
    plots.bands({"a": (LOG_STEPS, np.full((3, 8), value)), "b": (LOG_STEPS, LOG_STEPS)}, ax, ylabel="y")
    render(ax.figure)
    only = Figure(layout="constrained").subplots()
    plots.bands({"a": (LOG_STEPS, np.full((3, 8), value))}, only, ylabel="y")
    render(only.figure)
    assert only.get_xlim()[1] >= 1500


def test_many_arms_and_long_names_stay_on_the_canvas(ax):
    arms = {f"plain, Glorot x 4, arm number {i}": (LOG_STEPS, np.full((2, 8), i)) for i in range(12)}
    plots.bands(arms, ax, ylabel="y")
    assert overhang(ax.figure) == 0
    assert not legend_covers_data(ax)
    looks = {(line.get_color(), line.get_marker()) for line in ax.get_lines()}
    assert len(looks) == len(ax.get_lines()) == 12


def test_without_a_layout_engine_the_legend_stays_on_the_canvas():
    ax = Figure().subplots()
    plots.bands({"a rather long name for an arm": (LOG_STEPS, LOG_STEPS)}, ax, ylabel="y")
    assert overhang(ax.figure) == 0


@pytest.mark.parametrize(("arms", "message"), [
    ({}, "at least one arm, got none"),
    ({"a": ([], [])}, r"arm 'a' expects finite steps \(T,\), at least one, got \(0,\)"),
    ({"a": ([1, np.nan], [1, 2])}, "arm 'a' expects finite steps"),
    ({"a": ([1, 2], [1, 2, 3])}, r"arm 'a' expects values of shape \(2,\), or \(seeds, 2\), got \(3,\)"),
])
def test_wrong_data_get_one_sentence(ax, arms, message):
    with pytest.raises(ValueError, match=message):
        plots.bands(arms, ax, ylabel="y")


def test_panels_share_one_legend():
    figure = Figure(figsize=(10, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    plots.bands({"a": ([1, 2], np.ones((3, 2))), "b": ([1, 2], np.ones((3, 2)))}, left, ylabel="y")
    plots.bands({"b": ([1, 2], np.ones((3, 2))), "c": ([1, 2], np.ones((3, 2)))}, right, ylabel="y")
    plots.share_legend(figure)
    legend, = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "c"]
    assert legend.get_title().get_text() == "median and range\nof 3 seeds"
    assert left.get_legend() is None
    assert right.get_legend() is None
    assert overhang(figure) == 0
    assert not any(legend.get_window_extent().overlaps(panel.get_window_extent()) for panel in (left, right))


def test_a_shared_legend_needs_legends_and_room():
    with pytest.raises(ValueError, match="draw the panels first"):
        plots.share_legend(Figure(layout="constrained"))
    with pytest.raises(ValueError, match="layout='constrained'"):
        plots.share_legend(Figure())


def test_a_shared_legend_passes_over_what_has_no_picture():
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    (line,) = ax.plot([1, 2], [1, 2])
    with pytest.warns(UserWarning, match="Legend does not support handles for object"):
        ax.legend([object(), line], ["no picture", "a line"])
    plots.share_legend(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a line"]
