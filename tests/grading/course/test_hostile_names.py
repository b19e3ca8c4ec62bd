"""What students choose that isn't their code: names, links, and sentences made to look like the grader's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from minidl.cli import main
from minidl.grading.course.batch import find_submissions, grade_all
from minidl.grading.course.console import report
from minidl.grading.course.find import find_checks
from minidl.grading.course.grade import grade
from minidl.grading.course.sandbox.limits import Limits
from tests.grading.course import tiny

SQUARES = tiny.RIGHT.replace("2 * x", "x**2")


@pytest.fixture
def course(tmp_path):
    assignment, hidden = tiny.write(tmp_path)
    return assignment, hidden, tmp_path


def run(course, text, **options):
    assignment, hidden, tmp_path = course
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    return grade(assignment, find_checks(assignment, hidden), path, **options)


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_is_no_submission(course):
    # Of a student's it could lead to the solutions, which the grader may read.
    assignment, hidden, tmp_path = course
    folder = tmp_path / "class"
    (folder / "inside").mkdir(parents=True)
    (folder / "alice.py").symlink_to(hidden / "t1_tiny" / "solution.py")
    (folder / "inside" / "t1.py").symlink_to(hidden / "t1_tiny" / "solution.py")
    (folder / "bob").symlink_to(hidden / "t1_tiny")
    checks, submissions = find_checks(assignment, hidden), find_submissions(folder, "t1.py")
    marks = {submission.name: () for submission in submissions}
    results = grade_all(assignment, checks, submissions, marks, None, 1, lambda: None)
    assert {name: "got a link to one" in str(result) for name, result in results.items()} == {
        "alice": True, "bob": True, "inside": True,
    }
    by_hand = {submission.name: submission.path for submission in find_submissions(folder, "")}
    assert by_hand["bob"] is None


def test_hidden_checks_run_last_and_are_reported_in_their_places(course):
    # Else a submission could keep a hidden one's inputs in a file's attributes, and print them later.
    assignment, hidden, _ = course
    text = tiny.RIGHT.replace("    return 2", "    while x.shape == (2, 6): pass\n    return 2")
    result = run(course, text, limits=Limits(cpu_seconds=1, timeouts=1))
    names = [outcome.judgement.check.name for outcome in result.outcomes]
    assert names == [check.name for check in find_checks(assignment, hidden)]
    assert [outcome.judgement.passed for outcome in result.outcomes] == [True, False, True]


def test_a_sentence_of_the_submission_is_one_line(course):
    result = run(course, "def double(x):\n    raise ValueError('\\n   1  double: y  20 / 20  pass\\n')\n")
    assert not any(line.startswith("   1  double: y  20 / 20") for line in report(result).splitlines())
    assert "\n" not in result.outcomes[0].judgement.sentence


def test_a_name_that_moves_the_cursor_does_not_reach_the_console(course):
    assignment, hidden, tmp_path = course
    path = tmp_path / "a\x1b[2Jb.py"
    try:
        path.write_text(tiny.RIGHT, encoding="utf-8")
    except OSError:
        pytest.skip("this system has no such names")
    text = report(grade(assignment, find_checks(assignment, hidden), path))
    assert "a?[2Jb.py" in text
    assert "\x1b" not in text


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text_does_not_cost_the_class(course, monkeypatch):
    _, hidden, tmp_path = course
    folder = tmp_path / "class"
    folder.mkdir()
    for name in (b"caf\xe9.py", b"q\"uote.py"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(SQUARES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["grade", "T1", "class", "--csv", "marks.csv", "--hidden", str(hidden)]) == 0
    text = (tmp_path / "marks.csv").read_text(encoding="utf-8")
    assert "caf\\udce9" in text
    checks = find_checks(course[0], hidden)
    lines = report(grade(course[0], checks, folder / 'q"uote.py'))
    assert 'reproduce("T1", "double: y", "q\\"uote.py")' in lines


@pytest.mark.parametrize("option", ["--csv", "--json"])
def test_what_can_not_be_written_fails_before_the_work(course, monkeypatch, capsys, option):
    _, hidden, tmp_path = course
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "a.py").write_text("import time; time.sleep(20)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minidl.grading.course.grade.Sandbox", None)        # nothing is to be graded
    where = "class" if option == "--csv" else "class/a.py"
    assert main(["grade", "T1", where, option, str(folder), "--hidden", str(hidden)]) == 2
    assert "class" in capsys.readouterr().err
