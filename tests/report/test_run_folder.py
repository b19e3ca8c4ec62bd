"""A run's folder: whole, readable, and not lost when a figure can't be drawn."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace

import pytest

from minidl import report
from minidl.experiments import comparison_from_plain
from minidl.report.page import TrainingRecord
from minidl.report.run_folder import write_run
from tests.experiments.lab.test_runs import tiny
from tests.report.test_comparison import made_up


@pytest.fixture
def copy(runs, tmp_path):
    """A folder of each kind that a test may damage."""
    return {kind: shutil.copytree(folder, tmp_path / kind) for kind, folder in runs.items()}


def test_each_kind_comes_back(runs):
    for kind, folder in runs.items():
        run = report.read_run(folder)
        assert run.name == kind
        assert {path.stem for path in folder.glob("*.svg")} == {drawn.data.name for drawn in run.figures}
    comparison = report.read_run(runs["compare"]).record
    plain = json.loads((runs["compare"] / "results.json").read_text(encoding="utf-8"))
    assert comparison == comparison_from_plain(plain)
    trained = report.read_run(runs["train"]).record
    assert isinstance(trained, TrainingRecord)
    assert sum(map(sum, trained.confusion)) == trained.images
    assert trained.data == "stroke digits (synthetic)"


def test_numbers_that_are_no_numbers_come_back(tmp_path):
    lost = tuple(replace(r, test_loss=math.nan) for r in made_up(diverge=True).results)
    report.write_comparison(replace(made_up(), results=lost), tmp_path / "run")
    results = report.read_run(tmp_path / "run").record.results
    assert math.isnan(results[0].test_loss) and math.isinf(results[0].steps_to_90)


@pytest.mark.parametrize("error", [ZeroDivisionError("no axis"), KeyboardInterrupt(), MemoryError()])
def test_results_outlive_an_error_while_drawing(tmp_path, error):
    def draw():
        raise error

    written = {"more.txt": lambda path: path.write_text("more", encoding="utf-8")}
    folder = tmp_path / "run"
    with pytest.raises(report.NotDrawn, match=r"the results are in .*run, but not all figures") as caught:
        write_run(folder, made_up(), draw, written)
    assert caught.value.__cause__ is error
    assert type(error).__name__ in str(caught.value)
    assert {path.name for path in folder.iterdir()} == {"results.json", "more.txt"}
    # What it says helps: the figures are drawn anew.
    run = report.read_run(folder)
    assert run.record == made_up()
    assert len(run.figures) == 4
    assert len(list(folder.iterdir())) == 2


def test_the_page_too_may_fail(tmp_path, monkeypatch):
    monkeypatch.setattr("minidl.report.run_folder.run_page", lambda runs: 1 / 0)
    with pytest.raises(report.NotDrawn, match="ZeroDivisionError"):
        report.write_comparison(made_up(), tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"results.json", "figures.json", "curves.svg"} < names
    assert "report.html" not in names


def test_an_error_while_writing_results_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        write_run(tmp_path / "run", made_up(), dict, {"history.csv": lambda path: 1 / 0})
    assert list(tmp_path.iterdir()) == []


def test_a_trained_network_has_no_figures_without_those_in_its_folder(copy):
    (copy["train"] / "figures.json").unlink()
    assert report.read_run(copy["train"]).figures == ()
    (copy["lab"] / "figures.json").unlink()
    assert [drawn.data.name for drawn in report.read_run(copy["lab"]).figures] == ["figure1", "own-best"]


def damaged(text: str, **changes) -> str:
    plain = {**json.loads(text), **changes}
    return json.dumps({key: value for key, value in plain.items() if value is not ...})


@pytest.mark.parametrize(("kind", "damage", "message"), [
    ("lab", lambda text: text[:100], "not JSON, or cut off"),
    ("lab", lambda text: "[1, 2]", "neither of compare, nor of train, nor of lab"),
    ("lab", lambda text: '{"accuracy": 1}', "neither of compare, nor of train, nor of lab"),
    ("lab", lambda text: damaged(text, intervals=...), r"written by minidl .*KeyError: 'intervals'"),
    ("lab", lambda text: damaged(text, claim={"new": 1}, environment=...), "written by minidl unknown, and"),
    ("compare", lambda text: damaged(text, results=[1]), "written by minidl .*use the version that wrote it"),
    ("compare", lambda text: damaged(text, environment={"minidl": "9.0"}), r"minidl 9\.0, and this"),
    ("train", lambda text: damaged(text, more=1), "unexpected keyword argument 'more'"),
    ("train", lambda text: damaged(text, test=None), "written by minidl"),
])
def test_what_is_no_results_file_of_this_version_gets_one_sentence(copy, kind, damage, message):
    path = copy[kind] / "results.json"
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        report.read_run(copy[kind])
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", ["{", "{}", "[1]", '[{"name": "x"}]'])
def test_damaged_figures_get_one_sentence(copy, content):
    (copy["lab"] / "figures.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"figures\.json"):
        report.read_run(copy["lab"])


@pytest.mark.parametrize(("file", "where", "value"), [
    ("figures.json", (0, "title"), []),
    ("figures.json", (0, "panels", 0, "xlabel"), 1.0),
    ("figures.json", (0, "panels", 0, "series", 0, "x"), [[]]),
    ("results.json", ("records", 0, "job", "seed"), "0"),
    ("results.json", ("verdict",), 1.0),
    ("results.json", ("seconds",), []),
    ("results.json", ("claim", "contrasts", 0, "smallest"), 10**400),
])
def test_what_is_of_another_kind_gets_one_sentence(copy, file, where, value):
    path = copy["lab"] / file
    whole = inner = json.loads(path.read_text(encoding="utf-8"))
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(ValueError, match=r"use the version that wrote|expected the figures of a run"):
        report.run_page([report.read_run(copy["lab"])])


def test_a_figure_that_is_gone_or_another_file_gets_one_sentence(copy):
    (copy["lab"] / "own-best.svg").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="expected the figures of a run, got UnicodeDecodeError"):
        report.read_run(copy["lab"])
    (copy["lab"] / "own-best.svg").unlink()
    with pytest.raises(ValueError, match="expected the figures of a run, got FileNotFoundError"):
        report.read_run(copy["lab"])


def test_folders_that_hold_no_run(tmp_path):
    with pytest.raises(ValueError, match="expected the folder of a run, got nothing by that name"):
        report.read_run(tmp_path / "none")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="expected the folder of a run, got a file"):
        report.read_run(tmp_path / "file")
    with pytest.raises(ValueError, match=r"no results\.json in it: name a folder"):
        report.read_run(tmp_path)


def test_a_folder_of_runs_stands_for_them(runs):
    above = runs["lab"].parent
    assert report.run_folders(above) == [runs[kind] for kind in ("compare", "lab", "train")]
    assert report.run_folders(runs["lab"]) == [runs["lab"]]
    assert report.run_folders(above / "none") == [above / "none"]


def test_a_page_is_no_larger_than_it_must_be(runs):
    for folder in runs.values():
        assert (folder / "report.html").stat().st_size < 1_000_000


def test_a_lab_record_survives_the_round(tmp_path):
    result = tiny("gamma-beta")
    report.lab.write_lab(result, tmp_path / "run")
    assert report.read_run(tmp_path / "run").record == result
