"""Gradient flow by layer, and update-to-weight ratios over the training."""

from __future__ import annotations

import numpy as np
import pytest

from minidl import plots
from tests.plots.conftest import drawn, legend_covers_data, legend_texts, overhang, render

LAYERS = ["0.weight", "2.weight", "4.weight"]


def triangles(ax, marker):
    """Places of the marks on the lower ("v") or upper ("^") edge, for each arm that has some."""
    lines = [a for a in ax.get_children() if getattr(a, "get_marker", lambda: None)() == marker]
    edges = [line for line in lines if line.get_markerfacecolor() == "white"]
    return [line.get_xdata().tolist() for line in edges]


def test_gradients_by_layer(ax):
    norms = {"plain": [1e-6, 1e-4, 1e-2], "BN": [[0.1, 0.2, 0.1], [0.3, 0.2, 0.1], [0.2, 0.1, 0.1]]}
    assert plots.gradient_flow(LAYERS, norms, ax) is ax
    assert drawn(ax, "plain").tolist() == [1e-6, 1e-4, 1e-2]
    assert drawn(ax, "BN").tolist() == [0.2, 0.2, 0.1]
    assert len(ax.collections) == 1
    assert ax.get_yscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == LAYERS
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("layer, from the input up", "gradient (2-norm)")
    assert legend_texts(ax) == ["plain", "BN"]
    assert ax.get_legend().get_title().get_text() == "median and range\nof 1 to 3 seeds"
    first, second = ax.get_lines()[:2]
    assert first.get_marker() != second.get_marker()
    assert first.get_linestyle() != second.get_linestyle()
    assert not legend_covers_data(ax)
    assert overhang(ax.figure) == 0


def test_what_a_logarithmic_axis_cannot_hold_is_on_its_edges(ax):
    plots.gradient_flow(LAYERS, {"a": [0, 0, 1], "b": [0, np.inf, 1], "c": [np.nan, 1, 1]}, ax)
    assert triangles(ax, "v") == [[0, 1], [0]]
    assert triangles(ax, "^") == [[1]]
    assert legend_texts(ax) == ["a", "b", "c", "0: off the scale", "infinite"]
    assert overhang(ax.figure) == 0
    render(ax.figure)


def test_nothing_but_zeros_and_many_long_names(ax):
    names = [f"encoder.blocks.{i}.weight" for i in range(12)]
    plots.gradient_flow(names, {"dead": np.zeros(12)}, ax)
    assert overhang(ax.figure) == 0
    render(ax.figure)


def test_ratios_over_the_training_with_the_healthy_one(ax):
    ratios = {"0.weight": [1e-2, 1e-3, 1e-4], "1.beta": [np.inf, 1e-2, 0]}
    assert plots.update_ratios([1, 10, 1000], ratios, ax) is ax
    assert drawn(ax, "0.weight").tolist() == [1e-2, 1e-3, 1e-4]
    assert list(drawn(ax, "healthy: about 0.001")) == [1e-3, 1e-3]
    assert triangles(ax, "v") == [[1000]]
    assert triangles(ax, "^") == [[1]]
    assert ax.get_ylabel() == "|update| / |weight|"
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert not legend_covers_data(ax)
    assert overhang(ax.figure) == 0


def test_the_healthy_ratio_is_seen_wherever_the_others_lie(ax):
    plots.update_ratios([1, 2], {"a": [0.1, 0.2]}, ax)
    low, high = ax.get_ylim()
    assert low < 1e-3 < 0.2 < high


@pytest.mark.parametrize(("function", "x", "arms", "message"), [
    (plots.gradient_flow, LAYERS, {}, "at least one layer and one arm, got 3 and 0"),
    (plots.gradient_flow, [], {"a": []}, "at least one layer and one arm, got 0 and 1"),
    (plots.gradient_flow, LAYERS, {"a": [1, 2]}, r"gradient_flow: arm 'a' expects values of shape \(3,\)"),
    (plots.gradient_flow, LAYERS, {"a": [1, 2, -3]}, "expects sizes from 0 up, got -3: give norms"),
    (plots.update_ratios, [1, 2], {}, "at least one layer"),
    (plots.update_ratios, [1, 2], {"a": [1]}, "update_ratios: layer 'a' expects values"),
])
def test_wrong_data_get_one_sentence(ax, function, x, arms, message):
    with pytest.raises(ValueError, match=message):
        function(x, arms, ax)
