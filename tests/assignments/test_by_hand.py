"""A6 to A8, marked by hand: handouts, rubrics and tables agree, and the model solutions run."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import minidl as dl
from minidl.grading.course.assignment import read_assignment
from minidl.grading.course.manual import by_hand, read_marks
from tests.assignments.materials import INSTRUCTORS, STUDENTS, TUTORIALS

FOLDERS = ("a6_figure1", "a7_report", "a8_project")
each = pytest.mark.parametrize("folder", FOLDERS)
TASK = re.compile(r"^## Task (\d+): (.+) \((\d+) points\)$", re.MULTILINE)
MARKED = re.compile(r"^## Task (\d+): (.+) \((\d+)(?:, \d a question)?\)$", re.MULTILINE)


def module_at(path):
    """A script as a module; anew each time, as these tests change its names."""
    spec = importlib.util.spec_from_file_location(f"script_{path.parent.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def solution(folder, name):
    return module_at(INSTRUCTORS / folder / "solution" / name)


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["script", *map(str, arguments)])
    module.main()


@pytest.fixture
def digits(monkeypatch):
    """A few synthetic digits, whatever data set is asked for."""
    train, test = dl.datasets.stroke_digits()
    monkeypatch.setattr(dl.datasets, "load", lambda name: (train[:1200], test[:100]))
    return train


@each
def test_the_handout_and_the_rubric_state_the_tasks_and_points_of_the_record(folder):
    assignment = read_assignment(STUDENTS / folder)
    tasks = [(task.number, task.title, task.points) for task in assignment.tasks]
    handout = (STUDENTS / folder / "README.md").read_text(encoding="utf-8")
    found = TASK.findall(handout)
    assert [(int(number), title, float(points)) for number, title, points in found] == tasks
    assert assignment.points == 100
    assert handout.startswith(f"# {assignment.name}: {assignment.title}\n")
    line = f"| [{assignment.name} {assignment.title}]({folder}/README.md) | {assignment.hours:g} h |"
    assert line in (STUDENTS / "README.md").read_text(encoding="utf-8")
    assert f"\n{assignment.hours:g} hours" in handout
    hints = handout.count("<details>")
    assert hints == handout.count("</details>") == handout.count("<summary>") >= len(tasks)
    rubric = (INSTRUCTORS / folder / "rubric.md").read_text(encoding="utf-8")
    stated = {int(number): float(points) for number, _, points in MARKED.findall(rubric)}
    for line in re.findall(r"^## Task (\d+): the questions \((\d) each\)$", rubric, re.MULTILINE):
        stated[int(line[0])] = 5.0 * float(line[1])
    assert stated == {number: points for number, _, points in tasks}
    assert rubric.count("**Typical wrong") >= 5
    assert rubric.count("**Model answer") >= 5


@each
def test_rows_of_a_task_add_up_to_its_points(folder):
    for path in (STUDENTS / folder / "README.md", INSTRUCTORS / folder / "rubric.md"):
        for part in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            heading = re.match(r"Task \d+: .+ \((\d+)(?: points)?\)\n", part)
            student = [int(points) for points in re.findall(r"^\| .+ \| (\d+) \|$", part, re.MULTILINE)]
            marker = [int(points) for points in re.findall(r"^\| [^|]+ \((\d+)\) \|", part, re.MULTILINE)]
            for rows in (student, marker):
                if heading and rows:
                    assert sum(rows) == int(heading[1]), (path, heading[0])


@each
def test_a_table_of_marks_fits_the_tasks(folder, tmp_path):
    assignment = read_assignment(STUDENTS / folder)
    parts = by_hand(assignment, [])
    rows = [f"meier,{task.number},{task.points:g}," for task in assignment.tasks]
    table = tmp_path / "marks.csv"
    table.write_text("\n".join(["submission,task,points,comment", *rows]), encoding="utf-8")
    marks = read_marks(table, parts, ["meier"])["meier"]
    assert sum(mark.points for mark in marks) == 100


@each
def test_no_rubric_or_solution_lies_beside_a_handout(folder):
    assert {path.name for path in (STUDENTS / folder).iterdir()} <= {
        "README.md", "assignment.toml", "__pycache__", read_assignment(STUDENTS / folder).starter, "plot.py"
    }


@each
def test_the_tutorials_to_read_again_are_there_and_among_those_that_the_handout_asks_for(folder):
    handout = (STUDENTS / folder / "README.md").read_text(encoding="utf-8")
    asked = re.search(r"You need tutorials ([\d, and]+)", handout)[1]
    for task in read_assignment(STUDENTS / folder).tasks:
        assert (TUTORIALS.parent / task.read).exists(), task.read
        assert Path(task.read).name[:2] in asked, task.read


@each
def test_a_starter_can_be_imported_and_asks_for_what_is_missing(folder, monkeypatch, digits, tmp_path):
    assignment = read_assignment(STUDENTS / folder)
    module = module_at(assignment.folder / assignment.starter)
    first = ["train"] if assignment.name == "A8" else []
    arguments = [*first, "--seeds", 1, "--steps", 2, "--out", tmp_path / "out.json"]
    with pytest.raises(NotImplementedError, match=f"{assignment.name}, task"):
        run(module, monkeypatch, *arguments)


def test_a6_runs_writes_plain_numbers_and_is_drawn_from_them_alone(monkeypatch, digits, tmp_path, capsys):
    module = solution("a6_figure1", "run.py")
    module.MEASUREMENTS, module.PROBE = 4, 50
    out = tmp_path / "results.json"
    run(module, monkeypatch, "--seeds", 2, "--steps", 8, "--out", out)
    runs = json.loads(out.read_text(encoding="utf-8"))["runs"]
    assert [(r["arm"], r["seed"]) for r in runs] == [(arm, seed) for arm in module.ARMS for seed in (0, 1)]
    assert all(r["step"] == [1, 2, 4, 8] and np.shape(r["percentiles"]) == (4, 3) for r in runs)
    assert "stroke digits (synthetic)" in capsys.readouterr().out
    monkeypatch.setattr(dl.datasets, "load", None)
    run(solution("a6_figure1", "plot.py"), monkeypatch, out, "--out", tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_a6_measuring_changes_nothing_in_the_training(digits):
    module = solution("a6_figure1", "run.py")
    data = module.binary(digits[:1200], 0.5)
    last = []
    for count in (2, 5):
        module.MEASUREMENTS = count
        found = module.train_network(module.network("BN", 0), data, data[:200], 12, 0)
        assert len(found["step"]) == count
        last.append((found["accuracy"][-1], found["percentiles"][-1]))
    assert last[0] == last[1]


def test_a7_sweeps_and_goes_on_where_it_was(monkeypatch, digits, tmp_path, capsys):
    module = solution("a7_report", "sweep.py")
    module.ARMS, module.RATES, out = ("plain", "BN"), (0.5,), tmp_path / "runs.json"
    run(module, monkeypatch, "--seeds", 1, "--steps", 5, "--out", out)
    module.RATES = (0.5, 1e6)
    run(module, monkeypatch, "--seeds", 1, "--steps", 5, "--out", out)
    runs = json.loads(out.read_text(encoding="utf-8"))["runs"]
    assert [(r["arm"], r["lr"]) for r in runs] == [("plain", 0.5), ("BN", 0.5), ("plain", 1e6), ("BN", 1e6)]
    assert all(len(r["layers"]) == 3 for r in runs)
    solution("a7_report", "summary.py").main(out)
    assert len(capsys.readouterr().out.splitlines()) == 1 + 2 + 1 + 2 + 5


def test_a7_saturation_is_that_of_the_instruments(digits):
    module = solution("a7_report", "sweep.py")
    model = module.network("plain, Glorot x 4", 0)
    model[1].weight.data = model[1].weight.data * 30
    tape = dl.instruments.probe(model, digits.images[:300])
    for mine, right in zip(
        module.saturation(model, digits.images[:300]), dl.instruments.saturation(tape), strict=True
    ):
        assert mine["saturated"] == pytest.approx(right.saturated)
        assert mine["dead"] == pytest.approx(right.dead)


def test_a8_checks_its_layers_and_trains_every_arm(monkeypatch, digits, tmp_path, capsys):
    module = solution("a8_project", "a8.py")
    run(module, monkeypatch, "check")
    module.RATES, out = (0.5,), tmp_path / "results.json"
    run(module, monkeypatch, "train", "--seeds", 1, "--steps", 4, "--out", out)
    runs = json.loads(out.read_text(encoding="utf-8"))["runs"]
    assert [r["arm"] for r in runs] == list(module.ARMS)
    solution("a8_project", "summary.py").main(out)
    assert "noise alone: " in capsys.readouterr().out


def test_a8_shows_where_the_gradient_of_a_plain_network_gets_lost(monkeypatch, digits, capsys):
    monkeypatch.setitem(sys.modules, "a8", solution("a8_project", "a8.py"))
    solution("a8_project", "first_step.py").main()
    lines = capsys.readouterr().out.splitlines()[1:]
    norms = {line.split(":")[0]: [float(x) for x in re.findall(r"\d\.\d{3}", line)] for line in lines}
    assert norms["plain"][0] < 0.1 * norms["plain"][3]
    assert norms["BN in the last layer"][0] > 3 * norms["plain"][0]
    assert norms["BN in the first layer"][0] < 2 * norms["plain"][0]
