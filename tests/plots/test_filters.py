"""Filters and feature maps: every picture in its place, on one scale."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import plots
from tests.plots.conftest import overhang, render

GENERATOR = np.random.default_rng(0)


def picture(ax, number):
    """The middle value of each cell of the picture with that number, found by its caption."""
    caption = ax.texts[number]
    x, y = caption.get_position()
    return float(ax.images[0].get_array()[int(y) - 3, int(x)])


def test_each_filter_stands_above_its_number(ax):
    weights = np.zeros((3, 3, 1, 8))
    weights[2, 1, 0] = np.arange(8)         # the middle of the last row of each
    assert plots.filters(weights, ax) is ax
    assert [text.get_text() for text in ax.texts] == [str(i) for i in range(8)]
    assert [picture(ax, i) for i in range(8)] == list(range(8))
    assert ax.get_title() == "8 filters of 3 x 3"
    assert ax.images[0].get_clim() == (-7, 7)
    assert ax.figure.axes[1].get_ylabel() == "weight"
    assert overhang(ax.figure) == 0
    render(ax.figure)


def test_several_input_maps_are_the_columns(ax):
    weights = GENERATOR.normal(size=(5, 5, 3, 4))
    plots.filters(weights, ax)
    assert [text.get_text() for text in ax.texts][:4] == ["0 - 0", "1 - 0", "2 - 0", "0 - 1"]
    assert len({text.get_position()[0] for text in ax.texts}) == 3
    assert picture(ax, 4) == weights[4, 2, 1, 1]
    assert ax.get_title() == "12 filters of 5 x 5"


def test_a_dense_layers_columns_are_images(ax):
    weights = np.zeros((6, 100))
    weights[4] = np.arange(100)             # row 1, column 1 of images of 2 x 3
    plots.filters(weights, ax, image_shape=(2, 3))
    assert ax.get_title() == "the first 64 of 100 filters of 2 x 3"
    assert len(ax.texts) == 64
    assert picture(ax, 10) == 10
    assert overhang(ax.figure) == 0


def test_captions_stay_between_the_pictures():
    figure = Figure(figsize=(5, 4), layout="constrained")
    ax = plots.filters(GENERATOR.normal(size=(784, 64)), figure.subplots(), image_shape=(28, 28))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    paper = np.isfinite(ax.images[0].get_array())
    for text, box in zip(ax.texts, boxes, strict=True):
        low, high = sorted(ax.transData.inverted().transform([[box.x0, box.y0], [box.x1, box.y1]])[:, 1])
        column = int(text.get_position()[0])
        assert not paper[int(np.ceil(low)) + 1 : int(high) - 1, column].any(), text.get_text()
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_feature_maps_of_one_example(ax):
    activations = np.zeros((4, 6, 5))
    activations[3, 3] = np.arange(5)
    assert plots.feature_maps(activations, ax) is ax
    assert [picture(ax, i) for i in range(5)] == list(range(5))
    assert ax.get_title() == "5 feature maps of 4 x 6"
    assert ax.images[0].get_clim() == (0, 4)
    assert ax.figure.axes[1].get_ylabel() == "activation"
    assert overhang(ax.figure) == 0


def test_all_zeros_can_be_drawn():
    for draw, shape in ((plots.feature_maps, (3, 3, 2)), (plots.filters, (3, 3, 1, 1))):
        ax = draw(np.zeros(shape), Figure(layout="constrained").subplots())
        render(ax.figure)
    assert ax.get_title() == "1 filter of 3 x 3"


@pytest.mark.parametrize(("draw", "message"), [
    (lambda ax: plots.filters(np.zeros((784, 10)), ax), r"Dense weights .* got shape \(784, 10\)"),
    (lambda ax: plots.filters(np.zeros((784, 10)), ax, image_shape=(20, 20)), r"image_shape=\(20, 20\)"),
    (lambda ax: plots.filters(np.full((3, 3, 1, 1), np.nan), ax), "the network has diverged"),
    (lambda ax: plots.feature_maps(np.zeros((1, 3, 3, 2)), ax), r"take one, activations\[0\]"),
    (lambda ax: plots.feature_maps(np.zeros((3, 3)), ax), r"got shape \(3, 3\)$"),
    (lambda ax: plots.feature_maps(np.full((3, 3, 1), np.inf), ax), "got nan or inf"),
])
def test_wrong_data_get_one_sentence(ax, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(ax)
