"""Schedules: functions from the step, counted from 0, to the learning rate. Optimizers take one as `lr=`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from minidl.checks import number_in, whole

Schedule: TypeAlias = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """The same rate at every step. An optimizer given a number makes this of it.

    Raises:
        ValueError: if lr isn't a finite number above 0 (so all schedules here).

    Example:
        >>> schedule = constant(0.5)
        >>> schedule(0), schedule(1000)
        (0.5, 0.5)

    """
    return partial(_constant, number_in("constant", "lr", lr, "(0, inf)"))


def step_decay(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """The rate times gamma after every step_size steps: lr * gamma ** (step // step_size).

    Args:
        lr: rate at the start.
        step_size: steps between two decays.
        gamma: factor of each decay, in (0, 1].

    Source: PyTorch's `StepLR`.

    Example:
        >>> schedule = step_decay(0.8, step_size=100, gamma=0.5)
        >>> schedule(99), schedule(100), schedule(200)
        (0.8, 0.4, 0.2)

    """
    where = "step_decay"
    return partial(
        _step_decay,
        number_in(where, "lr", lr, "(0, inf)"),
        whole(where, "step_size", step_size),
        number_in(where, "gamma", gamma, "(0, 1]"),
    )


def exponential(lr: float, gamma: float) -> Schedule:
    """The rate times gamma after every step: lr * gamma ** step, gamma in (0, 1].

    Source: PyTorch's `ExponentialLR`, called once a step.

    Example:
        >>> schedule = exponential(0.5, gamma=0.999)
        >>> round(schedule(1000), 4)
        0.1838

    """
    where = "exponential"
    return partial(
        _exponential, number_in(where, "lr", lr, "(0, inf)"), number_in(where, "gamma", gamma, "(0, 1]")
    )


def cosine(lr: float, total_steps: int, min_lr: float = 0.0) -> Schedule:
    """Half a cosine from lr at step 0 down to min_lr at total_steps; from there on min_lr.

    min_lr + (lr - min_lr) * (1 + cos(pi * step / total_steps)) / 2

    Source: Loshchilov & Hutter 2017, "SGDR", arXiv:1608.03983, equation 5, without restarts; PyTorch's
    `CosineAnnealingLR`.

    Example:
        >>> schedule = cosine(0.5, total_steps=1000)
        >>> schedule(0), round(schedule(500), 6), schedule(1000)
        (0.5, 0.25, 0.0)

    """
    where = "cosine"
    lr = number_in(where, "lr", lr, "(0, inf)")
    min_lr = number_in(where, "min_lr", min_lr, "[0, inf)")
    if min_lr > lr:
        raise ValueError(f"cosine expects min_lr up to lr={lr!r}, got {min_lr!r}")
    return partial(_anneal, lr, min_lr, whole(where, "total_steps", total_steps))


def warmup(lr: float | Schedule, steps: int) -> Schedule:
    """Another schedule (or a number) with a linear rise at its start: lr(step) * min(1, (step + 1) / steps).

    The wrapped schedule counts from step 0 too, so `warmup(cosine(0.5, 1000), 100)` ends at step 1000. Step 0
    has 1/steps of the rate, never zero; step `steps - 1` is the first with all of it.

    Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv:1706.02677, section 2.2.

    Example:
        >>> schedule = warmup(0.5, steps=5)
        >>> [schedule(step) for step in range(6)]
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.5]

    """
    return partial(_warmup, as_schedule("warmup", lr), whole("warmup", "steps", steps))


def one_cycle(
    max_lr: float,
    total_steps: int,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Half a cosine up to max_lr, then half a cosine down to almost nothing; from there on the last rate.

    With first = max_lr / div_factor, last = first / final_div_factor, end = total_steps - 1,
    peak = pct_start * total_steps - 1 and a(from, to, p) = to + (from - to) * (1 + cos(pi * p)) / 2:
    a(first, max_lr, step / peak) up to the peak, then a(max_lr, last, (step - peak) / (end - peak)).

    Args:
        max_lr: rate at the peak.
        total_steps: steps of the whole cycle; the last of them, total_steps - 1, has the last rate.
        pct_start: share of the cycle in which the rate rises, in (0, 1).
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first / final_div_factor.

    Source: Smith & Topin 2017, "Super-Convergence", arXiv:1708.07120; formula, names and defaults are those
    of PyTorch's `OneCycleLR` (two phases, cosine, after fastai). The momentum isn't cycled.

    Example:
        >>> schedule = one_cycle(1.0, total_steps=100)
        >>> schedule(0), schedule(29), f"{schedule(99):.0e}"
        (0.04, 1.0, '4e-06')

    """
    where = "one_cycle"
    max_lr = number_in(where, "max_lr", max_lr, "(0, inf)")
    total_steps = whole(where, "total_steps", total_steps)
    first = max_lr / number_in(where, "div_factor", div_factor, "[1, inf)")
    last = first / number_in(where, "final_div_factor", final_div_factor, "[1, inf)")
    peak = number_in(where, "pct_start", pct_start, "(0, 1)") * total_steps - 1
    if peak <= 0:
        raise ValueError(
            f"one_cycle expects a rise of more than one step, got pct_start * total_steps = {peak + 1:g}: "
            f"use total_steps={math.floor(1 / pct_start) + 1} or more, or a larger pct_start"
        )
    return partial(_one_cycle, first, max_lr, last, peak, total_steps - 1)


def as_schedule(where: str, lr: float | Schedule) -> Schedule:
    """A schedule as it is; a number as a constant one. `where` names the caller in the error."""
    if callable(lr):
        return lr
    return partial(_constant, number_in(where, "lr", lr, "(0, inf)", " or a schedule"))


def _constant(lr: float, step: int) -> float:
    return lr


def _step_decay(lr: float, step_size: int, gamma: float, step: int) -> float:
    return lr * gamma ** (step // step_size)


def _exponential(lr: float, gamma: float, step: int) -> float:
    return lr * gamma**step


def _anneal(start: float, end: float, steps: float, step: float) -> float:
    share = (1 + math.cos(math.pi * min(step / steps, 1))) / 2
    return start * share + end * (1 - share)      # both ends exact, unlike end + (start - end) * share


def _warmup(schedule: Schedule, steps: int, step: int) -> float:
    return schedule(step) * min(1.0, (step + 1) / steps)


def _one_cycle(first: float, peak_lr: float, last: float, peak: float, end: int, step: int) -> float:
    if step <= peak:
        return _anneal(first, peak_lr, peak, step)
    return _anneal(peak_lr, last, end - peak, step - peak)
