"""The three arms of a claim about training, each with its best learning rate and initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.engine.array import Array
from minidl.experiments.config import PAPER
from minidl.experiments.lab.choice import SCORE, Chosen, beyond, choice_jobs, chosen, edge_notes
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, REPORT, Job, Record, Result
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import Data, Trained, accuracy, points
from minidl.layers import Sequential

ARMS = (PLAIN_PAPER, PLAIN_TUNED, BN)
NOISY = "noisy BN"  # beside them where the question is what stable distributions are good for
WITH_NOISY = (*ARMS, NOISY)
INITS = {
    "sigmoid": (PAPER, "Glorot", "Glorot x 4"),
    "tanh": (PAPER, "Glorot", "He"),
    "relu": (PAPER, "Glorot", "He"),
}
VARIED = ("lr", "init")
CLOSE = 0.1         # points; five images of the validation set
STUCK = 20.0        # per cent; see `experiments.outcome`


def choices_of_arms(
    experiment: str,
    scale: Scale,
    rates: Sequence[float],
    inits: Sequence[str] = INITS["sigmoid"],
    arms: Sequence[str] = ARMS,
    **fixed: Any,
) -> list[Job]:
    """The same rates for every arm, and the same initial weights, but for the arm that is the paper's."""
    jobs = []
    for arm in arms:
        grid = {"lr": rates, "init": (PAPER,) if arm == PLAIN_PAPER else inits}
        jobs += choice_jobs(experiment, arm, grid, scale, **fixed)
    return jobs


def further_of_arms(records: Sequence[Record], arms: Sequence[str] = ARMS, **fixed: Any) -> list[Job]:
    """One step beyond the rates for each arm whose best one lies at the edge."""
    return [job for arm in arms for job in beyond(records, arm, **fixed)]


def best(records: Sequence[Record], arm: str, **fixed: Any) -> Chosen:
    """The learning rate and initial weights that were chosen for an arm."""
    return chosen(records, arm, VARIED, **fixed)


def reports_of(
    experiment: str, arm: str, seeds: int, chosen_settings: dict[str, Any], **fixed: Any
) -> list[Job]:
    """One reported run a seed, with what was chosen."""
    return [Job(experiment, arm, seed, REPORT, {**fixed, **chosen_settings}) for seed in range(seeds)]


def reports_of_arms(
    experiment: str, seeds: int, records: Sequence[Record], arms: Sequence[str] = ARMS, **fixed: Any
) -> list[Job]:
    """The reported runs of each arm, with what was chosen for it."""
    return [
        job for arm in arms
        for job in reports_of(experiment, arm, seeds, best(records, arm).settings, **fixed)
    ]


def score(model: Sequential, data: Data, trained: Trained) -> Result:
    """What a run of the choice returns: accuracy on the validation images."""
    return {SCORE: points(accuracy(model, data.validation, data.train), trained.finite)}, {}


def choice_notes(records: Sequence[Record], arms: Sequence[str] = ARMS, **fixed: Any) -> list[str]:
    """What a reader must know of the choice: best values at the edge of a grid, arms that came out alike."""
    where = "".join(f", {key} {value}" for key, value in fixed.items())
    notes = [note for arm in arms for note in edge_notes(best(records, arm, **fixed), f"{arm}{where}")]
    if best(records, PLAIN_TUNED, **fixed).settings == best(records, PLAIN_PAPER, **fixed).settings:
        notes.append(f"{PLAIN_TUNED}{where}: the paper's initial weights were the best of those tried")
    if PLAIN_TUNED in arms:
        notes += _close_call(records, where, **fixed)
    return notes


def _close_call(records: Sequence[Record], where: str, **fixed: Any) -> list[str]:
    """A note where the opponent's initial weights were chosen by next to nothing: others would do as well."""
    own = best(records, PLAIN_TUNED, **fixed)
    tried = {
        r.job.settings["init"] for r in records if r.job.purpose == CHOICE and r.job.arm == PLAIN_TUNED
        and all(r.job.settings.get(k) == v for k, v in fixed.items())
    }
    others = {
        init: best(records, PLAIN_TUNED, init=init, **fixed).score
        for init in sorted(tried - {own.settings["init"]})
    }
    return [
        f"{PLAIN_TUNED}{where}: chosen by {own.score - score:.2f} points over {init}; on another machine the "
        f"choice, and what follows from it, may differ"
        for init, score in others.items() if own.score - score < CLOSE
    ]


def lost_note(where: str, test: Array) -> list[str]:
    """A note on runs that ended stuck or were lost, if there are any: they weigh heavily in a mean."""
    lost = int((test < STUCK).sum())
    return [f"{where}: {lost} of {len(test)} runs end below {STUCK:g} %"] if lost else []


def chosen_text(records: Sequence[Record], arm: str, **fixed: Any) -> str:
    """What was chosen, for people: "BN, lr 2, Glorot x 4"."""
    settings = best(records, arm, **fixed).settings
    return f"{arm}, lr {settings['lr']:g}, {settings['init']}"


def median(values: Any) -> float:
    """The median; a run that never got there is infinite, and so may the median be."""
    return float(np.median(np.asarray(values, np.float64)))
