"""The command works from end to end, with minidl alone."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import harness, phases, rows, sides
from tests.benchmarks.harness import SMOKE
from tests.benchmarks.workloads import MLP_BN


def test_it_measures_prints_and_writes(tmp_path, capsys):
    assert command.main(["--smoke", "--only", "tape mlp-100-bn", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "straight-line NumPy" in printed
    assert "NOT VALID" not in printed
    assert "SHORT" not in printed
    row, = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["rows"]
    assert row["target"] == 1.10
    assert row["figure"] > 0
    assert set(row["rounds"]) == {"minidl", "straight-line"}


def test_a_smoke_run_says_that_its_figures_are_none(capsys):
    assert command.main(["--smoke", "--only", "import"]) == 0
    assert "nothing about speed" in capsys.readouterr().out


def test_only_that_fits_no_row_names_the_rows(capsys):
    with pytest.raises(SystemExit):
        command.main(["--smoke", "--only", "training cnn"])
    assert "training lenet-6-16, inference" in capsys.readouterr().err


def test_a_peer_that_isn_t_installed_is_left_out_with_a_line(monkeypatch, capsys):
    monkeypatch.setattr(sides, "find_spec", lambda name: None if name == "jax" else object())
    found = command.installed(["torch", "jax"])
    assert [side.key for side in found] == ["torch"]
    line, = capsys.readouterr().out.splitlines()
    assert line.startswith("left out: jax isn't installed")


def test_without_peers_there_are_no_rows_to_compare():
    assert rows.memory("Training", MLP_BN, []) == []
    assert rows.speed("Inference", MLP_BN, [], SMOKE) == []


def test_every_row_of_the_target_table_is_there():
    names = [name for name, _ in rows.groups(SMOKE, list(sides.SIDES[2:]))]
    assert len(set(names)) == len(names) == 4 * 7 + 2 + 2
    for (work, key), targets in rows.SPEED.items():
        assert key in {side.key for side in sides.SIDES}
        assert {f"{work.lower()} {network}" for network in targets} <= set(names)


def test_work_that_isn_t_the_same_is_said_to_be_so(monkeypatch):
    state = harness.state_after

    def other(side, *arguments):
        found = dict(state(side, *arguments))
        if side is sides.STRAIGHT:
            found["0.weight"] = found["0.weight"] + 1e-6
        return found

    monkeypatch.setattr(harness, "state_after", other)
    row, = rows.tape(MLP_BN, SMOKE)
    assert row.reached is False
    assert "0.weight not bit-equal" in row.fault


def test_an_error_in_a_peer_s_process_is_told_here():
    setting = sides.MINIDL.training[0]
    with harness.Worker(sides.MINIDL, cores=1) as worker:
        with pytest.raises(RuntimeError, match="KeyError"):
            worker.order("run", job="nobody", steps=1)
        job = harness.Job(worker, setting, "Training", MLP_BN)
        assert job.run(1) > 0
        assert worker.order("memory")["peak"] is None or worker.order("memory")["peak"] > 10


def test_a_worker_that_dies_is_told(capfd):
    side = sides.Side("broken", "broken", "no_such_peer", "numpy", (sides.Setting(""),))
    with pytest.raises(RuntimeError, match="broken ended unasked"), harness.Worker(side):
        pass
    assert "no_such_peer" in capfd.readouterr().err


def test_the_phases_of_a_step_are_all_there():
    found = phases.phases(MLP_BN, rounds=1)
    parts = ("tape opened", "forward", "tape closed", "backward", "optimizer")
    assert [*found] == [*parts, "whole step", "straight-line code", "matrix products alone"]
    assert all(microseconds > 0 for microseconds in found.values())
