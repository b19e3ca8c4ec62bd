"""Marks by hand, and a folder of submissions: a class."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest

from minidl.grading.course.batch import find_submissions, grade_all, table_csv
from minidl.grading.course.console import report
from minidl.grading.course.find import find_checks
from minidl.grading.course.grade import grade
from minidl.grading.course.gradescope import results_json
from minidl.grading.course.manual import by_hand, read_marks, unknown_names
from minidl.grading.course.result import Mark
from tests.grading.course import tiny

# ---- marks by hand -------------------------------------------------------------------------------------


def table(tmp_path, *lines):
    path = tmp_path / "marks.csv"
    path.write_text("\n".join(["submission,task,points,comment", *lines]), encoding="utf-8")
    return path


def test_marks_by_hand_are_merged(course):
    assignment, hidden, tmp_path = course
    parts = by_hand(assignment, find_checks(assignment, hidden))
    assert parts == [Mark(3, 20)]
    path = table(tmp_path, "mine,3,12.5,good start", "other,3,1,")
    marks = read_marks(path, parts, ["mine"])["mine"]
    result = tiny.run(course, tiny.RIGHT, marks=marks)
    assert (result.points, result.most) == (92.5, 100)
    assert "12.5 / 20  marked" in report(result)
    assert "good start" in report(result)
    last = json.loads(results_json(result))["tests"][-1]
    assert (last["score"], last["max_score"], last["output"]) == (12.5, 20, "good start")


@pytest.mark.parametrize(("lines", "said"), [
    (["mine,4,1,"], r"line 2: expected a task that is marked by hand \(3\), got 4"),
    (["mine,1,1,"], "expected a task that is marked by hand"),
    (["mine,3,21,"], "expected 0 to 20 points, got 21"),
    (["mine,3,-1,"], "expected 0 to 20 points"),
    (["mine,3,nan,"], "expected 0 to 20 points"),
    (["mine,3,many,"], "expected numbers for task and points, got '3', 'many'"),
    (["mine,3"], "expected numbers"),
    (["mine,3,1,", "mine,3,2,"], "line 3: mine has marks for task 3 already"),
])
def test_marks_that_do_not_fit_are_errors(tmp_path, lines, said):
    with pytest.raises(ValueError, match=said):
        read_marks(table(tmp_path, *lines), [Mark(3, 20)], ["mine"])


def test_an_assignment_without_checks_is_marked_by_hand_alone(course):
    assignment, _, tmp_path = course
    (assignment.folder / "checks.json").unlink()
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "report.md").write_text("words", encoding="utf-8")
    parts = by_hand(assignment, find_checks(assignment))
    assert [part.most for part in parts] == [30, 50, 20]
    result = grade(assignment, [], folder, parts)
    assert (result.points, result.most) == (0, 0)
    assert report(result).count("not marked yet") == 3
    first = result.sha256
    (folder / "report.md").write_text("other words", encoding="utf-8")
    assert grade(assignment, [], folder, parts).sha256 != first


# ---- a folder of submissions ---------------------------------------------------------------------------


def test_a_class_is_graded_with_a_line_each(course):
    assignment, hidden, tmp_path = course
    folder = tmp_path / "class"
    for name, text in (
        ("alice/t1.py", tiny.RIGHT), ("alice/extra.py", ""), ("bob.py", tiny.SQUARES), ("=cmd.py", "\0"),
        ("dora/other.py", tiny.RIGHT), ("emil/a.py", ""), ("emil/b.py", ""),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "big.py").write_bytes(b"#" * 1_000_001)
    submissions = find_submissions(folder, "t1.py")
    assert [submission.name for submission in submissions] == ["=cmd", "alice", "big", "bob", "dora", "emil"]
    checks = find_checks(assignment, hidden)
    seen = []
    marks = {submission.name: [Mark(3, 20, 5.0)] for submission in submissions}
    results = grade_all(assignment, checks, submissions, marks, None, 2, lambda: seen.append(1))
    assert len(seen) == 6
    text = table_csv(assignment, checks, results)
    rows = {row["submission"]: row for row in csv.DictReader(io.StringIO(text))}
    assert {name: row["points"] for name, row in rows.items()} == {
        "'=cmd": "5", "alice": "85", "big": "0", "bob": "5", "dora": "85", "emil": "0",
    }
    assert rows["alice"]["task 2"] == "50"
    assert rows["alice"]["double: hidden name"] == "10"
    assert rows["bob"]["double: y"] == "0"
    assert rows["emil"]["trouble"] == "expected t1.py, got 2 other .py files"
    assert "at most 1000000 bytes" in rows["big"]["trouble"]
    assert rows["alice"]["sha256"] == hashlib.sha256(tiny.RIGHT.encode()).hexdigest()


def test_a_folder_that_is_no_class_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="expected a folder of submissions"):
        find_submissions(tmp_path / "nowhere", "t1.py")
    with pytest.raises(ValueError, match="got neither"):
        find_submissions(tmp_path, "t1.py")
    (tmp_path / "a").mkdir()
    (tmp_path / "a.py").touch()
    with pytest.raises(ValueError, match="a is there as a file and as a folder"):
        find_submissions(tmp_path, "t1.py")


def test_names_under_which_nothing_was_handed_in_are_told(tmp_path):
    table = tmp_path / "marks.csv"
    table.write_text("submission,task,points\nbmo,1,2\nann,1,2\nbmo,2,1\n", encoding="utf-8")
    assert unknown_names(table, ["ann", "bom"]) == ["bmo"]
    assert unknown_names(table, ["ann", "bmo"]) == []
