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
