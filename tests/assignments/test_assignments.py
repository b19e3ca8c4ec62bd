"""Assignments of code: solutions, starters, right and wrong submissions get the marks that they should."""

from __future__ import annotations

import json

import numpy as np
import pytest

from minidl.grading.course.assignment import VISIBLE, read_visible, visible_json
from minidl.grading.course.find import VISIBLE_SEED
from minidl.grading.course.judging import CaseResult, judge_check
from tests.assignments.materials import (
    judge,
    load,
    load_text,
    lost,
    marks,
    materialise,
    materials,
    wrongs,
)
from tests.assignments.starters import stub_tasks

MATERIALS = materials()
SEEDS = range(20)
FEW_SEEDS = (1, 2)
LINES = 9       # of a program: with the line that loads its inputs a student's snippet has ten
LARGEST = 60_000    # bytes of checks.json

each = pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.assignment.name)
each_right = pytest.mark.parametrize(
    ("material", "path"), [(material, path) for material in MATERIALS for path in material.right],
    ids=lambda part: part.stem if hasattr(part, "stem") else part.assignment.name,
)
each_wrong = pytest.mark.parametrize(
    ("material", "wrong"), [(material, wrong) for material in MATERIALS for wrong in wrongs(material)],
    ids=lambda part: part.name.replace(" ", "-") if hasattr(part, "breaks") else part.assignment.name,
)


def failures(judgements):
    return [f"{j.check.name}: {j.sentence}" for j in judgements if not j.passed]


# ---- the checks themselves -----------------------------------------------------------------------------


@each
def test_the_points_of_the_checks_are_those_of_the_tasks_and_100_in_all(material):
    assignment = material.assignment
    assert assignment.points == 100
    assert [task.number for task in assignment.tasks] == list(range(1, len(assignment.tasks) + 1))
    for seed in (VISIBLE_SEED, *FEW_SEEDS):
        sums = dict.fromkeys((task.number for task in assignment.tasks), 0.0)
        for check in material.checks(seed):
            sums[check.task] += check.points
        assert sums == {task.number: task.points for task in assignment.tasks}
    assert assignment.tasks[-1].points >= 20
    assert not assignment.library


@each
def test_a_check_is_a_short_program_with_plain_inputs_and_arrays_to_come_out(material):
    checks = material.checks(VISIBLE_SEED)
    assert len({check.name for check in checks}) == len(checks)
    handout = (material.assignment.folder / "README.md").read_text(encoding="utf-8")
    for check in checks:
        assert check.cases
        assert check.visible or check.topic, f"{check.name} is hidden and says no topic"
        said = check.tolerance <= 1e-8 or _power(check.tolerance) in handout
        assert said, f"{check.name}: the handout doesn't say that {check.tolerance} is allowed"
        for case in check.cases:
            assert len(case.program.strip().splitlines()) <= LINES
            assert max(map(len, case.program.splitlines())) <= 100
            for value in case.inputs.values():
                assert isinstance(value, np.ndarray | float | int | bool | str | list | None)
            for name, right in case.expected.items():
                assert right.dtype in (np.float64, np.int64), f"{check.name}: {name} is {right.dtype}"
                assert name not in case.inputs, f"{check.name}: {name} is there before the program ran"


def _power(tolerance):
    mantissa, exponent = f"{tolerance:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


@each
def test_every_task_has_visible_checks_and_the_assignment_hidden_ones(material):
    checks, tasks = material.checks(VISIBLE_SEED), material.assignment.tasks
    assert {check.task for check in checks if check.visible} == {task.number for task in tasks}
    assert any(not check.visible for check in checks)


@each
def test_checks_of_one_seed_are_the_same_twice_and_other_seeds_have_other_inputs(material):
    first = visible_json(material.checks(1))
    assert visible_json(material.fresh_checks(1)) == first
    assert visible_json(material.checks(2)) != first


@each
def test_the_visible_checks_are_fresh_and_small(material):
    path = material.assignment.folder / VISIBLE
    text = path.read_text(encoding="utf-8")
    assert len(text) < LARGEST
    fresh = json.loads(visible_json(material.checks(VISIBLE_SEED)))
    same(json.loads(text), fresh, "run  python -m tests.assignments.publish")


def same(a, b, where):
    """Equal, up to the last bits of numbers: other processors sum in another order."""
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            same(a[key], b[key], f"{where}: {key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            same(x, y, f"{where}[{i}]")
    elif isinstance(a, float):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=where)
    else:
        assert a == b, where


# ---- submissions ---------------------------------------------------------------------------------------


@each
def test_the_solution_gets_full_marks_under_every_seed(material):
    names = load(material.solution)
    for seed in (*SEEDS, VISIBLE_SEED):
        judgements = judge(names, material.checks(seed))
        assert not failures(judgements), seed
    assert sum(marks(judgements).values()) == 100


@each
def test_the_solution_passes_the_visible_checks_as_they_lie_in_the_folder(material):
    assert not failures(judge(load(material.solution), read_visible(material.assignment)))


@each
def test_the_starter_gets_zero_and_every_check_says_which_task_is_missing(material):
    for judgement in judge(load(material.starter), material.checks(VISIBLE_SEED)):
        check = judgement.check
        assert not judgement.passed, check.name
        missing = f"NotImplementedError: {material.assignment.name}, task {check.task}: "
        assert judgement.sentence.startswith(missing), f"{check.name}: {judgement.sentence}"


@each
def test_at_least_eight_right_submissions_and_as_many_wrong_ones(material):
    assert len(material.right) >= 8
    assert len(wrongs(material)) >= 8
    assert len({wrong.name for wrong in wrongs(material)}) == len(wrongs(material))


@pytest.mark.slow
@each_right
def test_a_right_submission_gets_full_marks_under_twenty_seeds(material, path):
    names = load(path)
    for seed in (*SEEDS, VISIBLE_SEED):
        assert not failures(judge(names, material.checks(seed))), seed


@each_wrong
def test_a_wrong_submission_loses_points_in_exactly_the_tasks_of_its_header(material, wrong):
    names = load_text(wrong.text, wrong.name)
    for seed in FEW_SEEDS:
        judgements = judge(names, material.checks(seed))
        assert lost(judgements) == wrong.breaks, (seed, failures(judgements))
        hints = {judgement.hint for judgement in judgements} - {""}
        if wrong.hint:
            assert any(wrong.hint in hint for hint in hints), hints
        else:
            assert not hints


@each
def test_wrong_submissions_can_be_written_to_files_that_say_what_they_break(material, tmp_path):
    paths = materialise(material, tmp_path / "wrong")
    assert len(paths) == len(wrongs(material))
    for path, wrong in zip(paths, wrongs(material), strict=True):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# breaks: {', '.join(map(str, wrong.breaks))}"


@each
def test_zeros_ones_random_arrays_and_the_inputs_themselves_get_zero(material):
    random = np.random.default_rng(0)

    def guesses(case, name):
        shape = np.shape(case.expected[name])
        yield "zeros", np.zeros(shape)
        yield "ones", np.ones(shape)
        yield "random", random.standard_normal(shape)
        for given, value in case.inputs.items():
            if isinstance(value, np.ndarray) and value.shape == shape:
                yield f"input {given}", value

    for check in material.checks(1):
        offers = [{name: dict(guesses(case, name)) for name in case.expected} for case in check.cases]
        kinds = {kind for offer in offers for named in offer.values() for kind in named}
        for kind in kinds:
            results = [
                CaseResult({name: named.get(kind, named["random"]) for name, named in offer.items()})
                for offer in offers
            ]
            assert not judge_check(check, results).passed, f"{check.name}: {kind}"


@each
def test_a_task_that_is_left_out_costs_its_own_points_only(material):
    for task in material.assignment.tasks:
        names = load(material.solution)
        for name, stub in stubs(material, task.number).items():
            outer, _, method = name.rpartition(".")
            if outer:
                setattr(names[outer], method, stub)
            else:
                names[name] = stub
        judgements = judge(names, material.checks(1))
        assert marks(judgements)[task.number] == 0
        assert lost(judgements) == (task.number,), failures(judgements)


def stubs(material, task):
    """The starter's functions and methods that belong to a task, by dotted name."""
    names = load(material.starter)
    return {name: _look_up(names, name) for name, number in stub_tasks(material).items() if number == task}


def _look_up(names, dotted):
    outer, _, method = dotted.rpartition(".")
    return getattr(names[outer], method) if outer else names[method]


@each
def test_the_librarys_own_ops_get_at_most_80_percent_and_nothing_for_the_last_task(material):
    judgements = judge(load(material.private / "library.py"), material.checks(1))
    points = marks(judgements)
    assert 0 < sum(points.values()) <= 80
    assert points[len(material.assignment.tasks)] == 0
