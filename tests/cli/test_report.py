"""`minidl report`: one run, several, and what it refuses; commands that write a page by themselves."""

from __future__ import annotations

import pytest

from minidl import cli
from minidl.experiments import lab
from tests.experiments.lab.test_runs import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """As `lab all` leaves it: two experiments in one folder."""
    from minidl.report.lab import write_lab

    above = tmp_path_factory.mktemp("runs")
    for name in ("epsilon", "cnn"):
        write_lab(tiny(name), above / name)
    return above


def test_one_run(folder, tmp_path, capsys):
    page = tmp_path / "new" / "page.html"
    assert cli.main(["report", str(folder / "cnn"), "--out", str(page)]) == 0
    assert capsys.readouterr().out == f"1 run in {page}\n"
    assert page.read_text(encoding="utf-8") == (folder / "cnn" / "report.html").read_text(encoding="utf-8")


def test_a_run_s_page_is_written_into_its_folder(folder, capsys):
    page = folder / "epsilon" / "report.html"
    before = page.read_text(encoding="utf-8")
    page.unlink()
    assert cli.main(["report", str(folder / "epsilon")]) == 0
    assert page.read_text(encoding="utf-8") == before


def test_several_runs_and_the_folder_that_holds_them(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = [str(folder / "cnn"), str(folder / "epsilon")]
    assert cli.main(["report", *names, names[0]]) == 0
    assert capsys.readouterr().out == "2 runs in report.html\n"
    assert "<h1>2 runs of minidl</h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert cli.main(["report", str(folder), "--out", "all.html"]) == 0
    assert (tmp_path / "all.html").read_bytes() == (tmp_path / "report.html").read_bytes()


def test_what_it_refuses(folder, tmp_path, capsys):
    assert cli.main(["report", str(tmp_path / "none")]) == 2
    assert cli.main(["report", str(folder / "cnn"), "--out", str(tmp_path)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("minidl report: ") and "got nothing by that name" in first
    assert "expected the name of a file, got a folder" in second
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SystemExit):
        cli.main(["report"])


@pytest.fixture
def tiny_runs(monkeypatch):
    monkeypatch.setattr(lab, "run_experiment", lambda name, *_: tiny(name))
    monkeypatch.setattr(lab, "experiments", lambda: ["epsilon", "cnn"])


ALL = ["lab", "all", "--quick", "--workers", "1", "--data", "stroke-digits", "--out"]


def test_the_laboratory_names_its_pages(tiny_runs, tmp_path, capsys):
    out = tmp_path / "all"
    assert cli.main([*ALL, str(out)]) == 0
    printed = capsys.readouterr().out
    for name in ("epsilon", "cnn"):
        assert f"Open in a browser: {out / name / 'report.html'}\n" in printed
        assert (out / name / "report.html").is_file()
    assert printed.endswith(f"All of them on one page: minidl report {out}\n")


@pytest.mark.parametrize(("error", "code", "names"), [
    (ZeroDivisionError, 2, ["cnn", "epsilon"]), (KeyboardInterrupt, 130, ["epsilon"])
])
def test_a_figure_that_fails_costs_no_result(tiny_runs, tmp_path, monkeypatch, capsys, error, code, names):
    def fail(result):
        raise error

    monkeypatch.setattr("minidl.report.lab.epsilon.figures", fail)
    out = tmp_path / "all"
    assert cli.main([*ALL, str(out)]) == code
    assert sorted(path.name for path in out.iterdir()) == names
    assert {path.name for path in (out / "epsilon").iterdir()} == {"results.json", "verdict.txt"}
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith(f"minidl lab: the results are in {out / 'epsilon'}, but not all figures")
    assert error.__name__ in message
