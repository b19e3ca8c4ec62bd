"""Hints from known mistakes: which become hints, and for which cases."""

from __future__ import annotations

import numpy as np

from minidl.grading.course.assignment import Assignment, read_visible, visible_json
from minidl.grading.course.checks import Case, Hint, TaskCheck
from minidl.grading.course.hints import hints
from minidl.grading.course.judging import CaseResult, judge_check


def case(*x):
    a = np.array(x, float)
    return Case("y = 2 * x", {"x": a}, {"y": 2 * a})


def square(x):
    return {"y": x**2}


def test_a_mistake_becomes_a_hint_where_it_shows_in_two_cases():
    (hint,) = hints([("you square it", square)], [case(1, 3), case(2), case(4)])
    assert hint.sentence == "you square it"
    first, middle, last = hint.outputs      # 2 squared is 2 doubled
    assert first["y"].tolist() == [1, 9] and middle == {} and last["y"].tolist() == [16]


def test_two_cases_are_enough_for_students_checks_json():
    (hint,) = hints([("you square it", square)], [case(3), case(4), case(5)])
    assert [bool(output) for output in hint.outputs] == [True, False, True]


def test_a_mistake_that_shows_once_or_that_another_check_names_is_left_out():
    assert hints([("you square it", square)], [case(3), case(2), case(2)]) == []
    assert hints([("you square it", square)], [case(3), case(4)], told=[case(2), case(5)]) == []


def test_an_array_of_another_shape_shows_and_numpys_warnings_are_kept_quiet():
    (hint,) = hints([("you sum it", lambda x: {"y": (x / 0).sum()})], [case(3, 1), case(4, 2)])
    assert [output["y"].shape for output in hint.outputs] == [(), ()]


def test_a_published_hint_has_fewer_digits_and_still_names_its_mistake(tmp_path):
    right = np.random.default_rng(0).normal(size=(3, 2)) * 1e-3
    wrong = right * np.pi
    case, empty = Case("", {}, {"y": right}), Hint("empty", [{"y": np.zeros((2, 0))}] * 2)
    hints = [empty, Hint("mistaken", [{"y": wrong}, {"y": wrong}])]
    text = visible_json([TaskCheck("c", 1, 5, [case, case], hints=hints)])
    (tmp_path / "checks.json").write_text(text, encoding="utf-8")
    check = read_visible(Assignment("T", "t", "t.py", 1, False, (), tmp_path))[0]
    kept = check.hints[1].outputs[0]["y"]
    assert max(len(f"{value!r}") for value in kept.ravel().tolist()) < 17
    assert judge_check(check, [CaseResult({"y": wrong})] * 2).hint == "mistaken"
    assert judge_check(check, [CaseResult({"y": np.zeros((2, 0))})] * 2).hint == "empty"
