"""Measuring: a process for each peer, rounds in which they take turns, medians and ratios of the times."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.sides import Setting, Side, clean_environment
from tests.benchmarks.workloads import Network

ROOT = Path(__file__).parents[2]
CORES = 2
# Idle threads of OpenMP and OpenBLAS spin for some milliseconds before they sleep: not while another runs.
PAUSE = 0.05


@dataclass(frozen=True)
class Plan:
    """How long to measure.

    Attributes:
        rounds: turns of each side.
        seconds: that a turn lasts, about.
        tuning_rounds: turns for the choice between a side's settings.
        fresh: fresh processes for what is measured once a process.

    """

    rounds: int = 15
    seconds: float = 0.3
    tuning_rounds: int = 3
    fresh: int = 5


SMOKE = Plan(rounds=1, seconds=0.0, tuning_rounds=0, fresh=1)


@dataclass(frozen=True)
class Times:
    """Seconds a step, one number for each round, and the setting in which they were measured."""

    seconds: tuple[float, ...]
    setting: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles."""
        return quartiles(self.seconds)


@dataclass(frozen=True)
class Ratio:
    """How many times as long the first took as the second: the ratio of the medians.

    Attributes:
        value: median of the one over median of the other.
        low: lower quartile of the ratios of single rounds; in a round both meet the same conditions.
        high: the upper quartile.

    """

    value: float
    low: float
    high: float


def ratio(numerator: Times, denominator: Times) -> Ratio:
    pairs = [a / b for a, b in zip(numerator.seconds, denominator.seconds, strict=True)]
    return Ratio(numerator.median / denominator.median, *quartiles(pairs))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def two_cores() -> list[int] | None:
    """The cores that this process may use, at most two; None where the system can't tell."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return sorted(os.sched_getaffinity(0))[:CORES]


class Worker:
    """The process of one side. Use it with `with`."""

    def __init__(self, side: Side, cores: int | None = None) -> None:
        self.side = side
        command = [sys.executable, "-m", "tests.benchmarks.worker", side.module]
        own = two_cores()
        if own is not None:
            command += [str(core) for core in own[:cores]]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env={**clean_environment(), **side.environment}, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Worker:
        try:
            self.version = str(self._answer()["version"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.terminate()   # it has nothing to tidy up, and the libraries take long to leave
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def order(self, do: str, **details: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **details}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.side.label} ended unasked (exit code {self._process.wait()})")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self.side.label}: {answer['error']}")
        return answer


class Job:
    """One piece of work in one setting, set up in a worker's process."""

    def __init__(self, worker: Worker, setting: Setting, work: str, network: Network) -> None:
        self.worker, self.side, self.setting = worker, worker.side, setting
        self.steps = 1
        worker.order("setup", job=setting.name, work=work, network=asdict(network), options=setting.options)

    def run(self, steps: int) -> float:
        return float(self.worker.order("run", job=self.setting.name, steps=steps)["seconds"])

    def warm_up(self, seconds: float) -> None:
        """Run until nothing is new any more, and find the number of steps that take about `seconds`."""
        self.run(2)
        steps, taken = 1, self.run(1)
        while taken < min(seconds / 4, 0.1):
            steps *= 2
            taken = self.run(steps)
        self.steps = max(1, round(seconds * steps / taken))

    def turn(self) -> float:
        """Seconds a step, after some steps that bring code and data back into the caches."""
        self.run(max(1, self.steps // 10))
        return self.run(self.steps) / self.steps


@contextmanager
def jobs(chosen: Sequence[tuple[Side, Setting]], work: str, network: Network) -> Iterator[list[Job]]:
    """The same work for each side and setting; a process for each side and number of cores."""
    with ExitStack() as stack:
        started: dict[tuple[str, int | None], Worker] = {}
        for side, setting in chosen:        # they import side by side
            if (side.key, setting.cores) not in started:
                started[side.key, setting.cores] = Worker(side, setting.cores)
        for worker in started.values():
            stack.enter_context(worker)
        yield [Job(started[side.key, setting.cores], setting, work, network) for side, setting in chosen]


def take_turns(team: Sequence[Job], rounds: int, seconds: float) -> list[list[float]]:
    """Rounds A B C, B C A, C A B, ...: nobody always comes first, and drift meets all alike."""
    for job in team:
        job.warm_up(seconds)
    times: list[list[float]] = [[] for _ in team]
    for r in range(rounds):
        for i in range(len(team)):
            n = (r + i) % len(team)
            time.sleep(PAUSE if seconds else 0)
            times[n].append(team[n].turn())
    return times


def choose(sides: Sequence[Side], work: str, network: Network, plan: Plan) -> list[tuple[Side, Setting]]:
    """The fastest setting of each side on this work, from a few turns in processes that end with them."""
    candidates = [(side, setting) for side in sides for setting in side.settings(work)]
    last = {side.key: setting for side, setting in candidates}
    if not plan.tuning_rounds:
        return [(side, last[side.key]) for side in sides]
    open_choices = [(side, s) for side, s in candidates if len(side.settings(work)) > 1]
    with jobs(open_choices, work, network) as team:
        times = take_turns(team, plan.tuning_rounds, plan.seconds / 2)
    medians = {(job.side.key, job.setting): statistics.median(t) for job, t in zip(team, times, strict=True)}
    return [
        (side, min(side.settings(work), key=lambda s, key=side.key: medians.get((key, s), 0.0)))
        for side in sides
    ]


def measure(sides: Sequence[Side], work: str, network: Network, plan: Plan) -> dict[str, Times]:
    """The times of each side on one work, by key: rounds interleaved, each side in its fastest setting."""
    chosen = choose(sides, work, network, plan)
    with jobs(chosen, work, network) as team:
        times = take_turns(team, plan.rounds, plan.seconds)
    return {
        job.side.key: Times(tuple(seconds), job.setting.name)
        for job, seconds in zip(team, times, strict=True)
    }


def state_after(side: Side, work: str, network: Network, steps: int, path: Path) -> Mapping[str, Any]:
    """Parameters, statistics and loss (or logits) after so many steps, from a process of its own."""
    import numpy as np

    setting = side.settings(work)[0]
    with jobs([(side, setting)], work, network) as (job,):
        job.run(steps)
        job.worker.order("state", job=setting.name, path=str(path))
    with np.load(path) as stored:
        return dict(stored)


def peak_memory(side: Side, work: str, network: Network, steps: int) -> float | None:
    """Peak MiB above the bare import, in a fresh process."""
    with jobs([(side, side.settings(work)[-1])], work, network) as (job,):
        job.run(steps)
        found = job.worker.order("memory")
    return None if found["peak"] is None else found["peak"] - found["bare"]
