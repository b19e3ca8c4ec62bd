"""A5's model solution against the library and central differences; its curve with the student's pieces."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from minidl import Tape, Tensor, ops
from minidl.grading.course.assignment import read_visible
from tests.assignments.a5_convolution import solution
from tests.assignments.materials import STUDENTS, judge, load_text, materials, wrongs

HANDOUT = STUDENTS / "a5_convolution"


def material():
    return next(m for m in materials() if m.assignment.name == "A5")


@pytest.fixture
def curve():
    spec = importlib.util.spec_from_file_location("a5_curve", HANDOUT / "a5_curve.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def difference(f, a, place, step=1e-6):
    h = np.zeros_like(a)
    h[place] = step
    return (f(a + h) - f(a - h)) / (2 * step)


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 2), (2, 1, 2), (1, 2, 3), (3, 0, 1)])
def test_the_dilated_convolution_is_one_with_zeros_in_its_kernel(stride, padding, dilation):
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 9, 7, 2)), rng.normal(size=(3, 3, 2, 4)), rng.normal(size=4)
    reach = 2 * dilation + 1
    kernel = np.zeros((reach, reach, 2, 4))
    kernel[::dilation, ::dilation] = w
    right = ops.conv2d(x, kernel, b, stride, padding).data
    np.testing.assert_allclose(solution.dilated_conv2d(x, w, b, stride, padding, dilation), right, atol=1e-12)


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 2), (2, 1, 2), (2, 0, 3)])
def test_the_dilated_gradients_are_those_of_central_differences(stride, padding, dilation):
    rng = np.random.default_rng(1)
    x, w, b = rng.normal(size=(2, 8, 9, 2)), rng.normal(size=(2, 2, 2, 3)), rng.normal(size=3)
    how = (stride, padding, dilation)
    g = rng.normal(size=solution.dilated_conv2d(x, w, b, *how).shape)
    dx, dw, db = solution.dilated_conv2d_backward(g, x, w, *how)
    for place in ((0, 0, 0, 0), (1, 7, 8, 1), (1, 3, 4, 0)):
        value = difference(lambda x: (g * solution.dilated_conv2d(x, w, b, *how)).sum(), x, place)
        np.testing.assert_allclose(dx[place], value, atol=1e-7)
    for place in ((0, 0, 0, 0), (1, 1, 1, 2), (0, 1, 1, 0)):
        value = difference(lambda w: (g * solution.dilated_conv2d(x, w, b, *how)).sum(), w, place)
        np.testing.assert_allclose(dw[place], value, atol=1e-7)
    np.testing.assert_allclose(db, g.sum((0, 1, 2)))


def test_answers_kept_for_the_visible_checks_pass_those_and_no_hidden_one():
    wrong = next(wrong for wrong in wrongs(material()) if "visible checks only" in wrong.name)
    names = load_text(wrong.text, "kept")
    assert all(judgement.passed for judgement in judge(names, read_visible(material().assignment)))
    hidden = [check for check in material().checks(7) if check.task == 1 and not check.visible]
    assert not any(judgement.passed for judgement in judge(names, hidden))


def test_the_curves_adapter_makes_ops_with_the_librarys_gradients(curve):
    own, rng = curve.own_ops(solution), np.random.default_rng(0)
    x = rng.normal(size=(3, 6, 5, 2)).astype(np.float32)
    w, b = rng.normal(size=(3, 3, 2, 4)).astype(np.float32), rng.normal(size=4).astype(np.float32)
    gamma, beta = rng.normal(size=4).astype(np.float32), rng.normal(size=4).astype(np.float32)
    found = []
    for pieces in (own, curve.LIBRARY):
        tensors = [Tensor(a, requires_grad=True) for a in (x, w, b, gamma, beta)]
        with Tape() as tape:
            h = pieces["conv2d"](*tensors[:3])
            h = pieces["batch_norm"](h, *tensors[3:], 1e-5)
            loss = (pieces["max_pool2d"](h, 2) ** 3).sum()
        found.append([loss.data, *tape.gradients(loss, tensors)])
    for mine, right in zip(*found, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-4, atol=1e-4)     # bias: 0


def test_what_a_starter_lacks_comes_from_the_library_and_is_named(curve, capsys):
    assert curve.pieces_of(HANDOUT / "a5.py") == curve.LIBRARY
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all("the library's stands in" in line for line in lines)


def test_pieces_may_be_classes_of_their_own(curve, capsys):
    pieces = curve.pieces_of(material().private / "right" / "own_classes.py")
    assert not set(pieces.values()) & set(curve.LIBRARY.values())
    assert capsys.readouterr().out == ""


def test_slow_functions_get_fewer_images(curve):
    assert curve.size_of_run(1e-4) == (200, 60)
    steps, batch = curve.size_of_run(0.02)      # loops over every index
    assert 40 <= steps <= 45
    assert steps * batch * 0.02 <= curve.SECONDS / 2
    assert curve.size_of_run(0.5) == (10, 8)


def test_no_file_of_the_handout_has_the_answers():
    for name in ("a5.py", "a5_curve.py"):
        assert "np.pad" not in (HANDOUT / name).read_text(encoding="utf-8")
