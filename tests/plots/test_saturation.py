"""Saturation by layer over the training."""

from __future__ import annotations

import numpy as np
import pytest

from minidl import plots
from tests.plots.conftest import drawn, legend_covers_data, legend_texts, overhang, render

STEPS = [1, 10, 100, 1000]


def test_layers_with_their_dead_part(ax):
    shares = {"layer 1": [0, 0.1, 0.2, 0.3], "layer 2": [0, 0.3, 0.6, 0.9]}
    dead = {"layer 1": [0, 0, 0.1, 0.1], "layer 2": [0, 0.1, 0.3, 0.8]}
    assert plots.saturation(STEPS, shares, dead, ax) is ax
    assert drawn(ax, "layer 2").tolist() == [0, 0.3, 0.6, 0.9]
    lines = ax.get_lines()
    assert [line.get_ydata().tolist() for line in lines[1::2]] == list(dead.values())
    assert len({line.get_marker() for line in lines}) == 2
    assert {line.get_linestyle() for line in lines[::2]} == {"-"}
    assert "-" not in {line.get_linestyle() for line in lines[1::2]}
    assert {line.get_markerfacecolor() for line in lines[1::2]} == {"white"}
    assert legend_texts(ax) == ["layer 1", "layer 2", "all saturated", "of these, dead"]
    assert ax.get_ylabel() == "saturated sigmoids (%)"
    assert ax.get_xscale() == "log"
    assert ax.get_ylim()[0] < 0 < 1 < ax.get_ylim()[1]
    assert not legend_covers_data(ax)
    assert overhang(ax.figure) == 0


def test_without_the_dead_part_only_layers_are_named(ax):
    plots.saturation(STEPS, {"a": [0, 0, 0, 1]}, ax=ax)
    assert legend_texts(ax) == ["a"]


def test_seeds_are_a_median_and_a_band(ax):
    plots.saturation(STEPS, {"a": [[0, 0.1, 0.2, 0.3], [0, 0.3, 0.4, 0.5], [0, 0.2, 0.9, 1.0]]}, ax=ax)
    assert drawn(ax, "a").tolist() == [0, 0.2, 0.4, 0.5]
    assert len(ax.collections) == 1
    assert ax.get_legend().get_title().get_text() == "median and range\nof 3 seeds"


def test_what_is_not_finite_is_a_gap(ax):
    plots.saturation(STEPS, {"a": [0, 0.5, np.nan, np.inf], "b": [np.nan] * 4}, {"b": [[np.nan] * 4] * 2}, ax)
    np.testing.assert_array_equal(drawn(ax, "a"), [0, 0.5, np.nan, np.nan])
    render(ax.figure)


@pytest.mark.parametrize(("steps", "shares", "dead", "message"), [
    (STEPS, {}, None, "at least one layer, got none"),
    ([], {"a": []}, None, r"expects steps \(T,\), at least one, got shape \(0,\)"),
    (STEPS, {"a": [0, 1]}, None, r"layer 'a' expects values of shape \(4,\)"),
    (STEPS, {"a": [0, 10, 20, 90]}, None, "expects shares from 0 to 1, got 0 to 90: divide per cent by 100"),
    (STEPS, {"a": [0, 0, 0, 1]}, {"b": [0, 0, 0, 1]}, "dead has a layer 'b', shares has only a"),
])
def test_wrong_data_get_one_sentence(ax, steps, shares, dead, message):
    with pytest.raises(ValueError, match=message):
        plots.saturation(steps, shares, dead, ax)
