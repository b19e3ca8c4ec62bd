"""A4: what its checks rest on, and its experiment."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from minidl import ops
from minidl.grading.course.assignment import read_visible
from tests.assignments.a4_running_statistics import solution
from tests.assignments.materials import STUDENTS, Material, judge, lost, read_assignment, wrongs

FOLDER = STUDENTS / "a4_running_statistics"
PRIVATE = STUDENTS.parents[1] / "tests" / "assignments" / "a4_running_statistics"
MATERIAL = Material(read_assignment(FOLDER), PRIVATE)


@pytest.mark.parametrize("distance", [0.0, 1e6])
def test_merged_shards_have_the_moments_of_all_values(distance):
    rng = np.random.default_rng(0)
    shards = [rng.normal(distance + i, 1 + i, (n, 3)) for i, n in enumerate((2, 50, 0, 7, 300, 1))]
    values = np.concatenate(shards)
    far = values - distance
    moments = [
        (len(s), s.mean(0) if len(s) else np.full(3, 7.0), s.var(0) if len(s) else np.ones(3)) for s in shards
    ]
    count, mean, var = moments[0]
    for shard in moments[1:]:
        count, mean, var = solution.merge(count, mean, var, *shard)
    assert count == len(values)
    np.testing.assert_allclose(mean - distance, far.mean(0), atol=1e-9)
    np.testing.assert_allclose(var, far.var(0), rtol=1e-9)
    mean, var = solution.population(*[np.array(column) for column in zip(*moments, strict=True)])
    np.testing.assert_allclose(mean - distance, far.mean(0), atol=1e-9)
    np.testing.assert_allclose(var, far.var(0, ddof=1), rtol=1e-9)


def test_evaluation_mode_and_its_gradients_are_the_librarys():
    rng = np.random.default_rng(1)
    x, g = rng.normal(size=(2, 4, 3, 2, 5))
    gamma, beta, mean = rng.normal(size=(3, 5))
    var = rng.uniform(1, 3, 5)
    y = ops.batch_norm_inference(x, gamma, beta, mean, var, 0.3).data
    np.testing.assert_allclose(solution.evaluation_forward(x, gamma, beta, mean, var, 0.3), y, rtol=1e-9)
    for place, gradient in enumerate(solution.evaluation_backward(g, x, gamma, mean, var, 0.3)):
        arguments = [x, gamma, beta]
        direction = rng.normal(size=gradient.shape)

        def loss(step, place=place, arguments=arguments, direction=direction):
            moved = [a + step * direction if i == place else a for i, a in enumerate(arguments)]
            return (solution.evaluation_forward(*moved, mean, var, 0.3) * g).sum()

        found = (loss(1e-6) - loss(-1e-6)) / 2e-6
        np.testing.assert_allclose((gradient * direction).sum(), found, rtol=1e-6)


def test_each_wrong_batch_norm_that_can_occur_here_is_among_the_wrong_submissions():
    names = {wrong.name for wrong in wrongs(MATERIAL)}
    assert names >= {
        "no gamma and beta in evaluation", "running statistics per activation", "eps outside the root",
        "std plus eps", "momentum swapped", "running statistics updated in evaluation",
        "batch statistics in evaluation", "running variance biased", "merged variance unbiased",
        "running variance from 0", "gamma's gradient not summed over H and W",
        "N for NHW in the running variance", "training formula in evaluation", "x centred in place",
        "gradient buffer shared between two inputs",
    }


def test_answers_kept_for_the_visible_checks_pass_those_and_no_hidden_one():
    names = ("update: dense", "update: feature maps")
    visible = [check for check in read_visible(MATERIAL.assignment) if check.name in names]
    kept = {
        case.inputs["x"].tobytes(): tuple(case.expected.values()) for check in visible for case in check.cases
    }
    submission = {"update": lambda mean, var, x, momentum: kept.get(x.tobytes(), (mean, var))}
    assert len(visible) == 2
    assert not lost(judge(submission, visible))
    hidden = [check for check in MATERIAL.checks(1) if check.name != "update: momentum 0 and 1"]
    assert not any(judgement.passed for judgement in judge(submission, hidden))


def test_the_experiment_trains_draws_and_folds(tmp_path):
    done = subprocess.run(
        [sys.executable, str(FOLDER / "statistics_curve.py"), str(MATERIAL.solution), "--fast"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "synthetic" in done.stdout
    assert "11 layers became 8" in done.stdout
    assert float(done.stdout.split("outputs moved by ")[1]) < 1e-4
    assert (tmp_path / "a4_curve_momentum0.1.png").stat().st_size > 5000
