"""`minidl compare` in this process, on a small data set: what it prints and writes, and what stops it."""

import json
from importlib import import_module

import pytest

from minidl.cli import compare, main
from minidl.cli.options import find_data
from tests.experiments.conftest import bars, run_module

compare_module = import_module("minidl.experiments.compare")  # the attribute of that name is the function


@pytest.fixture
def small(monkeypatch):
    sets = bars(1000, 0), bars(200, 1), bars(200, 2)
    monkeypatch.setattr("minidl.cli.compare.find_data", lambda name: ("bars", sets[0]))
    monkeypatch.setattr(run_module, "split", lambda name: sets)


@pytest.fixture
def threads(monkeypatch):
    """The numbers of threads that the command asked for."""
    asked = []
    monkeypatch.setattr("minidl.cli.compare.set_threads", asked.append)
    return asked


def test_one_worker_trains_in_this_process_with_all_its_threads(small, threads, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--lr", "0.5", "0.5", "--seeds", "1", "--steps", "12", "--workers", "1", "--out", str(out)]
    assert main(["compare", *arguments]) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    assert "MLP, sigmoid, on bars (synthetic): 3 runs of 12 steps, 1 worker(s)" in text, "each rate once"
    assert threads == []
    plain = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [r["config"]["lr"] for r in plain["results"]] == [0.5] * 3
    named = [line.strip() for line in text.splitlines() if line.startswith("  ")]
    assert named == sorted(map(str, out.iterdir()))
    assert "Test accuracy: median over the seeds" in text


def test_several_workers_have_one_thread_each_and_so_has_the_estimate(small, threads, tmp_path, monkeypatch):
    monkeypatch.setattr("minidl.experiments.worker_processes", lambda workers: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["compare", "--workers", "3", "--steps", "1", "--seeds", "1", "--out", str(tmp_path / "out")])
    assert threads == [1]


def test_the_cnn_has_its_own_defaults(monkeypatch, threads, tmp_path):
    asked = []

    def estimate(configs, workers, executor):
        asked.extend(configs)
        raise ValueError("far enough")

    monkeypatch.setattr("minidl.cli.compare.find_data", lambda name: ("bars", bars(20, 0)))
    monkeypatch.setattr("minidl.experiments.estimate_seconds", estimate)
    assert main(["compare", "--model", "cnn", "--out", str(tmp_path / "out")]) == 2
    assert {c.lr for c in asked} == set(compare.RATES["cnn"])
    assert {c.seed for c in asked} == set(range(compare.SEEDS["cnn"]))
    assert {(c.model, c.activation, c.steps) for c in asked} == {("cnn", "relu", compare.STEPS["cnn"])}


def test_an_interrupted_comparison_leaves_nothing(small, threads, tmp_path, monkeypatch, capsys):
    def interrupted(config):
        raise KeyboardInterrupt

    monkeypatch.setattr(compare_module, "run", interrupted)
    arguments = ["--steps", "2", "--seeds", "1", "--workers", "1", "--out", str(tmp_path / "out")]
    assert main(["compare", *arguments]) == 130
    assert capsys.readouterr().err.endswith("minidl compare: interrupted, nothing was written\n")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_comparison_keeps_the_runs_that_are_done(
    small, threads, tmp_path, monkeypatch, capsys
):
    real, done = compare_module.run, []

    def second_time_interrupted(config):
        if done:
            raise KeyboardInterrupt
        done.append(config)
        return real(config)

    monkeypatch.setattr(compare_module, "run", second_time_interrupted)
    out = tmp_path / "out"
    arguments = ["--lr", "0.5", "--steps", "12", "--seeds", "2", "--workers", "1", "--out", str(out)]
    assert main(["compare", *arguments]) == 130
    text, errors = capsys.readouterr()
    assert "interrupted after 1 of 6 runs on bars (synthetic) in" in text
    assert text.count("plain, N(0, 0.1^2)") == 1 and "BN" not in text
    assert errors.startswith("run 1 of 6: plain, N(0, 0.1^2), lr 0.5, seed 0: ") and errors.count("\n") == 1
    plain = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert plain["interrupted"] is True and len(plain["results"]) == 1


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.6, "1 s"), (99.4, "99 s"), (100.0, "2 minutes"), (7200, "120 minutes")]
)
def test_the_estimate_is_in_seconds_or_minutes(seconds, words):
    assert compare._duration(seconds) == words


def test_real_mnist_needs_no_notice(monkeypatch, capsys):
    train = bars(10, 0)
    monkeypatch.setattr("minidl.cli.options.mnist_or_stroke_digits", lambda: (train, None, None))
    assert find_data(None) == ("bars", train)
    assert capsys.readouterr() == ("", "")


def test_data_that_was_named_is_loaded_by_its_name(monkeypatch):
    train = bars(10, 0)
    monkeypatch.setattr("minidl.cli.options.load", {"chosen": (train, None)}.get)
    assert find_data("chosen") == ("bars", train)
