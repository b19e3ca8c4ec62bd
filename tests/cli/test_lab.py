"""`minidl lab`: the list, an experiment in a folder, all of them, and what it refuses."""

from __future__ import annotations

import json

import pytest

from minidl import cli
from minidl.experiments import lab
from minidl.experiments.lab import experiment, gamma_beta
from minidl.experiments.lab.jobs import Record
from tests.experiments.lab.test_runs import tiny


@pytest.fixture
def tiny_runs(monkeypatch):
    """Experiments that are over at once."""
    asked = []

    def run(name, scale, data, executor, on_record, settings):
        asked.append((name, scale.name, scale.mlp_seeds, data))
        return tiny(name)

    monkeypatch.setattr(lab, "run_experiment", run)
    return asked


def test_the_list_has_an_estimate_and_a_claim_for_each(monkeypatch, capsys):
    monkeypatch.setattr(lab, "measure_speed", lambda: lambda job: 0.5)
    assert cli.main(["lab", "list", "--workers", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, line in zip(lab.experiments(), lines, strict=False):
        assert line.startswith(name)
        assert line.endswith(lab.claims()[name].claim)
        assert " min " in line or " s " in line
    assert lines[-1] == "Estimates for the default scale on this machine with 1 worker(s)."


def test_an_estimate_is_of_this_machine():
    speed = lab.measure_speed()
    jobs = lab.planned("figure1", lab.scale_of("quick"))
    assert 0 < lab.estimate(jobs, speed) < 3600
    assert lab.estimate(jobs + jobs, speed) == pytest.approx(2 * lab.estimate(jobs, speed))


def test_an_experiment_writes_its_folder(tiny_runs, tmp_path, capsys):
    out = tmp_path / "run"
    arguments = ["lab", "gamma-beta", "--quick", "--seeds", "3", "--workers", "1", "--data", "stroke-digits"]
    assert cli.main([*arguments, "--out", str(out)]) == 0
    assert tiny_runs == [("gamma-beta", "quick", 3, "stroke-digits")]
    assert {path.name for path in out.iterdir()} == {
        "results.json", "verdict.txt", "gamma-beta.png", "gamma-beta.svg", "figures.json", "report.html"
    }
    printed = capsys.readouterr().out
    assert "PREVIEW" in printed
    assert str(out / "results.json") in printed


def test_all_have_a_folder_each(tiny_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "experiments", lambda: ["epsilon", "cnn"])
    out = tmp_path / "all"
    arguments = ["lab", "all", "--full", "--workers", "1", "--data", "stroke-digits", "--out", str(out)]
    assert cli.main(arguments) == 0
    assert [(name, scale) for name, scale, *_ in tiny_runs] == [("epsilon", "full"), ("cnn", "full")]
    assert sorted(path.name for path in out.iterdir()) == ["cnn", "epsilon"]


def test_runs_that_cannot_be_judged_are_kept(tmp_path, capsys, monkeypatch):
    def run_jobs(jobs, executor, on_record):
        return [Record(job, {"validation": 1.0}, {}, 0.0) for job in jobs]

    def fail(records):
        raise ValueError("no difference")

    monkeypatch.setattr(experiment, "run_jobs", run_jobs)
    monkeypatch.setattr(gamma_beta, "analyse", fail)
    out = tmp_path / "run"
    arguments = ["lab", "gamma-beta", "--quick", "--workers", "1", "--data", "stroke-digits"]
    assert cli.main([*arguments, "--out", str(out)]) == 2
    kept = json.loads((out / "records.json").read_text(encoding="utf-8"))
    assert [record["job"]["experiment"] for record in kept] == ["gamma-beta"] * len(kept)
    assert len(kept) > 0
    said = capsys.readouterr().err
    assert "gamma-beta: its runs couldn't be judged (ValueError: no difference): they are kept in" in said


def test_an_interrupt_keeps_what_is_done(tiny_runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "experiments", lambda: ["epsilon", "cnn"])
    run = lab.run_experiment

    def interrupted(name, *arguments):
        if name == "cnn":
            raise KeyboardInterrupt
        return run(name, *arguments)

    monkeypatch.setattr(lab, "run_experiment", interrupted)
    out = tmp_path / "all"
    arguments = ["lab", "all", "--quick", "--workers", "1", "--data", "stroke-digits", "--out", str(out)]
    assert cli.main(arguments) == 130
    assert [path.name for path in out.iterdir()] == ["epsilon"]
    assert capsys.readouterr().err.endswith("interrupted after epsilon, which are written\n")
    monkeypatch.setattr(lab, "experiments", lambda: ["cnn"])
    assert cli.main([*arguments[:-1], str(tmp_path / "none")]) == 130
    assert capsys.readouterr().err.endswith("minidl lab: interrupted, nothing was written\n")


@pytest.mark.parametrize(("arguments", "message"), [
    (["figure2"], "minidl lab: expected one of figure1, "),
    (["figure1", "--seeds", "1"], "minidl lab: argument --seeds: expected a whole number from 2 to 1,000"),
    (["figure1", "--quick", "--full"], "minidl lab: argument --full: not allowed with argument --quick"),
])
def test_bad_input_is_one_sentence(arguments, message, capsys):
    try:
        code = cli.main(["lab", *arguments])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1
