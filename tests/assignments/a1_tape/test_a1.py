"""A1: what its checks rest on, and its experiment."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.assignments.a1_tape import solution
from tests.assignments.materials import STUDENTS, judge, load_text, materials, wrongs

FOLDER = STUDENTS / "a1_tape"


def network(x, w, b):
    tape = solution.Tape()
    x, w, b = tape.leaf(x), tape.leaf(w), tape.leaf(b)
    y = solution.sigmoid(tape, solution.add(tape, solution.matmul(tape, x, w), b))
    return tape, solution.sum_all(tape, solution.multiply(tape, y, solution.multiply(tape, y, b)))


def test_both_modes_of_the_solution_give_the_slope_that_is_measured():
    random = np.random.default_rng(0)
    leaves = [random.normal(size=shape) for shape in ((3, 2), (2, 4), (4,))]
    directions = [random.normal(size=a.shape) for a in leaves]
    tape, loss = network(*leaves)
    gradients = solution.backward(tape.records, tape.values, loss, np.array(1.0))
    tangents = solution.forward_mode(tape.records, tape.values, dict(enumerate(directions)))
    ends = [
        network(*(a + step * d for a, d in zip(leaves, directions, strict=True)))[0].values[loss]
        for step in (1e-6, -1e-6)
    ]
    measured = (ends[0] - ends[1]) / 2e-6
    backward = sum(np.vdot(g, d) for g, d in zip(gradients, directions, strict=False))
    assert [backward, float(tangents[loss])] == pytest.approx([measured] * 2, rel=1e-7)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_the_vjps_and_jvps_of_the_solution_are_transposes_of_each_other(axis):
    random = np.random.default_rng(1)
    a, b, da, db = (random.normal(size=shape) for shape in ((3, 4), (4, 4), (3, 4), (4, 4)))
    for name, second, dsecond in (("add", b[0], db[0]), ("multiply", b[:1], db[:1]), ("matmul", b, db)):
        tangent = getattr(solution, f"jvp_{name}")(da, dsecond, a, second)
        g = random.normal(size=tangent.shape)
        parts = getattr(solution, f"vjp_{name}")(g, a, second)
        assert np.vdot(g, tangent) == pytest.approx(np.vdot(parts[0], da) + np.vdot(parts[1], dsecond))
    tangent = solution.jvp_sum(da, axis)
    g = random.normal(size=tangent.shape)
    assert np.vdot(g, tangent) == pytest.approx(np.vdot(solution.vjp_sum(g, a, axis)[0], da))


@pytest.mark.parametrize("name", [
    "backward adds in place to arrays that others hold", "backward gives None where no path leads",
])
def test_what_the_handout_lists_about_backward_shows_in_a_visible_check(name):
    material = next(material for material in materials() if material.assignment.name == "A1")
    wrong = next(wrong for wrong in wrongs(material) if wrong.name == name)
    judgements = judge(load_text(wrong.text, "a1_seen"), material.checks(2015))
    assert any(judgement.check.visible and not judgement.passed for judgement in judgements)


def run(submission, folder):
    command = [sys.executable, "-W", "error", str(FOLDER / "network.py"), str(submission)]
    command += ["--out", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_experiment_draws_the_tape_and_learns_xor(tmp_path):
    done = run(FOLDER.parents[2] / "tests" / "assignments" / "a1_tape" / "solution.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "relative difference 0.0e+00" in done.stdout
    outputs = next(line for line in done.stdout.splitlines() if line.startswith("XOR")).split()[-4:]
    assert [round(float(value)) for value in outputs] == [0, 1, 1, 0]
    slopes = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert len(slopes) == 3
    assert len(set(slopes)) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"tape.png", "loss.png"}


def test_with_the_starter_the_experiment_says_what_is_missing(tmp_path):
    done = run(FOLDER / "a1.py", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == "not yet, the experiment needs it: A1, task 1: Tape.leaf"
