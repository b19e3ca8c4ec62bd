"""A3: what its checks rest on, what they catch beside `check_batch_norm`, and its experiment."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from minidl import ops
from minidl.grading import check_batch_norm, from_functions
from minidl.grading.course.assignment import read_visible
from tests.assignments.a3_batch_norm import solution
from tests.assignments.materials import STUDENTS, Material, judge, load, lost, read_assignment, wrongs

FOLDER = STUDENTS / "a3_batch_norm"
MATERIAL = Material(read_assignment(FOLDER), STUDENTS.parents[1] / "tests" / "assignments" / "a3_batch_norm")
SHAPES = [(7, 3), (4, 3, 2, 5)]


def sample(shape, seed=0):
    rng = np.random.default_rng([seed, 7])
    x = rng.normal(size=shape) * rng.uniform(0.5, 3, shape[-1]) + rng.normal(size=shape[1:]) * 4
    return x, rng.normal(size=shape[-1]), rng.normal(size=shape[-1]), rng.normal(size=shape)


def slope(f, x, direction, step=1e-6):
    return (f(x + step * direction) - f(x - step * direction)) / (2 * step)


# ---- the solution against other sources of truth -------------------------------------------------------


def test_the_solution_is_the_librarys_batch_norm_and_passes_check_batch_norm():
    x, gamma, beta, _ = sample((4, 3, 2, 5))
    np.testing.assert_allclose(
        solution.forward(x, gamma, beta, 0.1)[0], ops.batch_norm(x, gamma, beta, 0.1)[0].data, rtol=1e-9
    )
    report = check_batch_norm(from_functions(solution.forward, solution.backward))
    assert report, str(report)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_weighted_gradients_are_those_of_the_weighted_outputs(shape):
    x, gamma, beta, g = sample(shape)
    weights = np.random.default_rng(1).uniform(0, 2, len(x))
    weights[1] = 0
    arguments = [x, gamma, beta]
    _, cache = solution.weighted_forward(*arguments, 0.3, weights)
    for place, gradient in enumerate(solution.weighted_backward(g, cache)):
        direction = np.random.default_rng(2).normal(size=gradient.shape)

        def loss(value, place=place):
            changed = [*arguments[:place], value, *arguments[place + 1 :]]
            return (solution.weighted_forward(*changed, 0.3, weights)[0] * g).sum()

        found = slope(loss, arguments[place], direction)
        np.testing.assert_allclose((gradient * direction).sum(), found, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_whole_weight_stands_for_as_many_examples_and_equal_weights_for_none(shape):
    x, gamma, beta, g = sample(shape)
    counts = np.array([1, 3, 2, 1, 2, 1, 4])[: len(x)]
    y, _ = solution.weighted_forward(x, gamma, beta, 0.3, counts.astype(float))
    repeated = np.repeat(x, counts, axis=0)
    firsts = np.cumsum(counts) - counts
    np.testing.assert_allclose(y, solution.forward(repeated, gamma, beta, 0.3)[0][firsts], rtol=1e-9)

    y, cache = solution.weighted_forward(x, gamma, beta, 0.3, np.full(len(x), 0.25))
    plain, plain_cache = solution.forward(x, gamma, beta, 0.3)
    np.testing.assert_allclose(y, plain, rtol=1e-9)
    gradients = solution.weighted_backward(g, cache), solution.backward(g, plain_cache)
    for weighted, right in zip(*gradients, strict=True):
        np.testing.assert_allclose(weighted, right, rtol=1e-9, atol=1e-12)


# ---- what the checks must catch ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_cancellation_and_a_gamma_changed_in_place_fail_under_every_seed(seed):
    names = {wrong.name: wrong for wrong in wrongs(MATERIAL)}
    for name in ("mean of squares minus square of the mean", "gamma multiplied in place", "all in float32"):
        submission = _names_of(names[name].text)
        judgements = judge(submission, [c for c in MATERIAL.checks(seed) if c.task == 1])
        assert lost(judgements) == (1,), name


def _names_of(text):
    space = {"__name__": "submission"}
    exec(compile(text, "submission.py", "exec"), space)
    return space


def test_each_wrong_batch_norm_that_can_occur_here_is_among_the_wrong_submissions():
    names = {wrong.name for wrong in wrongs(MATERIAL)}
    assert names >= {
        "normalised per activation", "eps outside the root", "std plus eps", "mean detached",
        "variance detached", "gamma's gradient not summed over H and W", "N for NHW in dx",
        "N for NHW in mean and variance", "sign of the x_hat term flipped", "x centred in place",
        "gradient buffer shared between two inputs",
    }


def test_answers_kept_for_the_visible_checks_pass_those_and_no_hidden_one():
    visible = [check for check in read_visible(MATERIAL.assignment) if check.name.startswith("forward: y")]
    kept = {case.inputs["x"].tobytes(): case.expected["y"] for check in visible for case in check.cases}
    names = {"forward": lambda x, *rest: (kept.get(x.tobytes(), x), (x, x, x))}
    assert len(visible) == 2
    assert not lost(judge(names, visible))
    assert not any(judgement.passed for judgement in judge(names, MATERIAL.checks(1)))


# ---- the experiment ------------------------------------------------------------------------------------


def run(tmp_path, submission):
    script = str(FOLDER / "a3_curve.py")
    return subprocess.run(
        [sys.executable, script, str(submission), "--fast"], cwd=tmp_path, capture_output=True, text=True,
        timeout=300,
    )


def test_the_curve_of_a_right_pair_lies_above_that_of_the_network_without(tmp_path):
    done = run(tmp_path, MATERIAL.solution)
    assert done.returncode == 0, done.stderr
    assert "synthetic" in done.stdout
    accuracies = [float(line.split("accuracy ")[1].split(" %")[0])
                  for line in done.stdout.splitlines() if "accuracy" in line]
    assert accuracies[1] > accuracies[0] + 20
    assert (tmp_path / "a3_curve_lr0.5.png").stat().st_size > 5000


def test_the_curve_of_a_wrong_pair_is_refused_with_what_is_wrong(tmp_path):
    text = next(wrong.text for wrong in wrongs(MATERIAL) if wrong.name == "mean detached")
    path = tmp_path / "a3.py"
    path.write_text(text, encoding="utf-8")
    done = run(tmp_path, path)
    assert done.returncode == 1
    assert "takes the batch's mean for a constant" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("text", "says"), [
    (None, "no Python file at "),
    ("import nothing_like_it", "can't be imported: ModuleNotFoundError"),
    ("def forward(", "can't be imported: SyntaxError"),
    ("forward = 1", "can't be checked: AttributeError"),
    ("starter", "A3, task 1"),
])
def test_a_submission_that_cannot_run_is_named_in_one_sentence(tmp_path, text, says):
    path = tmp_path / "a3.py"
    if text is not None:
        starter = MATERIAL.starter.read_text(encoding="utf-8")
        path.write_text(starter if text == "starter" else text, encoding="utf-8")
    done = run(tmp_path, path)
    assert done.returncode == 1
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("answer", ["y", "y, x_hat, inverse, gamma"])
def test_a_forward_without_the_tuple_is_told_what_to_return(answer):
    right = "    return gamma * x_hat + beta, (x_hat, inverse, gamma)\n"
    text = MATERIAL.solution.read_text(encoding="utf-8")
    assert right in text
    wrong = _names_of(text.replace(right, f"    y = gamma * x_hat + beta\n    return {answer}\n"))
    checks = [check for check in MATERIAL.checks(1) if check.name.startswith("forward: y")]
    for judgement in judge(wrong, checks):
        assert judgement.sentence == "AssertionError: forward returns y, (x_hat, inverse, gamma)"


@pytest.mark.parametrize("name", ["mean detached", "gamma left out of dx", "N for NHW in dx"])
def test_a_wrong_dx_alone_does_not_fail_nothing_else_changes(name):
    wrong = _names_of(next(wrong.text for wrong in wrongs(MATERIAL) if wrong.name == name))
    judgements = {j.check.name: j for j in judge(wrong, MATERIAL.checks(1))}
    assert not judgements["input_gradient: dx, feature maps"].passed
    assert judgements["input_gradient: nothing else changes"].passed


@pytest.mark.parametrize("formula", ["0 * g", "g", "x_hat * 1", "np.random.normal(size=g.shape)"])
def test_a_copy_a_constant_or_chance_is_no_answer_to_nothing_else_changes(formula):
    space = {**vars(solution)}
    exec(f"def input_gradient(g, cache):\n    x_hat = cache[0]\n    return {formula}\n", space)
    judgements = judge(space, [check for check in MATERIAL.checks(1) if check.task == 3])
    assert not any(judgement.passed for judgement in judgements)


def test_the_adapter_makes_an_op_whose_gradients_the_tape_finds():
    sys.path.insert(0, str(FOLDER))
    try:
        adapter = load(FOLDER / "adapter.py")
    finally:
        sys.path.remove(str(FOLDER))
    import minidl as dl

    op = adapter["as_op"](solution.forward, solution.backward)
    x, gamma, beta, _ = sample((4, 3, 2, 5))
    dl.gradcheck(lambda *t: op(*t, 0.3), x, gamma, beta)
