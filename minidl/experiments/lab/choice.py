"""Choosing rates and scales: on validation images, on seeds that aren't reported, alike for every arm."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.experiments.lab.jobs import CHOICE, FIRST_CHOICE_SEED, Job, Record
from minidl.experiments.lab.scale import Scale

SCORE = "validation"    # the value of a record that is to be large


@dataclass(frozen=True)
class Chosen:
    """What was chosen for an arm.

    Attributes:
        settings: the best of the grid.
        score: mean over the seeds, in the unit of the score.
        at_edge: names of the settings whose best value was the least or the greatest of the grid.
        trials: number of runs.

    """

    settings: dict[str, Any]
    score: float
    at_edge: tuple[str, ...]
    trials: int


def choice_jobs(
    experiment: str, arm: str, grid: Mapping[str, Sequence[Any]], scale: Scale, **fixed: Any
) -> list[Job]:
    """A job for each point of the grid and each seed that chooses."""
    return [
        Job(experiment, arm, FIRST_CHOICE_SEED + i, CHOICE, {**fixed, **dict(zip(grid, values, strict=True))})
        for values in itertools.product(*grid.values())
        for i in range(scale.choice_seeds)
    ]


def chosen(records: Sequence[Record], arm: str, names: Sequence[str], **fixed: Any) -> Chosen:
    """The best point of an arm's grid by the mean score over its seeds; the first of equals.

    Args:
        records: of the choice.
        arm: whose.
        names: the settings that were varied; those with numbers are looked at for edges.
        fixed: settings that the records must have.

    Raises:
        ValueError: no record of that arm.

    """
    scores: dict[tuple[Any, ...], list[float]] = {}
    for r in records:
        settings = r.job.settings
        is_own = r.job.purpose == CHOICE and r.job.arm == arm
        if is_own and all(settings.get(k) == v for k, v in fixed.items()):
            scores.setdefault(tuple(settings[name] for name in names), []).append(r.values[SCORE])
    if not scores:
        raise ValueError(f"chosen expects records of a choice for {arm}, got none")
    best = max(scores, key=lambda values: float(np.mean(scores[values])))
    edges = []
    for name, value, tried in zip(names, best, zip(*scores, strict=True), strict=True):
        is_number = all(isinstance(v, int | float) for v in tried)
        if is_number and len(set(tried)) > 1 and value in (min(tried), max(tried)):
            edges.append(name)
    settings = dict(zip(names, best, strict=True))
    return Chosen(settings, float(np.mean(scores[best])), tuple(edges), sum(map(len, scores.values())))


def edge_notes(own: Chosen, where: str) -> list[str]:
    """What a reader must know of a choice at the edge of its grid, where a better one may lie beyond."""
    return [f"{where}: the best {name} of the choice lies at the edge of its grid" for name in own.at_edge]


def beyond(
    records: Sequence[Record], arm: str, name: str = "lr", factor: float = 2.0, **fixed: Any
) -> list[Job]:
    """Jobs one step beyond the grid, where the best value of a setting is at its edge."""
    own = [r.job for r in records if r.job.purpose == CHOICE and r.job.arm == arm]
    own = [job for job in own if all(job.settings.get(k) == v for k, v in fixed.items())]
    varied = [key for key in own[0].settings if len({repr(job.settings[key]) for job in own}) > 1]
    if name not in varied:
        return []
    best = chosen(records, arm, varied, **fixed)
    if name not in best.at_edge:
        return []
    tried = {job.settings[name] for job in own}
    value = best.settings[name]
    further = value * factor if value == max(tried) else value / factor
    settings = {**own[0].settings, **best.settings, name: further}
    return [Job(job.experiment, arm, job.seed, CHOICE, settings) for job in own if _same(job, best.settings)]


def _same(job: Job, settings: Mapping[str, Any]) -> bool:
    return all(job.settings[key] == value for key, value in settings.items())
