"""Learning curves from histories: split, seeds of different lengths, diverged runs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from minidl import plots
from tests.plots.conftest import crosses, drawn, history, legend_texts, overhang, render

NONE = SimpleNamespace(step=[], loss=[], accuracy=[])


def test_one_line_for_each_label_in_per_cent(ax):
    histories = {"plain": history([1, 2, 3], [0.1, 0.5, 0.9]), "BN": history([1, 2, 3], [0.1, 0.8, 1.0])}
    assert plots.curves(histories, ax=ax) is ax
    assert drawn(ax, "BN").tolist() == [0.1, 0.8, 1.0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training step", "validation accuracy (%)")
    assert legend_texts(ax) == ["plain", "BN"]
    assert overhang(ax.figure) == 0
    assert "80" in [label.get_text() for label in ax.get_yticklabels()]


def test_ylim_is_in_the_metrics_own_unit(ax):
    plots.curves({"BN": history([1, 2], [0.1, 0.9])}, ax=ax, ylim=(0.7, 1))
    assert ax.get_ylim() == (0.7, 1)
    ax.figure.draw_without_rendering()
    assert [label.get_text() for label in ax.get_yticklabels()][::2] == ["70", "80", "90", "100"]


def test_without_validation_the_training_is_drawn(ax):
    run = history([1, 2], [0.1, 0.9])
    plots.curves({"a": SimpleNamespace(train=run.train, validation=NONE), "b": run}, ax=ax)
    assert ax.get_ylabel() == "training accuracy (%)"


def test_the_split_can_be_chosen(ax):
    run = history([1, 2], [0.1, 0.9])
    run.train = history([1, 2, 3], [0.2, 0.3, 0.4]).train
    plots.curves({"a": run}, "loss", "train", ax)
    assert ax.get_ylabel() == "training loss (mean per example)"
    assert drawn(ax, "a").tolist() == pytest.approx([0.8, 0.7, 0.6])


def test_seeds_are_a_median_over_all_their_steps(ax):
    early_stopped = history([1, 2], [0.3, 0.4])
    others = [history([1, 2, 3], [0.1, 0.2, 0.9]), history([1, 2, 3], [0.2, 0.3, 0.7])]
    plots.curves({"a": [early_stopped, *others]}, ax=ax)
    assert drawn(ax, "a").tolist() == pytest.approx([0.2, 0.3, 0.8])


def test_a_loss_over_decades_has_a_logarithmic_axis(ax):
    plots.curves({"a": history([1, 2, 3], [0.1] * 3, [2.3, 0.1, 0.001])}, "loss", ax=ax)
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize(("metric", "first", "edge"), [("accuracy", 0.2, 0), ("loss", 0.8, 1)])
def test_a_diverged_run_keeps_its_rank_and_is_marked(ax, metric, first, edge):
    good = history([1, 2, 3], [0.2, 0.6, 0.9])
    # It was given up at step 2 of 3; an accuracy of chance doesn't hide a loss that is nan.
    lost = [history([1, 2], [0.2, 0.1], [0.8, np.nan]) for _ in range(2)]
    plots.curves({"a": [good, good, *lost]}, metric, ax=ax)
    np.testing.assert_array_equal(drawn(ax, "a")[1:], [np.nan, np.nan])
    assert drawn(ax, "a")[0] == pytest.approx(first)
    assert legend_texts(ax) == ["a", "diverged (number of seeds)"]
    assert [text.get_text() for text in ax.texts] == ["2"]
    cross, = crosses(ax)
    assert (cross.get_xdata().tolist(), cross.get_ydata().tolist()) == ([2], [edge])
    assert overhang(ax.figure) == 0


def test_a_run_lost_between_two_validations_is_marked_where_it_was_lost(ax):
    run = SimpleNamespace(train=history([1, 2, 3, 4], [0.1] * 4, [2.3, 2.2, 9.0, np.nan]).train,
                          validation=history([1, 3], [0.1, 0.2]).validation)
    plots.curves({"a": run}, ax=ax)
    np.testing.assert_array_equal(drawn(ax, "a"), [0.1, 0.2, np.nan])
    assert legend_texts(ax) == ["a", "diverged"]


def test_an_accuracy_that_was_not_measured_is_a_gap_and_no_divergence(ax):
    plots.curves({"a": history([1, 2, 3], [0.1, np.nan, 0.3], [2, 1, 1])}, ax=ax)
    np.testing.assert_array_equal(drawn(ax, "a"), [0.1, np.nan, 0.3])
    assert legend_texts(ax) == ["a"]


def test_a_run_lost_at_its_first_step_still_gives_a_figure(ax):
    for metric in ("accuracy", "loss"):
        plots.curves({"a": history([1], [0.1], [np.nan])}, metric, ax=ax)
    render(ax.figure)


@pytest.mark.parametrize(("arguments", "message"), [
    (({},), "at least one history, got none"),
    (({"a": []},), "'a' expects a History, or a list"),
    (({"a": 3},), "got int: pass what fit returned"),
    (({"a": [1, 2]},), "got list: pass what fit returned"),
    (({"a": SimpleNamespace(train=NONE, validation=NONE)},), "'a' has no train points"),
    (({"a": history([1], [1.0])}, "error"), "got metric='error'"),
    (({"a": history([1], [1.0])}, "loss", "test"), "got 'test'"),
])
def test_wrong_data_get_one_sentence(ax, arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.curves(*arguments, ax=ax)


def test_a_history_alone_wants_a_label():
    with pytest.raises(TypeError, match=r"curves expects a dictionary, got a SimpleNamespace: write"):
        plots.curves(SimpleNamespace(step=[1], loss=[1.0], accuracy=[0.5]))
