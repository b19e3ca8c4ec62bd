"""The most confident mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import plots
from tests.plots.conftest import overhang, render
from tests.plots.test_confusion import FASHION

DIGITS = [str(i) for i in range(10)]


def data(count: int, wrong: int):
    generator = np.random.default_rng(0)
    labels = np.arange(count) % 10
    predictions = labels.copy()
    predictions[:wrong] = (labels[:wrong] + 1) % 10
    return generator.random((count, 28, 28)), labels, predictions, np.linspace(0.2, 1, count)


def test_the_surest_come_first(ax):
    assert plots.mistakes(*data(100, 3), DIGITS, ax) is ax
    assert [text.get_text() for text in ax.texts] == [
        "true 2\nsaid 3 (22 %)", "true 1\nsaid 2 (21 %)", "true 0\nsaid 1 (20 %)",
    ]
    assert ax.get_title() == "3 mistakes in 100 images"
    assert not ax.axison
    np.testing.assert_array_equal(np.asarray(ax.images[0].get_array())[:28, 3:31], data(100, 3)[0][2])


@pytest.mark.parametrize("wrong", [1, 2, 6, 7, 24, 60])
@pytest.mark.parametrize("names", [DIGITS, FASHION])
def test_captions_neither_leave_the_canvas_nor_overlap(wrong, names):
    ax = plots.mistakes(*data(100, wrong), names)
    assert overhang(ax.figure) == 0
    assert len(ax.texts) == min(wrong, 24)
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])
    below = [ax.transData.inverted().transform_bbox(box) for box in boxes]
    across, down = 28 + 7, 28 + 11
    for i, box in enumerate(below):
        row, column = divmod(i, 6)
        assert row * down + 28 <= box.ymin < box.ymax <= (row + 1) * down
        assert column * across <= box.xmin < box.xmax <= (column + 1) * across
    assert ax.texts[0].get_fontsize() > 6
    if wrong == 60:
        assert ax.get_title() == "the 24 most confident of 60 mistakes in 100 images"


@pytest.mark.parametrize("layout", ["constrained", None])
def test_captions_fit_a_small_axes_too(layout):
    figure = Figure(figsize=(8, 4), layout=layout)
    ax = figure.subplots(1, 2)[0]
    plots.mistakes(*data(100, 24), FASHION, ax)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_no_mistake_is_said_and_nothing_drawn():
    ax = plots.mistakes(*data(100, 0), DIGITS)
    assert ax.get_title() == "no mistake in 100 images"
    assert not ax.images
    assert not ax.texts
    assert overhang(ax.figure) == 0
    render(ax.figure)


def test_images_with_a_channel_axis_are_the_same(ax):
    images, *rest = data(20, 2)
    plots.mistakes(images[..., None], *rest, DIGITS, ax)
    assert len(ax.texts) == 2


def test_a_confidence_that_is_no_number_comes_last(ax):
    images, labels, predictions, confidences = data(20, 3)
    confidences[2] = np.nan
    plots.mistakes(images, labels, predictions, confidences, DIGITS, ax)
    assert ax.texts[-1].get_text() == "true 2\nsaid 3 (not a number)"


def test_shapes_and_names_that_do_not_fit_get_one_sentence(ax):
    images, labels, predictions, confidences = data(20, 3)
    with pytest.raises(ValueError, match=r"got shapes \(20, 28, 28\), \(19,\), \(20,\) and \(20,\)"):
        plots.mistakes(images, labels[1:], predictions, confidences, DIGITS, ax)
    with pytest.raises(ValueError, match=r"got shapes \(20, 784\)"):
        plots.mistakes(images.reshape(20, -1), labels, predictions, confidences, DIGITS, ax)
    with pytest.raises(ValueError, match="a name for each class, got 2"):
        plots.mistakes(images, labels, predictions, confidences, ["a", "b"], ax)
