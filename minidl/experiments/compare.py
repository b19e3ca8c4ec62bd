"""The main job: many runs, side by side, and what they say together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from minidl.experiments.config import RunConfig, arms
from minidl.experiments.environment import Environment, environment
from minidl.experiments.run import RunResult, run
from minidl.experiments.workers import results_of


@dataclass(frozen=True)
class Comparison:
    """The record of a comparison.

    Attributes:
        results: one a configuration, in the order of the configurations.
        environment: machine and versions.
        seconds: how long it all took.
        interrupted: whether Ctrl-C ended it before all configurations were run.

    """

    results: tuple[RunResult, ...]
    environment: Environment
    seconds: float
    interrupted: bool = False

    @property
    def arms(self) -> list[str]:
        """The arms, in order."""
        return list(dict.fromkeys(r.config.arm for r in self.results))

    @property
    def rates(self) -> list[float]:
        """The learning rates, in order."""
        return list(dict.fromkeys(r.config.lr for r in self.results))

    def runs(self, arm: str, lr: float) -> list[RunResult]:
        """The runs of an arm at a learning rate, one a seed."""
        return [r for r in self.results if r.config.arm == arm and r.config.lr == lr]


def grid(base: RunConfig, rates: Sequence[float], seeds: int) -> list[RunConfig]:
    """The configurations of a comparison: for each learning rate the three arms, each with the same seeds."""
    return [replace(arm, lr=lr, seed=seed) for lr in rates for arm in arms(base) for seed in range(seeds)]


def compare(
    configs: Sequence[RunConfig],
    executor: Executor | None = None,
    on_result: Callable[[RunResult], None] | None = None,
) -> Comparison:
    """Run all configurations, on an executor or one after the other here.

    Args:
        configs: at least one.
        executor: any `concurrent.futures.Executor`, such as `worker_processes` gives.
        on_result: called with each result as it comes, for a progress bar.

    Returns:
        All results; after Ctrl-C those of the runs that were done by then.

    Raises:
        ValueError: no configuration.
        RuntimeError: a worker process was killed.
        KeyboardInterrupt: Ctrl-C before any run was done.

    """
    if not configs:
        raise ValueError("compare expects at least one RunConfig, got none")
    begin = time.perf_counter()
    report = on_result or (lambda result: None)
    results: dict[int, RunResult] = {}
    try:
        for i, result in results_of(run, configs, executor):
            results[i] = result
            report(result)
    except KeyboardInterrupt:
        if not results:
            raise
    ordered = tuple(results[i] for i in sorted(results))
    interrupted = len(results) < len(configs)
    return Comparison(ordered, environment(), time.perf_counter() - begin, interrupted)
