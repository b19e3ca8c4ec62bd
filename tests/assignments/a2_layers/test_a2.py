"""A2: what its checks rest on, and its experiment."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import minidl as dl
from tests.assignments.a2_layers import solution as s
from tests.assignments.materials import STUDENTS

FOLDER = STUDENTS / "a2_layers"
RANDOM = np.random.default_rng(0)
LABELS = np.array([0, 2, 2, 1, 0])


def slopes_agree(f, gradient, x):
    """Along a random direction, measured with steps of the test's own."""
    direction = RANDOM.normal(size=x.shape)
    measured = (f(x + 1e-6 * direction) - f(x - 1e-6 * direction)) / 2e-6
    assert np.vdot(gradient, direction) == pytest.approx(measured, rel=1e-7)


def test_the_losses_of_the_solution_are_the_librarys_and_their_gradients_the_slopes():
    logits, weights = 3 * RANDOM.normal(size=(5, 3)), np.array([0.3, 2.0, 0.0])
    assert s.cross_entropy(logits, LABELS) == pytest.approx(dl.losses.cross_entropy(logits, LABELS).item())
    slopes_agree(lambda z: s.cross_entropy(z, LABELS), s.cross_entropy_backward(logits, LABELS), logits)
    gradient = s.weighted_cross_entropy_backward(logits, LABELS, weights)
    slopes_agree(lambda z: s.weighted_cross_entropy(z, LABELS, weights), gradient, logits)


def test_repeating_an_example_is_giving_its_class_the_weight_2():
    logits = RANDOM.normal(size=(5, 3))
    again = np.array([0, 1, 2, 2, 1, 3, 4])     # the two examples with label 2 twice
    twice = s.cross_entropy(logits[again], LABELS[again])
    assert s.weighted_cross_entropy(logits, LABELS, np.array([1.0, 1.0, 2.0])) == pytest.approx(twice)


def test_the_layers_of_the_solution_have_the_gradients_that_are_measured():
    x, W, b, g = (RANDOM.normal(size=shape) for shape in ((4, 3), (3, 2), (2,), (4, 2)))
    for gradient, at, f in zip(s.dense_backward(g, x, W), (x, W, b), (
        lambda x: np.vdot(g, s.dense_forward(x, W, b)), lambda W: np.vdot(g, s.dense_forward(x, W, b)),
        lambda b: np.vdot(g, s.dense_forward(x, W, b)),
    ), strict=True):
        slopes_agree(f, gradient, at)
    slopes_agree(lambda v: np.vdot(g, s.sigmoid(v)), s.sigmoid_backward(g, s.sigmoid(g)), g)
    slopes_agree(lambda v: np.vdot(g, s.relu(v)), s.relu_backward(g, g), g)


def run(submission, folder):
    command = [sys.executable, "-W", "error", str(FOLDER / "train.py"), str(submission), "--fast"]
    command += ["--out", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_the_experiment_trains_with_the_students_pieces_as_with_the_librarys(tmp_path):
    done = run(FOLDER.parents[2] / "tests" / "assignments" / "a2_layers" / "solution.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "stroke digits (synthetic)" in done.stdout
    assert "something is wrong" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["curve.png"]


def test_with_the_starter_the_experiment_says_what_is_missing(tmp_path):
    done = run(FOLDER / "a2.py", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == "not yet, the experiment needs it: A2, task 1: dense_forward"
