"""Medians, ratios, verdicts and the table, on made-up times."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks import charts, curves, harness, sides, table
from tests.benchmarks.harness import Plan, Ratio, Times
from tests.benchmarks.rows import Row
from tests.benchmarks.sides import Setting, Side
from tests.benchmarks.workloads import MLP_BN, NETWORKS, mlp, network_from


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_rounds():
    theirs, ours = Times((2.0, 4.0, 9.0, 4.0, 6.0)), Times((1.0, 2.0, 3.0, 4.0, 2.0))
    found = harness.ratio(theirs, ours)
    assert found.value == 4.0 / 2.0
    pairs = sorted([2.0, 2.0, 3.0, 1.0, 3.0])
    assert (found.low, found.high) == (pairs[1], pairs[3])


def test_one_round_has_no_spread():
    assert harness.quartiles([3.0]) == (3.0, 3.0)
    assert Times((3.0,)).median == 3.0


def test_rounds_that_weren_t_paired_have_no_ratio():
    with pytest.raises(ValueError, match="zip"):
        harness.ratio(Times((1.0, 2.0)), Times((1.0,)))


class Clock:
    """A job whose steps take a made-up time."""

    def __init__(self, name, step, log):
        self.name, self.step, self.log, self.steps = name, step, log, 1

    def run(self, steps):
        self.log.append(self.name)
        return steps * self.step

    warm_up, turn = harness.Job.warm_up, harness.Job.turn


def test_a_turn_is_seconds_a_step_and_lasts_as_long_as_planned():
    job = Clock("a", 0.001, [])
    job.warm_up(0.2)
    assert job.steps == 200
    assert job.turn() == pytest.approx(0.001)


def test_slow_steps_are_done_one_at_a_time():
    job = Clock("a", 5.0, [])
    job.warm_up(0.2)
    assert job.steps == 1


def test_sides_take_turns_and_each_comes_first_in_turn(monkeypatch):
    monkeypatch.setattr(harness, "PAUSE", 0)
    log = []
    team = [Clock("a", 1.0, log), Clock("b", 2.0, log), Clock("c", 4.0, log)]
    times = harness.take_turns(team, rounds=3, seconds=0.1)
    assert times == [[1.0] * 3, [2.0] * 3, [4.0] * 3]
    turns = log[6:]     # after the warm-up; each turn runs twice, the first time untimed
    assert "".join(turns[::2]) == "abcbcacab"


def test_the_fastest_setting_is_chosen(monkeypatch):
    slow, fast = Setting("slow"), Setting("fast")
    side = Side("x", "X", "m", "numpy", (slow, fast, slow))
    alone = Side("y", "Y", "m", "numpy", (slow,))

    class Jobs:
        def __init__(self, chosen, *_):
            self.team = [harness.Job.__new__(harness.Job) for _ in chosen]
            for job, (side, setting) in zip(self.team, chosen, strict=True):
                job.side, job.setting = side, setting

        def __enter__(self):
            return self.team

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(harness, "jobs", Jobs)
    monkeypatch.setattr(
        harness, "take_turns", lambda team, *_: [[9.0 if job.setting is slow else 1.0] for job in team]
    )
    assert harness.choose([side, alone], "Training", MLP_BN, Plan()) == [(side, fast), (alone, slow)]


@pytest.mark.parametrize(
    ("figure", "target", "at_least", "fault", "reached"),
    [
        (1.5, 1.5, True, "", True), (1.49, 1.5, True, "", False),
        (1.1, 1.1, False, "", True), (1.11, 1.1, False, "", False),
        (9.0, None, True, "", None), (1.0, 1.1, False, "not the same work", False),
    ],
)
def test_a_target_is_reached_or_not(figure, target, at_least, fault, reached):
    row = Row("w", "a", figure, target, at_least, fault=fault)
    assert row.reached is reached
    assert ("SHORT" in table.text([row])) is (reached is False)
    assert "SHORT" not in table.text([row], verdict=False)


def made_up():
    return [
        Row("training x", "PyTorch", 1.234, 1.5, True, low=1.2, high=1.3, ours="1 ms", theirs="1.23 ms",
            setting="2 threads, fused", allocator=Ratio(0.9, 0.8, 1.0)),
        Row("import minidl", "import numpy", 12.5, 40.0, False, unit="ms"),
    ]


def test_the_table_has_target_and_spread_beside_each_figure_and_is_ascii():
    lines = table.text(made_up()).splitlines()
    cells = [" ".join(line.split()) for line in lines]
    assert cells[2] == (
        "training x 1 ms PyTorch 1.23 ms 2 threads, fused 1.23x 1.20-1.30 >= 1.50 SHORT 0.90x"
    )
    assert cells[3] == "import minidl import numpy 12.5 ms <= 40.0 ok"
    assert table.text(made_up()).isascii()
    assert table.summary(made_up()).startswith("1 of 2 targets reached")


def test_results_can_be_written_and_read_again(tmp_path):
    table.write(tmp_path / "new" / "results.json", table.as_json(made_up(), table.machine()))
    read = json.loads((tmp_path / "new" / "results.json").read_text(encoding="utf-8"))
    assert [row["reached"] for row in read["rows"]] == [False, True]


def made_up_curves():
    def curve(ours, theirs):
        points = [
            [{"median": t, "low": t, "high": 2 * t, "setting": ""} for t in times] for times in (ours, theirs)
        ]
        series = {
            key: {"label": key, "points": p} for key, p in zip(("minidl", "torch"), points, strict=True)
        }
        return {"label": "units", "about": "made up", "values": [8, 16], "series": series}

    tape = {"records": [10, 100], "seconds": [1e-4, 1e-3], "start": 0.0, "per_record": 1e-5, "deviation": 0.0}
    names = [axis.name for axis in curves.AXES]
    found = {name: curve([1.0, 2.0], [3.0, 4.0]) for name in names}
    found["depth"] = curve([1.0, 2.0], [3.0, 1.0])
    return {"curves": found, "tape": tape}


def test_the_lowest_ratio_is_named():
    assert curves.lowest(made_up_curves()) == (0.5, "depth", 16)
    assert "0.50x at depth 16" in curves.text(made_up_curves())
    assert curves.lowest({"curves": {}}) is None


def test_a_line_is_fitted_to_relative_deviations():
    start, slope = curves.fit_line([1, 10, 100], [5.0, 23.0, 203.0])
    assert (start, slope) == pytest.approx((3.0, 2.0))


def test_charts_are_drawn(tmp_path):
    result = table.as_json(made_up(), {}) | made_up_curves()
    written = charts.draw_all(result, tmp_path)
    names = ["ratios", "curves", "tape"]
    assert [path.name for path in written] == [f"{name}.{kind}" for name in names for kind in ("png", "svg")]
    assert all(path.stat().st_size > 5_000 for path in written)
    assert charts.draw_all(table.as_json(made_up()[1:], {}), tmp_path) == []


def test_a_network_survives_json():
    from dataclasses import asdict

    for network in NETWORKS:
        assert network_from(json.loads(json.dumps(asdict(network)))) == network
    assert len({network.name for network in NETWORKS}) == len(NETWORKS)
    assert mlp("x", (5,), 2, batch_norm=False).layers == (
        ("dense", 784, 5, True), ("sigmoid",), ("dense", 5, 10, True)
    )


def test_a_peer_doesn_t_see_the_shell_s_settings(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    monkeypatch.setenv("UNRELATED", "1")
    found = sides.clean_environment()
    assert "OMP_NUM_THREADS" not in found
    assert "MALLOC_ARENA_MAX" not in found
    assert found["UNRELATED"] == "1"
