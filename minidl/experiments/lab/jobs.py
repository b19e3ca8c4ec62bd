"""Jobs and records: what is run of an experiment, in any process, and what comes back."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from minidl.experiments.workers import results_of

PLAIN_PAPER, PLAIN_TUNED, BN = "plain-paper", "plain-tuned", "BN"
CHOICE, REPORT = "choice", "report"
FIRST_CHOICE_SEED = 1_000   # seeds from here on choose; those below are reported


@dataclass(frozen=True)
class Job:
    """One run of an experiment: a network of one arm from one seed, as a rule.

    Attributes:
        experiment: its name.
        arm: what is compared.
        seed: draws the initial weights and orders the batches, alike in all arms.
        purpose: "choice" for runs on which something is chosen, "report" for those that are reported.
        settings: everything else, as plain numbers, strings and tuples.

    """

    experiment: str
    arm: str
    seed: int
    purpose: str = REPORT
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """What a job gave.

    Attributes:
        job: what was run.
        values: numbers by name.
        series: lists of numbers by name, such as a curve; nested lists where there are several axes.
        seconds: how long it took.

    """

    job: Job
    values: dict[str, float]
    series: dict[str, list[Any]]
    seconds: float


Result = tuple[dict[str, Any], dict[str, Any]]     # values and series, as NumPy gives them


def module_of(experiment: str) -> ModuleType:
    """The module of an experiment: minidl.experiments.lab.figure1, ..."""
    return importlib.import_module(f"minidl.experiments.lab.{experiment.replace('-', '_')}")


def run_job(job: Job) -> Record:
    """Run one job here; a network may overflow on the way, which its values then say."""
    begin = time.perf_counter()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        values, series = module_of(job.experiment).run(job)
    return Record(
        job,
        {name: float(value) for name, value in values.items()},
        {name: np.asarray(value).tolist() for name, value in series.items()},
        time.perf_counter() - begin,
    )


def run_jobs(
    jobs: Sequence[Job], executor: Executor | None = None, on_record: Callable[[Record], None] | None = None
) -> list[Record]:
    """Run all jobs, here or on an executor; the records come in the order of the jobs.

    Raises:
        RuntimeError: a worker process was killed.

    """
    report = on_record or (lambda record: None)
    found: dict[int, Record] = {}
    for i, record in results_of(run_job, jobs, executor):
        found[i] = record
        report(record)
    return [found[i] for i in range(len(jobs))]


def of_arm(records: Sequence[Record], arm: str, **settings: Any) -> list[Record]:
    """The reported records of an arm, with these settings, in the order of their seeds."""
    found = [
        r for r in records
        if r.job.arm == arm and r.job.purpose == REPORT
        and all(r.job.settings.get(key) == value for key, value in settings.items())
    ]
    return sorted(found, key=lambda r: r.job.seed)


def values_of(records: Sequence[Record], arm: str, name: str, **settings: Any) -> np.ndarray[Any, Any]:
    """One number of each seed of an arm: (seeds,)."""
    return np.array([r.values[name] for r in of_arm(records, arm, **settings)])
