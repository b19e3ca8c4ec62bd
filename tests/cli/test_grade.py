"""`minidl grade` from the outside: exit codes, files, sentences, and the exports."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from minidl.cli import main
from tests.grading.course import tiny


@pytest.fixture
def course(tmp_path, monkeypatch):
    tiny.write(tmp_path)
    (tmp_path / "right.py").write_text(tiny.RIGHT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text("def double(x): return x\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_exit_code_says_whether_all_checks_passed(course, capsys):
    assert main(["grade", "T1", "right.py"]) == 0
    assert "70 / 70" in capsys.readouterr().out
    assert main(["grade", "t1", "wrong.py", "--hidden", "private"]) == 1
    assert "FAIL  (hidden) another shape (task 1)" in capsys.readouterr().out


def test_json_and_seed_and_marks(course, capsys):
    (course / "marks.csv").write_text("submission,task,points\nright,3,20\n", encoding="utf-8")
    options = ["--hidden", "private", "--seed", "3", "--manual", "marks.csv", "--json", "out/results.json"]
    assert main(["grade", "T1", "right.py", *options]) == 0
    assert json.loads((course / "out/results.json").read_text(encoding="utf-8"))["score"] == 100
    assert "100 / 100" in capsys.readouterr().out


def test_marks_of_a_folder_go_by_its_whole_name(course, capsys):
    next(course.rglob("checks.json")).unlink()      # all by hand
    (course / "jane.doe").mkdir()
    (course / "marks.csv").write_text("submission,task,points\njane.doe,3,20\n", encoding="utf-8")
    assert main(["grade", "T1", "jane.doe", "--manual", "marks.csv"]) == 0
    assert "20 / 20" in capsys.readouterr().out


def test_a_folder(course, capsys):
    (course / "class").mkdir()
    for name in ("right.py", "wrong.py"):
        (course / name).rename(course / "class" / name)
    assert main(["grade", "T1", "class", "--csv", "marks.csv"]) == 0
    with (course / "marks.csv").open(encoding="utf-8") as file:
        points = {row["submission"]: row["points"] for row in csv.DictReader(file)}
    assert points == {"right": "70", "wrong": "0"}
    assert "T1: 2 submissions, written to marks.csv" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "said"), [
    (["T1"], "expected an assignment and a submission"),
    (["T9", "right.py"], "expected one of the assignments"),
    (["T1", "nothing.py"], "there is no file nothing.py in this folder"),
    (["T1", "right.py", "--seed", "1"], "--hidden DIR"),
    (["T1", "right.py", "--csv", "a", "--json", "b"], "leave one of them away"),
    (["T1", "right.py", "--csv", "a.csv"], "expected a folder of submissions"),
    (["T1", "right.py", "--manual", "no.csv"], "no.csv"),
    (["T1", "right.py", "--assignments", "private"], "(none)"),
])
def test_bad_input_is_one_sentence_and_exit_code_2(course, capsys, arguments, said):
    assert main(["grade", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_the_help_starts_without_numpy_s_friends_and_shows_examples():
    code = (
        "import sys; from minidl.cli import main\n"
        "try: main(['grade', '--help'])\nexcept SystemExit: pass\n"
        "assert not {'matplotlib', 'tqdm', 'minidl.grading', 'urllib.request'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert "minidl grade A3 a3.py" in run.stdout


def test_grading_one_submission_loads_neither_matplotlib_nor_tqdm_nor_the_network(course):
    code = (
        "import sys; from minidl.cli import main\nmain(['grade', 'T1', 'right.py'])\n"
        "assert not {'matplotlib', 'tqdm', 'urllib.request'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(("file", "content", "said"), [
    ("checks.json", b"{", "checks.json: expected the grader's version"),
    ("checks.json", b"\xff\xfe", "checks.json: expected the grader's version"),
    ("assignment.toml", b"\xff\xfe", "expected assignment.toml with name"),
    ("assignment.toml", tiny.TOML.replace("points = 30", 'points = "a"').encode(), "points that are no"),
    ("assignment.toml", tiny.TOML.replace('name = "T1"', "name = 5").encode(), "a title that is no text"),
    ("marks.csv", "submission,task,points".encode("utf-16"), "marks.csv: expected a table"),
    ("marks.csv", b"submission,task,points\nright,3,%s\n" % (b"1" * 200_000), "marks.csv: expected a table"),
])
def test_a_damaged_file_is_named_in_one_sentence(course, capsys, file, content, said):
    path = next(course.rglob(file), course / file)
    path.write_bytes(content)
    options = ["--manual", file] if file == "marks.csv" else []
    assert main(["grade", "T1", "right.py", *options]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("arguments", [
    ["right.py", "--json", "right.py"],
    ["right.py", "--manual", "marks.csv", "--json", "marks.csv"],
    [".", "--manual", "marks.csv", "--csv", "./marks.csv"],
])
def test_results_never_take_the_place_of_what_they_are_made_from(course, capsys, arguments):
    (course / "marks.csv").write_text("submission,task,points\nright,3,20\n", encoding="utf-8")
    assert main(["grade", "T1", *arguments]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert (course / "right.py").read_text(encoding="utf-8") == tiny.RIGHT
    assert (course / "marks.csv").read_text(encoding="utf-8").startswith("submission,task")


def test_a_seed_is_a_whole_number_of_0_or_more(course, capsys):
    with pytest.raises(SystemExit):
        main(["grade", "T1", "right.py", "--hidden", "private", "--seed", "-1"])
    assert "argument --seed: expected a whole number of 0 or more, got '-1'" in capsys.readouterr().err
