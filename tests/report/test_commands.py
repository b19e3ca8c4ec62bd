"""The command that repeats a run: what it says is what the command line makes of it."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from minidl import cli
from minidl.cli import train
from minidl.experiments import RECIPES, RunConfig, environment, grid
from minidl.experiments.lab import scale_of
from minidl.report.commands import command_of_comparison, command_of_lab, command_of_training
from tests.experiments.conftest import bars
from tests.experiments.lab.test_runs import tiny
from tests.report.test_comparison import made_up

FAR_ENOUGH = "far enough"


def given(monkeypatch, where, line):
    """The arguments with which a command line reaches the function `where`."""
    asked = []

    def stop(*arguments, **more):
        asked.extend(arguments)
        raise ValueError(FAR_ENOUGH)

    monkeypatch.setattr(where, stop)
    words = shlex.split(line)
    assert words[0] == "minidl"
    assert cli.main(words[1:]) == 2
    return asked


@pytest.mark.parametrize(("base", "rates", "seeds"), [
    (RunConfig(steps=300), [0.5, 2.0], 2),
    (RunConfig("cnn", "fashion-mnist", activation="relu", placement="after", batch_size=7), [1 / 3], 1),
])
def test_a_comparison(monkeypatch, tmp_path, base, rates, seeds):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minidl.cli.compare.find_data", lambda name: (name, bars(20, 0)))
    monkeypatch.setattr("minidl.cli.compare.set_threads", lambda threads: None)
    configs = grid(base, rates, seeds)
    results = tuple(replace(made_up().results[0], config=config) for config in configs)
    line = command_of_comparison(replace(made_up(), results=results))
    assert given(monkeypatch, "minidl.experiments.estimate_seconds", line + " --workers 1")[0] == configs


def test_runs_that_no_command_does():
    some = replace(made_up(), results=made_up().results[1:])
    assert command_of_comparison(some) == ""
    fast = tuple(replace(r, config=replace(r.config, momentum=0.9)) for r in made_up().results)
    assert command_of_comparison(replace(made_up(), results=fast)) == ""
    assert command_of_training(RunConfig()) == ""
    odd = replace(tiny("figure1"), scale=replace(scale_of("quick"), image=20))
    assert command_of_lab(odd) == ""
    assert command_of_lab(replace(tiny("figure1"), records=())) == ""
    assert environment() == environment()


@pytest.mark.parametrize("config", [
    replace(RECIPES["mlp"], data="bars", steps=60, seed=3, lr=0.123456789, init="N(0, 0.1^2)"),
    replace(RECIPES["cnn"], data="bars", steps=1, batch_norm=False, placement="after", batch_size=30),
])
def test_a_trained_network(monkeypatch, tmp_path, config):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "find_data", lambda name: (name, bars(20, 0)))
    monkeypatch.setattr("minidl.set_threads", lambda threads: None)
    line = command_of_training(config)
    assert given(monkeypatch, "minidl.experiments.train_network", line)[0] == config


@pytest.mark.parametrize(("scale", "options"), [
    (scale_of("default"), ""), (scale_of("quick"), " --quick"), (scale_of("full", 5), " --full --seeds 5"),
])
def test_an_experiment(scale, options):
    result = replace(tiny("figure1"), scale=scale)
    assert command_of_lab(result) == f"minidl lab figure1{options} --data stroke-digits"
    first = result.records[0]
    grey = replace(first, job=replace(first.job, settings={**first.job.settings, "grey": True}))
    assert command_of_lab(replace(result, records=(grey,))).endswith(" --data stroke-digits --grey")
