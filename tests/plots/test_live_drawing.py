"""What a live figure shows: loss and accuracy of a training that is under way."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from matplotlib.figure import Figure

import minidl as dl
from minidl.plots.live import draw_learning
from tests.plots.conftest import overhang, render


def state(steps=100, done=0, validated=()):
    history = dl.History(stopped="running")
    training = SimpleNamespace(history=history, step=0, steps=steps, stop_reason=None)
    for _ in range(done):
        advance(training)
    for step in validated:
        history.validation.append(step, 1 / step, 1 - 1 / (1 + step))
    return training


def advance(training, loss=None, accuracy=0.5):
    training.step += 1
    training.history.train.append(training.step, 1 / training.step if loss is None else loss, accuracy)


def test_loss_and_accuracy_of_training_and_validation():
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    draw_learning(figure, state(done=50, validated=[25, 50]).history, 100, "MNIST\nstep 50 of 100")
    loss, accuracy = figure.axes
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["training, mini-batches", "validation"]
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss (mean per example)", "accuracy (%)")
    assert {ax.get_xlim() for ax in figure.axes} == {(0, 100)}
    train, validation = loss.get_lines()[:2]
    assert train.get_xdata().tolist() == list(range(1, 51))
    assert train.get_ydata()[1] == 1 / 2
    assert validation.get_ydata().tolist() == [1 / 25, 1 / 50]
    assert train.get_linestyle() != validation.get_linestyle()
    assert train.get_marker() != validation.get_marker()
    assert figure.get_suptitle() == "MNIST\nstep 50 of 100"
    assert overhang(figure) == 0


def test_long_runs_are_drawn_as_means():
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    draw_learning(figure, state(done=1001).history, 5000, "")
    line = figure.axes[0].get_lines()[0]
    assert figure.legends[0].get_texts()[0].get_text() == "training, means of 6 steps"
    assert len(line.get_xdata()) <= 200
    assert line.get_xdata()[0] == 3.5
    np.testing.assert_allclose(line.get_ydata()[0], np.mean(1 / np.arange(1, 7)))
    assert line.get_xdata()[-1] == np.mean(range(997, 1002))


def test_without_classes_there_is_no_accuracy_and_a_lost_run_gets_a_cross():
    training = state()
    for loss in (1.0, 0.5, float("nan")):
        advance(training, loss, float("nan"))
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    draw_learning(figure, training.history, 10, "")
    assert len(figure.axes) == 1
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "diverged"
    render(figure)


def test_it_can_be_drawn_again_and_again():
    figure, training = Figure(figsize=(10, 4.2), layout="constrained"), state(done=3)
    for _ in range(3):
        advance(training)
        draw_learning(figure, training.history, 10, "again")
    assert len(figure.axes) == 2
    assert len(figure.legends) == 1
    assert figure.axes[0].get_lines()[0].get_xdata()[-1] == 6
