"""What a comparison writes: every file, whole or not at all."""

import csv
import json
import re
from dataclasses import replace

import pytest

from minidl import report
from minidl.experiments import (
    Comparison,
    Measurement,
    RunConfig,
    RunResult,
    comparison_from_plain,
    environment,
    grid,
    summarize,
    to_plain,
)
from minidl.instruments import Saturation


def made_up(diverge: bool = False) -> Comparison:
    """Made-up numbers: two rates, three arms, two seeds; the plain runs at lr 8 diverge if asked."""
    results = []
    for config in grid(RunConfig(data="stroke-digits", steps=100), [0.5, 8.0], 2):
        gone = diverge and config.lr == 8 and not config.batch_norm
        points = tuple(
            Measurement(
                step,
                1.0,
                1.0,
                0.5 + step / 300,
                tuple(Saturation(str(i), 0.1, 0.2) for i in (3, 6, 9)),
                (-1.0 - step / 100, 0.0, 1.0 + config.seed),
            )
            for step in (10, 30, 100)
        )
        results.append(
            RunResult(
                config,
                "stroke digits (synthetic)",
                "non-finite" if gone else "unfinished",
                1.0,
                0.1 if gone else 0.83,
                float("inf"),
                float("inf"),
                () if gone else points,
                1.0,
            )
        )
    return Comparison(tuple(results), environment(), 3.0)


def test_writes_every_file(tmp_path):
    comparison = made_up(diverge=True)
    files = report.write_comparison(comparison, tmp_path / "out")
    names = {"curves", "learning-rates", "saturation", "percentiles"}
    expected = {f"{name}.{kind}" for name in names for kind in ("png", "svg")} | {
        "results.json",
        "figures.json",
        "report.html",
        "history.csv",
    }
    assert {file.name for file in files} == expected
    plain = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert comparison_from_plain(plain) == comparison
    with open(tmp_path / "out" / "history.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * sum(bool(r.measurements) for r in comparison.results)
    assert {row["data"] for row in rows} == {"stroke digits (synthetic)"}


@pytest.mark.parametrize("runs", [1, 3, 7])
def test_an_interrupted_comparison_is_drawn_as_far_as_it_came(runs):
    comparison = replace(made_up(), results=made_up().results[:runs], interrupted=True)
    for figure in report.comparison_figures(comparison).values():
        assert figure.get_suptitle().endswith("on stroke digits (synthetic), interrupted")
        figure.canvas.draw()
    assert comparison_from_plain(to_plain(comparison)) == comparison
    assert sum(sum(cell.outcomes.values()) for cell in summarize(comparison)) == runs


def test_every_figure_says_that_the_data_is_synthetic():
    for figure in report.comparison_figures(made_up()).values():
        assert "stroke digits (synthetic)" in figure.get_suptitle()


def test_without_sigmoids_there_is_no_figure_and_no_column_of_saturation():
    comparison = made_up()
    bare = tuple(
        replace(r, measurements=tuple(replace(m, saturation=()) for m in r.measurements))
        for r in comparison.results
    )
    comparison = replace(comparison, results=bare)
    assert set(report.comparison_figures(comparison)) == {"curves", "learning-rates", "percentiles"}
    cells = summarize(comparison)
    table = report.comparison_table(cells)
    assert "dead" not in table
    assert "dead" not in report.comparison_legend(cells)
    assert "dead" in report.comparison_legend(summarize(made_up()))


def test_runs_that_all_diverged_at_once_still_have_curves():
    comparison = made_up()
    gone = tuple(replace(r, measurements=(), outcome="non-finite") for r in comparison.results)
    figures = report.comparison_figures(replace(comparison, results=gone))
    assert set(figures) == {"curves", "learning-rates"}
    assert [ax.get_title() for ax in figures["curves"].axes] == ["learning rate 0.5", "learning rate 8"]


def test_three_rates_leave_no_empty_panel():
    comparison = made_up()
    runs = comparison.runs("BN, N(0, 0.1^2)", 0.5)
    more = tuple(replace(r, config=replace(r.config, lr=2.0)) for r in runs)
    figures = report.comparison_figures(replace(comparison, results=comparison.results + more))
    assert len(figures["curves"].axes) == 3


def test_the_table_leaves_a_line_between_learning_rates():
    lines = report.comparison_table(summarize(made_up())).splitlines()
    assert [line.split()[0] if line else "" for line in lines[2:]] == 3 * ["0.5"] + [""] + 3 * ["8"]
    assert "-" not in "".join(lines[2:]).replace("N(0, 0.1^2)", "")


def test_saturation_that_wasnt_measured_is_a_dash():
    first, *others = summarize(made_up())
    nan = float("nan")
    row = report.comparison_table([replace(first, dead=nan, deciding=nan), *others]).splitlines()[2]
    assert row.split()[-2:] == ["-", "-"]


def test_nothing_half_written_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("minidl.report.comparison.write_csv", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.write_comparison(made_up(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_empty_folder_is_used_and_a_full_one_refused(tmp_path):
    target = report.results_folder(str(tmp_path), "x")
    with report.written_whole(target) as folder:
        (folder / "a").write_text("1", encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    with pytest.raises(ValueError, match="new or empty folder"):
        report.results_folder(str(tmp_path), "x")
    with pytest.raises(ValueError, match="is a file"):
        report.results_folder(str(tmp_path / "a" / "b"), "x")


def test_a_folder_that_cant_be_written_is_refused_at_once(tmp_path, monkeypatch):
    def refused(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    with pytest.raises(OSError, match=r"can't write in .*Permission denied.*: choose another folder"):
        report.results_folder(str(tmp_path / "out"), "x")


def test_a_drive_that_isnt_there(monkeypatch):
    """As Z:\\results on Windows, where not even the root of the path exists."""
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)
    with pytest.raises(ValueError, match="no folder above it exists: choose another"):
        report.results_folder("Z:/results", "x")


def test_without_a_folder_given_it_is_a_new_one_in_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = report.results_folder(None, "compare-mlp")
    assert folder.parent.name == "runs"
    assert re.fullmatch(r"compare-mlp-\d{8}-\d{6}", folder.name)
    assert list(tmp_path.iterdir()) == []


def test_two_runs_never_share_a_folder(tmp_path):
    target = tmp_path / "out"
    refused = pytest.raises(FileExistsError, match="another run has written there")
    with refused, report.written_whole(target) as mine:
        (mine / "a").write_text("1", encoding="utf-8")
        with report.written_whole(target) as other:
            (other / "a").write_text("2", encoding="utf-8")
    assert (target / "a").read_text(encoding="utf-8") == "2"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
