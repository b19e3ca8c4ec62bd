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
    assert curve.pieces_of(curve.load(HANDOUT / "a5.py")) == curve.LIBRARY
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all("the library's stands in" in line for line in lines)


def test_pieces_may_be_classes_of_their_own(curve, capsys):
    pieces = curve.pieces_of(curve.load(material().private / "right" / "own_classes.py"))
    assert not set(pieces.values()) & set(curve.LIBRARY.values())
    assert capsys.readouterr().out == ""


def test_slow_functions_get_fewer_images(curve):
    assert curve.size_of_run(1e-4) == (200, 60)
    steps, batch = curve.size_of_run(0.02)      # loops over every index
    assert 100 <= steps <= 200
    assert steps * batch * 0.02 <= curve.SECONDS / 2
    assert curve.size_of_run(0.5) == (10, 8)
    assert curve.rate_of(60) == curve.LR
    assert curve.LR / 2 < curve.rate_of(8) < curve.LR
    assert [curve.tested(seconds) for seconds in (1e-4, 0.02, 0.5)] == [2000, 225, 100]


def test_the_speed_is_measured_twice_and_on_more_images_where_that_takes_no_time(curve, monkeypatch):
    asked = []

    def seconds_of(model, images):
        asked.append(images)
        return 0.002 * images + 0.01 * len(asked)       # the second measurement of each is the slower one

    monkeypatch.setattr(curve, "seconds_of", seconds_of)
    assert curve.seconds_an_image(curve.LIBRARY) == pytest.approx((0.128 + 0.05) / 64)
    assert asked == [4, 4, 16, 16, 64, 64]


@pytest.mark.parametrize(("name", "says"), [
    ("mean detached", "the mean is taken for a constant"),
    ("the last of several equal maxima gets the gradient", "the last of several equal maxima"),
    ("flipped kernel", "your kernel is flipped"),
])
def test_the_curve_of_wrong_pieces_is_refused_with_what_is_wrong(curve, tmp_path, capsys, name, says):
    path = tmp_path / "a5.py"
    path.write_text(next(each.text for each in wrongs(material()) if name in each.name), encoding="utf-8")
    with pytest.raises(SystemExit, match="of the visible checks fail"):
        curve.pieces_of(curve.load(path))
    assert says in capsys.readouterr().out


def test_an_error_in_the_training_is_one_sentence_with_its_line(curve, tmp_path, monkeypatch):
    path = tmp_path / "a5.py"
    text = (material().private / "solution.py").read_text(encoding="utf-8")
    path.write_text(f"{text}\n\nright = conv2d\n\n\ndef conv2d(x, *rest):\n    if len(x) > 3:\n"
                    "        raise ValueError('too many')\n    return right(x, *rest)\n", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["a5_curve.py", str(path), "--data", "stroke-digits"])
    line = len(path.read_text(encoding="utf-8").splitlines()) - 1
    with pytest.raises(SystemExit) as stopped:
        curve.main()
    assert str(stopped.value) == f"the training stopped: ValueError: too many (line {line} of {path})"


def test_the_figure_has_both_curves_their_means_and_what_guessing_gives(curve):
    history = type("History", (), {"train": type("T", (), {"step": [1, 2, 3], "loss": [3.0, 2.0, 1.0]})})
    ax = curve.draw({"plain": history, "with your batch norm": history}, "title")
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    curve.plt.close("all")
    assert texts == ["plain, mean of 1 steps", "with your batch norm, mean of 1 steps", "guessing: ln 10"]


def test_no_file_of_the_handout_has_the_answers():
    for name in ("a5.py", "a5_curve.py"):
        assert "np.pad" not in (HANDOUT / name).read_text(encoding="utf-8")
