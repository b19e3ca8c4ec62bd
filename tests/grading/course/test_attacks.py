"""Hostile submissions: each costs its own points, is named, and leaves nothing and nobody behind."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

import minidl
from minidl.grading.course.batch import find_submissions, grade_all
from minidl.grading.course.find import find_checks
from minidl.grading.course.grade import grade
from minidl.grading.course.sandbox.limits import Limits
from tests.grading.course import tiny
from tests.grading.course.attacks import HARMLESS, HOSTILE, submission

LIBRARY = Path(minidl.__file__).parents[1]
QUICK = Limits(cpu_seconds=1, wall_seconds=30, timeouts=10)
SLEEPY = Limits(cpu_seconds=1, wall_seconds=2, timeouts=10)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox has walls on Linux alone")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The tiny assignment; working folders lie in a folder of this test's own, which others may enter."""
    scratch = Path(tempfile.mkdtemp())
    scratch.chmod(0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    assignment, hidden = tiny.write(tmp_path / "course")
    yield assignment, find_checks(assignment, hidden), tmp_path, scratch
    shutil.rmtree(scratch)


def state(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def run(course, body, limits=QUICK):
    assignment, checks, tmp_path, scratch = course
    path = tmp_path / "course" / "submission.py"
    path.write_text(submission(body, tmp_path / "course", LIBRARY), encoding="utf-8")
    before = state(tmp_path)
    result = grade(assignment, checks, path, limits=limits)
    assert state(tmp_path) == before
    assert not list(scratch.iterdir())
    assert not survivors(scratch)
    return result


def survivors(folder):
    """Processes whose command line names the folder: keepers, and all that was forked from them."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                if str(folder).encode() in Path("/proc", entry, "cmdline").read_bytes():
                    found.append(int(entry))
            except OSError:
                continue
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_submission_costs_its_own_points_and_is_named(course, name):
    body, said = HOSTILE[name]
    result = run(course, body, SLEEPY if "sleep" in said else QUICK)
    points = {outcome.judgement.check.name: outcome.points for outcome in result.outcomes}
    assert points == {"double: y": 0, "double: hidden name": 0, "total: sums and gradient": 50}
    first = result.outcomes[0]
    text = "\n".join([first.judgement.sentence, *result.notes, first.output])
    assert any(part in text for part in ([said] if isinstance(said, str) else said)), text


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_costs_nothing(course, name):
    result = run(course, HARMLESS[name])
    assert [outcome.judgement.sentence for outcome in result.outcomes] == ["", "", ""]
    assert result.points == 80
    assert result.seconds < 30


def test_hostile_neighbours_change_nobody_elses_marks(course):
    """A class that is graded at the same time: forks, kills and loops beside submissions that are right."""
    assignment, checks, tmp_path, _ = course
    folder = tmp_path / "class"
    folder.mkdir()
    bodies = {name: HOSTILE[name][0] for name in (
        "a fork bomb's first children", "killing everybody", "deleting files elsewhere", "an endless loop",
    )}
    for number, (name, body) in enumerate([*bodies.items(), *[("right", "return 2 * x")] * 4]):
        text = submission(body, folder, LIBRARY)
        (folder / f"{number}{name.replace(' ', '')}.py").write_text(text, encoding="utf-8")
    submissions = find_submissions(folder, "t1.py")
    before = state(tmp_path)
    results = grade_all(
        assignment, checks, submissions, {each.name: [] for each in submissions}, None, 4, lambda: None, QUICK
    )
    assert state(tmp_path) == before
    assert [result.points for result in results.values()] == [50] * 4 + [80] * 4
