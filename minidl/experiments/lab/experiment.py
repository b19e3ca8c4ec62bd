"""Running an experiment: its choices first, then the runs that are reported, then what they say."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

import numpy as np

from minidl.experiments.environment import Environment, environment
from minidl.experiments.lab.choice import SCORE
from minidl.experiments.lab.claims import Claim, claims
from minidl.experiments.lab.jobs import Job, Record, Result, module_of, run_jobs
from minidl.experiments.lab.networks import Network
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.statistics import MISSED, SUPPORTED, Interval, paired_interval, verdict
from minidl.experiments.lab.training import data_of

CAP = 10.0         # of a log2 ratio
PREVIEW = "preview: no verdict"
PAPER_ONLY = "holds for the paper's initialisation only"
NOT_PAPER = "but not against the paper's initialisation"


@dataclass(frozen=True)
class Analysis:
    """What the records of an experiment say.

    Attributes:
        contrasts: for each contrast of the claim the differences, one a seed; positive speaks for the claim.
        against_paper: the same against the arm plain-paper, where there is one; it doesn't decide.
        numbers: the figures of the paragraph: name -> (value, unit).
        notes: what a reader must know: choices at an edge, lost runs, levels that were never reached.

    """

    contrasts: dict[str, list[float]]
    against_paper: dict[str, list[float]] = field(default_factory=dict)
    numbers: dict[str, tuple[float, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class ExperimentModule(Protocol):
    """What a module of an experiment has; the functions are plain, and know nothing of processes."""

    def choices(self, scale: Scale, data: str) -> list[Job]:
        """Runs on which rates and scales are chosen; none where nothing is."""

    def further_choices(self, records: Sequence[Record]) -> list[Job]:
        """Runs beyond the grid, where the best value lies at its edge."""

    def reports(self, scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
        """The runs that are reported, given the records of the choice."""

    def network(self, job: Job) -> Network:
        """What a job trains."""

    def run(self, job: Job) -> Result:
        """One run: numbers, and series."""

    def analyse(self, records: Sequence[Record]) -> Analysis:
        """What the records say."""


@dataclass(frozen=True)
class LabResult:
    """The record of an experiment.

    Attributes:
        claim: what was tested.
        scale: how large it was run.
        data: the data set, for people.
        records: of the choice and of the report.
        analysis: what they say.
        intervals: of each contrast.
        verdict: "supported", "not supported", "mixed", "inconclusive", or that a preview has none.
        remark: what holds against the paper's initialisation only; else empty.
        environment: machine and versions.
        seconds: how long it all took.

    """

    claim: Claim
    scale: Scale
    data: str
    records: tuple[Record, ...]
    analysis: Analysis
    intervals: dict[str, Interval]
    verdict: str
    remark: str
    environment: Environment
    seconds: float


class NotConcluded(RuntimeError):
    """Runs whose analysis failed; they are kept in `records`."""

    def __init__(self, name: str, records: Sequence[Record], error: Exception) -> None:
        super().__init__(f"{name}: its runs couldn't be judged ({type(error).__name__}: {error})")
        self.records = tuple(records)


def experiments() -> list[str]:
    """The names of all experiments, in the order of the claims: each claim has one."""
    return list(claims())


def run_experiment(
    name: str,
    scale: Scale,
    data: str = "mnist",
    executor: Executor | None = None,
    on_record: Callable[[Record], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> LabResult:
    """Run an experiment from its choices to its verdict.

    Args:
        name: one of `experiments()`.
        scale: how large.
        data: name of the data set.
        executor: as `worker_processes` gives; None runs it here.
        on_record: called with each record as it comes.
        settings: further ones of every job, such as {"grey": True} of figure1.

    Raises:
        ValueError: an unknown experiment.
        DatasetUnavailable: data that can be neither found nor fetched.
        NotConcluded: the runs came to an end, and what they say couldn't be worked out.

    """
    if name not in experiments():
        raise ValueError(f"lab expects one of {', '.join(experiments())}, got {name!r}")
    begin = time.perf_counter()
    module = cast(ExperimentModule, module_of(name))

    def run_all(jobs: Sequence[Job]) -> list[Record]:
        jobs = [replace(job, settings={**job.settings, **(settings or {})}) for job in jobs]
        return run_jobs(jobs, executor, on_record)

    choice = run_all(module.choices(scale, data))
    if choice:
        choice += run_all(module.further_choices(choice))
    records = choice + run_all(module.reports(scale, data, choice))
    title, seconds = data_of(data).title, time.perf_counter() - begin
    try:
        return concluded(name, scale, title, records, environment(), seconds)
    except Exception as error:      # whatever it is, hours of runs mustn't go with it
        raise NotConcluded(name, records, error) from error


def concluded(
    name: str, scale: Scale, data: str, records: Sequence[Record], where: Environment, seconds: float
) -> LabResult:
    """The record of an experiment from that of its runs: what they say, and the verdict."""
    claim, analysis = claims()[name], cast(ExperimentModule, module_of(name)).analyse(records)
    intervals, found, remark = judge(claim, analysis, scale)
    return LabResult(
        claim, scale, data, tuple(records), analysis, intervals, found, remark, where, seconds
    )


def judge(claim: Claim, analysis: Analysis, scale: Scale) -> tuple[dict[str, Interval], str, str]:
    """The intervals of a claim's contrasts, the verdict, and what holds for the paper's weights only."""
    intervals = {name: paired_interval(d) for name, d in analysis.contrasts.items()}
    if scale.is_preview:
        return intervals, PREVIEW, ""
    found = verdict(intervals, claim.smallest)
    if not analysis.against_paper:
        return intervals, found, ""
    if found == SUPPORTED:
        paper = analysis.against_paper.items()
        missed = any(paired_interval(d).against(claim.smallest[name]) == MISSED for name, d in paper)
        return intervals, found, NOT_PAPER if missed else ""
    decisive = {**analysis.contrasts, **analysis.against_paper}
    beside = verdict({name: paired_interval(d) for name, d in decisive.items()}, claim.smallest)
    return intervals, found, PAPER_ONLY if beside == SUPPORTED else ""


def planned(name: str, scale: Scale, data: str = "mnist") -> list[Job]:
    """All jobs that an experiment would run, with whatever comes first in place of what is chosen."""
    module = cast(ExperimentModule, module_of(name))
    choice = module.choices(scale, data)
    imagined = [Record(job, {SCORE: 0.0}, {}, 0.0) for job in choice]
    return choice + module.reports(scale, data, imagined)


def log2_ratio(above: Any, below: Any) -> list[float]:
    """log2(above / below), seed by seed; infinite ones count as 10 or -10, lost ones as 0."""
    with np.errstate(all="ignore"):
        ratio = np.log2(np.asarray(above, np.float64) / np.asarray(below, np.float64))
    return [float(r) for r in np.clip(np.nan_to_num(ratio, nan=0.0, posinf=CAP, neginf=-CAP), -CAP, CAP)]
