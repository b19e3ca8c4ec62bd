"""What came against what was expected: tolerances, sentences, and hints that name a mistake or don't."""

from __future__ import annotations

import numpy as np
import pytest

from minidl.grading.course.checks import Case, Hint, TaskCheck
from minidl.grading.course.judging import CaseResult, judge_check, relative_error, run_here

SHARE = "of the largest value expected"
RIGHT = np.array([[1.0, -2.0], [3.0, 4.0]])


def judged(got, right=RIGHT, tolerance=1e-8):
    check = TaskCheck("c", 1, 5, [Case("", {}, {"y": right})], tolerance)
    arrays = {} if got is None else {"y": np.asarray(got)}
    return judge_check(check, [CaseResult(arrays)])


@pytest.mark.parametrize("got", [
    RIGHT, RIGHT + 3e-8, RIGHT.astype(np.float32), RIGHT.astype(np.int8), np.asfortranarray(RIGHT),
])
def test_right_within_the_tolerance(got):
    judgement = judged(got)
    assert judgement.passed
    assert judgement.sentence == ""
    assert judgement.case is None


@pytest.mark.parametrize(("got", "sentence", "place"), [
    (RIGHT + 1e-6 * (RIGHT == 4), f"y[1, 1]: expected 4, got 4.000001; off by 2.5e-07 {SHARE}", (1, 1)),
    (RIGHT * [[1, 1], [2, 3]],
     f"y[1, 0]: expected 3, got 6; furthest off is y[1, 1]: expected 4, got 12, by 2 {SHARE}", (1, 0)),
    (RIGHT * [[1, 1], [1.5, 1]], f"y[1, 0]: expected 3, got 4.5; off by 0.38 {SHARE}", (1, 0)),
    (RIGHT * np.nan, "y[0, 0]: expected 1, got nan", (0, 0)),
    (RIGHT * np.inf, "y[0, 0]: expected 1, got inf", (0, 0)),
    (RIGHT > 0,
     f"y[0, 1]: expected -2, got 0; furthest off is y[1, 1]: expected 4, got 1, by 0.75 {SHARE}", (0, 1)),
    (RIGHT.ravel(), "y: expected an array of shape (2, 2), got an array of shape (4,)", None),
    (1.0, "y: expected an array of shape (2, 2), got a number", None),
    (RIGHT + 0j, "y: expected numbers, got an array of complex128", None),
    (RIGHT.astype(object), "y: expected numbers, got an array of object", None),
    (None, "y: expected an array of shape (2, 2), got nothing", None),
])
def test_what_is_wrong_is_said_with_the_first_wrong_element(got, sentence, place):
    judgement = judged(got)
    assert not judgement.passed
    assert judgement.sentence == sentence
    assert judgement.first_wrong == place
    assert (judgement.case, judgement.wrong_name) == (0, "y")


def test_a_number_has_no_position():
    judgement = judged(2.0, np.array(1.0))
    assert judgement.sentence == "y: expected 1, got 2 (relative error 1)"
    assert judgement.first_wrong == ()


def test_where_all_is_to_be_zero_there_is_no_largest_value_to_compare_with():
    assert judged(np.array([0, 1e-3]), np.zeros(2)).sentence == "y[1]: expected 0, got 0.001"


def test_true_and_false_are_called_so_where_they_came():
    sentence = judged(np.array([True, True]), np.array([1, 0])).sentence
    assert sentence == "y[1]: expected False, got True"
    assert judged(np.array([1, 1]), np.array([1, 0])).sentence.startswith("y[1]: expected 0, got 1")


def test_relative_to_the_largest_and_absolute_around_zero():
    assert relative_error(np.array([100.0, 1e-7]), np.array([100.0, 0.0])) == pytest.approx(1e-9)
    assert relative_error(np.array([1e-9]), np.zeros(1)) == 1e-9
    nan = np.array([np.nan, np.inf])
    assert relative_error(nan, nan) == 0
    assert relative_error(nan[::-1], nan) == np.inf


def test_a_trouble_is_told_and_cases_that_never_ran_fail():
    check = TaskCheck("c", 1, 5, [Case("", {}, {"y": RIGHT})] * 2)
    right = CaseResult({"y": RIGHT})
    assert judge_check(check, [right, CaseResult({}, "it crashed")]).sentence == "it crashed"
    assert judge_check(check, [right]).sentence == "it wasn't run"


def hinted(*outputs, got):
    check = TaskCheck("c", 1, 5, [Case("", {}, {"y": RIGHT})] * len(outputs), hints=[Hint("twice", outputs)])
    return judge_check(check, [CaseResult({"y": each}) for each in got]).hint


def test_a_mistake_is_named_only_where_two_cases_equal_it():
    twice = {"y": 2 * RIGHT}
    assert hinted(twice, twice, got=[2 * RIGHT, 2 * RIGHT]) == "twice"
    assert hinted(twice, twice, got=[2 * RIGHT, 2 * RIGHT * (1 + 5e-10)]) == "twice"
    assert hinted(twice, twice, got=[2 * RIGHT, 2 * RIGHT * (1 + 5e-9)]) == ""
    assert hinted(twice, twice, got=[2 * RIGHT, RIGHT]) == ""
    assert hinted(twice, got=[2 * RIGHT]) == ""                     # one case might be an accident
    assert hinted(twice, {}, got=[2 * RIGHT, RIGHT]) == ""
    assert hinted(twice, {}, twice, got=[2 * RIGHT, RIGHT, 2 * RIGHT]) == "twice"


def test_running_here_gives_copies_and_words():
    x = np.ones(3)
    case = Case("x *= 2\ny = f(x)", {"x": x}, {"y": x})
    assert run_here(case, {"f": np.sum}).arrays["y"] == 6
    assert x.tolist() == [1, 1, 1]
    assert run_here(case, {}).trouble == "NameError: name 'f' is not defined"
