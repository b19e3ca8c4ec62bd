"""Learning rates: which ones train, without and with batch normalization, over a grid of initial scales.

A rate trains if the accuracy after all steps is 90 % or more. The lower end of the range depends on how many
steps there are, the upper end on what the network tolerates: so both range and upper end are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.experiments.config import PAPER
from minidl.experiments.lab.arms import ARMS, INITS, median
from minidl.experiments.lab.choice import choice_jobs
from minidl.experiments.lab.experiment import Analysis
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, REPORT, Job, Record, Result
from minidl.experiments.lab.networks import Network, build
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.training import accuracy, data_of, points, train

TRAINED = 90.0      # per cent
DECADES = {"quick": 0.5, "default": 0.25, "full": 0.125}    # between neighbouring rates
LOWEST, HIGHEST = -2.0, 2.0     # exponents of ten


def rates(scale: Scale) -> tuple[float, ...]:
    """The learning rates, log-spaced."""
    count = round((HIGHEST - LOWEST) / DECADES[scale.name]) + 1
    return tuple(round(float(10**e), 6) for e in np.linspace(LOWEST, HIGHEST, count))


def choices(scale: Scale, data: str) -> list[Job]:
    """The whole grid of rates and initial weights, on the seeds that choose: also the figure's map."""
    grid = {"lr": rates(scale), "init": INITS["sigmoid"]}
    return [
        job for arm in (PLAIN_TUNED, BN)
        for job in choice_jobs("learning-rates", arm, grid, scale, data=data, steps=_steps(scale))
    ]


def further_choices(records: Sequence[Record]) -> list[Job]:
    """None: the grid covers four decades, and what lies at its edge is noted."""
    return []


def reports(scale: Scale, data: str, records: Sequence[Record]) -> list[Job]:
    """All rates, with the initial weights that make the range widest."""
    return [
        Job("learning-rates", arm, seed, REPORT, {
            "lr": lr, "init": best_init(records, arm), "data": data, "steps": _steps(scale),
        })
        for arm in ARMS for lr in rates(scale) for seed in range(scale.mlp_seeds)
    ]


def network(job: Job) -> Network:
    """What a job trains."""
    return Network(batch_norm=job.arm == BN, init=job.settings["init"])


def run(job: Job) -> Result:
    """Train one network, and see where it ends."""
    settings = job.settings
    data = data_of(settings["data"])
    model = build(network(job), job.seed)
    trained = train(model, data.train, lr=settings["lr"], steps=settings["steps"], seed=job.seed)
    part = data.validation if job.purpose == CHOICE else data.test
    name = "validation" if job.purpose == CHOICE else "test"
    return {name: points(accuracy(model, part, data.train), trained.finite), "finite": trained.finite}, {}


def best_init(records: Sequence[Record], arm: str) -> str:
    """The initial weights with the widest range on the seeds that choose; of equals the more accurate."""
    if arm == PLAIN_PAPER:
        return PAPER
    own = [r for r in records if r.job.arm == arm and r.job.purpose == CHOICE]
    inits = list(dict.fromkeys(r.job.settings["init"] for r in own))

    def quality(init: str) -> tuple[float, float]:
        of_init = [r for r in own if r.job.settings["init"] == init]
        seeds = sorted({r.job.seed for r in of_init})
        widths = [width(*accuracies(of_init, seed, "validation")) for seed in seeds]
        return float(np.mean(widths)), float(np.mean([r.values["validation"] for r in of_init]))

    return str(max(inits, key=quality))


def accuracies(records: Sequence[Record], seed: int, name: str) -> tuple[list[float], list[float]]:
    """The rates and accuracies of a seed, in the order of the rates."""
    runs = sorted((r for r in records if r.job.seed == seed), key=lambda r: r.job.settings["lr"])
    return [r.job.settings["lr"] for r in runs], [r.values[name] for r in runs]


def width(lrs: Sequence[float], reached: Sequence[float]) -> float:
    """Decades that the longest run of neighbouring rates that train covers; each stands for its own share.

    Example:
        >>> width([0.01, 0.1, 1.0, 10.0], [50.0, 95.0, 95.0, 10.0])
        2.0

    """
    spacing = float(np.log10(lrs[1] / lrs[0])) if len(lrs) > 1 else 0.0
    longest = run = 0
    for value in reached:
        run = run + 1 if value >= TRAINED else 0
        longest = max(longest, run)
    return round(longest * spacing, 9)


def limit(lrs: Sequence[float], reached: Sequence[float]) -> float:
    """The exponent of ten of the largest rate that trains; one step below the grid if none does."""
    trained = [lr for lr, value in zip(lrs, reached, strict=True) if value >= TRAINED]
    return float(np.log10(max(trained))) if trained else float(np.log10(lrs[0] ** 2 / lrs[1]))


def analyse(records: Sequence[Record]) -> Analysis:
    """The width of the range and its upper end, seed by seed."""
    widths, limits = {}, {}
    notes, numbers = [], {}
    for arm in ARMS:
        own = [r for r in records if r.job.arm == arm and r.job.purpose == REPORT]
        curves = [accuracies(own, seed, "test") for seed in sorted({r.job.seed for r in own})]
        widths[arm] = np.array([width(*curve) for curve in curves])
        limits[arm] = np.array([limit(*curve) for curve in curves])
        init = best_init(records, arm)
        numbers[f"range of rates that train, {arm}, {init}"] = median(widths[arm]), "decades"
        numbers[f"largest rate that trains, {arm}, {init}"] = float(10 ** median(limits[arm])), ""
        none = int(np.sum(widths[arm] == 0))
        if none:
            notes.append(
                f"{arm}: {none} of {len(curves)} seeds train at no rate and count as one step below the grid"
            )
        if any(curve[1][-1] >= TRAINED for curve in curves):
            notes.append(f"{arm}: the largest rate of the grid still trains, so its limit is higher")

    def against(plain: str) -> dict[str, list[float]]:
        return {
            "wider region": list(widths[BN] - widths[plain]),
            "higher limit": list(limits[BN] - limits[plain]),
        }

    return Analysis(against(PLAIN_TUNED), against(PLAIN_PAPER), numbers, notes)


def _steps(scale: Scale) -> int:
    return scale.of(500, 1_000, 5_000)
