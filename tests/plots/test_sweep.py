"""Accuracy against the learning rate."""

from __future__ import annotations

import numpy as np
import pytest

from minidl import plots
from tests.plots.conftest import drawn, legend_covers_data, legend_texts, overhang

RATES = [0.1, 0.5, 2, 8]
ARMS = {
    "plain": [[0.93, 0.94, 0.92], [0.95, 0.1, 0.95], [0.1, np.nan, 0.1], [np.nan, np.inf, 0.1]],
    "BN": [[0.94, 0.94, 0.94], [0.96, 0.97, 0.96], [0.97, 0.97, 0.98], [0.9, 0.96, 0.97]],
}


def test_medians_points_chance_and_diverged_runs(ax):
    assert plots.sweep(RATES, ARMS, ax) is ax
    np.testing.assert_array_equal(drawn(ax, "plain"), [0.93, 0.95, 0.1, np.nan])
    np.testing.assert_array_equal(drawn(ax, "BN"), [0.94, 0.96, 0.97, 0.96])
    assert list(drawn(ax, "chance")) == [0.1, 0.1]
    assert len(ax.collections) == 6
    assert legend_texts(ax) == ["plain", "BN", "chance", "diverged (number of seeds)"]
    assert ax.get_legend().get_title().get_text() == "median of 3 seeds,\neach a faint point"
    assert [text.get_text() for text in ax.texts] == ["2"]
    assert ax.get_xscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "final accuracy (%)")
    assert not legend_covers_data(ax)
    assert overhang(ax.figure) == 0
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "0.5", "2", "8"]


def test_the_rates_may_come_in_any_order(ax):
    order = [2, 0, 3, 1]
    plots.sweep(np.array(RATES)[order], {"BN": np.array(ARMS["BN"])[order]}, ax)
    np.testing.assert_array_equal(drawn(ax, "BN"), [0.94, 0.96, 0.97, 0.96])


def test_arms_stand_side_by_side_near_their_rate(ax):
    plots.sweep(RATES, ARMS, ax)
    left, right = (line.get_xdata() for line in ax.get_lines() if line.get_label() in ARMS)
    assert (left < RATES).all()
    assert (right > RATES).all()
    assert (right / left < 1.2).all()


def test_a_dense_grid_a_single_rate_and_single_seeds(ax):
    plots.sweep(np.geomspace(0.01, 10, 25), {"a": np.full((25, 1), 0.9)}, ax)
    assert overhang(ax.figure) == 0
    assert ax.get_legend().get_title().get_text() == ""
    plots.sweep([0.5], {"a": [[np.nan]], "b": [[0.9]]}, ax)
    assert overhang(ax.figure) == 0


def test_chance_depends_on_the_number_of_classes(ax):
    plots.sweep([0.5], {"a": [[0.6]]}, ax, chance=0.5)
    assert list(drawn(ax, "chance")) == [0.5, 0.5]


@pytest.mark.parametrize(("rates", "arms", "message"), [
    ([0.1, 0], {"a": [[1], [1]]}, "above 0"),
    ([], {"a": []}, "at least one"),
    ([0.1], {}, "at least one arm, got none"),
    ([0.1, 0.5], {"a": [[0.9, 0.9]]}, r"arm 'a' expects accuracies \(2, seeds\), got shape \(1, 2\)"),
    ([0.1, 0.5], {"a": [[0.9, 0.9], [0.9]]}, "give one row for each rate"),
])
def test_wrong_data_get_one_sentence(ax, rates, arms, message):
    with pytest.raises(ValueError, match=message):
        plots.sweep(rates, arms, ax)
