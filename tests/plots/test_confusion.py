"""The confusion matrix."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import plots
from tests.plots.conftest import overhang, render

FASHION = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]


def test_counts_as_numbers_and_rows_as_colour(ax):
    assert plots.confusion_matrix([[6, 2], [0, 1]], ["0", "1"], ax) is ax
    numbers = {text.get_position(): text.get_text() for text in ax.texts}
    assert numbers == {(0, 0): "6", (1, 0): "2", (1, 1): "1"}
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0.75, 0.25], [0, 1]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert ax.get_title() == "7 of 9 right (77.8 %)"
    assert ax.figure.axes[1].get_ylabel() == "share of the true class (%)"


@pytest.mark.parametrize("names", [FASHION, [str(i) for i in range(10)]])
def test_all_names_stay_on_the_canvas(names):
    ax = plots.confusion_matrix(np.diag(range(990, 1000)) + 3, names)
    assert overhang(ax.figure) == 0
    labels = ax.get_xticklabels()
    assert [label.get_text() for label in labels] == names
    # Slanted ones have boxes that overlap although their letters don't.
    if not labels[0].get_rotation():
        boxes = [label.get_window_extent() for label in labels]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))


def test_numbers_stand_out_from_their_cells(ax):
    plots.confusion_matrix([[99, 1], [30, 70]], ["0", "1"], ax)
    image = ax.images[0]
    for text in ax.texts:
        column, row = text.get_position()
        red, green, blue, _ = image.cmap(image.norm(image.get_array()[row, column]))
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        assert (light < 0.5) == (text.get_color() == "white")


def test_an_empty_class_and_an_empty_matrix_are_no_trouble(ax):
    plots.confusion_matrix(np.zeros((3, 3)), ["a", "b", "c"], ax)
    assert ax.get_title() == "0 of 0 right (0.0 %)"
    render(ax.figure)


def test_many_classes_have_no_numbers():
    ax = Figure(layout="constrained").subplots()
    plots.confusion_matrix(np.eye(30), [str(i) for i in range(30)], ax)
    assert not ax.texts


@pytest.mark.parametrize(("matrix", "message"), [
    ([[1, 2]], r"expects \(2, 2\) counts for 2 names, got \(1, 2\)"),
    ([[0.5, 0.5], [0, 1]], "whole numbers from 0 up"),
    ([[-1, 0], [0, 1]], "whole numbers from 0 up"),
    ([[np.nan, 0], [0, 1]], "whole numbers from 0 up"),
])
def test_anything_but_counts_is_refused(ax, matrix, message):
    with pytest.raises(ValueError, match=message):
        plots.confusion_matrix(matrix, ["a", "b"], ax)
