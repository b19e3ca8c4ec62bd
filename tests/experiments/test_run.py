"""One run, and comparisons of several: what is measured, and that measuring changes nothing."""

import json
import math
import signal
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import numpy as np
import pytest

from minidl import experiments, ops, optim
from minidl.engine.tape import Tape
from minidl.experiments import RunConfig, compare, comparison_from_plain, grid, run, summarize, to_plain
from minidl.experiments.run import measuring_points
from minidl.report import comparison_table
from minidl.training import evaluate, fit
from tests.experiments.conftest import run_module

BN = RunConfig(batch_norm=True, lr=0.5, steps=60, data="bars")

pytestmark = pytest.mark.usefixtures("small_data")


def test_a_run_learns_and_records_itself():
    result = run(BN)
    assert result.outcome == "trained"
    assert result.test_accuracy > 0.95
    assert [m.step for m in result.measurements] == measuring_points(60)
    assert result.data == "bars (synthetic)"
    last = result.measurements[-1]
    assert [s.layer for s in last.saturation] == ["3", "6", "9"]
    low, middle, high = last.percentiles
    assert low < middle < high


def test_measuring_changes_nothing_in_the_training():
    result = run(BN)
    train, _, test = run_module.split("bars")
    model = experiments.build(BN)
    fit(
        model,
        train,
        optimizer=optim.SGD(model.parameters(), lr=0.5),
        batch_size=60,
        steps=60,
        seed=0,
        drop_last=True,
    )
    bare = evaluate(model, test, statistics="population", training_data=train)
    assert (bare.loss, bare.accuracy) == (result.test_loss, result.test_accuracy)


def test_a_diverging_run_is_counted_not_dropped():
    with np.errstate(all="ignore"):
        result = run(replace(BN, batch_norm=False, activation="relu", init="He", lr=1e30))
    assert result.outcome == "non-finite"
    assert result.steps_to_90 == math.inf
    (cell,) = summarize(compare([result.config]))
    assert cell.outcomes["non-finite"] == 1
    assert cell.to_90 == (math.inf,)


def test_the_same_seed_gives_the_same_record_on_any_executor():
    configs = grid(replace(BN, batch_norm=False, steps=20), [0.5], 2)
    seen = []
    alone = compare(configs, on_result=seen.append)
    with ThreadPoolExecutor(2) as pool:
        pooled = compare(configs, pool)
    assert len(seen) == len(configs)
    for a, b in zip(alone.results, pooled.results, strict=True):
        assert a.config == b.config
        assert a.measurements == b.measurements
        assert a.test_loss == b.test_loss


def test_a_killed_worker_is_an_error_with_advice():
    class Killed(Executor):
        def submit(self, function, /, *arguments, **keywords):
            future = Future()
            future.set_exception(BrokenProcessPool("a child process terminated abruptly"))
            return future

    with pytest.raises(RuntimeError, match=r"a worker process was killed, .*: use fewer workers"):
        compare([BN], Killed())


def test_an_interrupted_run_is_no_result(monkeypatch):
    """`fit` ends quietly at Ctrl-C; half a run must not be counted as a whole one."""

    def interrupt(self, state):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(run_module._Measure, "on_step", interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal
    try:
        with pytest.raises(KeyboardInterrupt):
            run(BN)
    finally:
        signal.signal(signal.SIGINT, before)


def test_percentiles_of_an_infinite_input_are_nan():
    with Tape() as tape:
        ops.sigmoid(np.array([[0.0], [np.inf]], np.float32))
    assert np.isnan(run_module._percentiles(tape, "sigmoid")).all()


def test_a_leaky_relu_has_percentiles_but_no_saturation():
    result = run(replace(BN, activation="leaky-relu", init="He", lr=0.05, steps=4))
    assert all(m.saturation == () for m in result.measurements)
    assert np.isfinite([m.percentiles for m in result.measurements]).all()
    (cell,) = summarize(compare([result.config]))
    assert math.isnan(cell.dead)


def test_comparison_survives_json():
    comparison = compare([BN, replace(BN, steps=5)])
    text = json.dumps(to_plain(comparison), allow_nan=False)
    assert comparison_from_plain(json.loads(text)) == comparison


def test_summary_takes_medians_that_treat_never_as_infinite():
    base = run(replace(BN, steps=5))
    runs = [
        replace(base, config=replace(BN, seed=i), steps_to_90=s, test_accuracy=a)
        for i, (s, a) in enumerate([(10.0, 0.9), (math.inf, 0.1), (30.0, 0.95)])
    ]
    comparison = experiments.Comparison(tuple(runs), experiments.environment(), 1.0)
    (cell,) = summarize(comparison)
    assert cell.accuracy == (0.9, 0.1, 0.95)
    assert cell.to_90 == (10.0, math.inf, 30.0)
    assert "30 (2 of 3)" in comparison_table([cell])
    (cell,) = summarize(replace(comparison, results=comparison.results[:2]))
    assert f"> {BN.steps:,} (1 of 2)" in comparison_table([cell])


def test_an_arm_that_wasnt_run_at_a_rate_has_no_row():
    base = run(replace(BN, steps=2))
    runs = [replace(base, config=replace(BN, lr=lr, batch_norm=bn)) for lr, bn in ((0.1, True), (0.5, False))]
    cells = summarize(experiments.Comparison(tuple(runs), experiments.environment(), 1.0))
    assert [(cell.arm[:2], cell.lr) for cell in cells] == [("BN", 0.1), ("pl", 0.5)]


def test_no_configuration_is_an_error():
    with pytest.raises(ValueError, match="at least one RunConfig"):
        compare([])
