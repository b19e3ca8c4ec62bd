"""Drift: how far the distribution that a layer receives has moved, in units of its own spread."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from minidl.engine.array import Array
from minidl.engine.record import Record
from minidl.engine.tape import Tape

Moments = list[tuple[Array, Array]]     # of each layer the means and standard deviations of its units
ALIVE = 1e-6        # standard deviation below which a unit has no distribution


def moments(records: Sequence[Record]) -> Moments:
    """Mean and standard deviation of each unit of the first input of these records, over the probe."""
    found = []
    for record in records:
        a = record.inputs[0].data
        rows = a.reshape(-1, a.shape[-1]).astype(np.float64)
        found.append((rows.mean(axis=0), rows.std(axis=0)))
    return found


def received(tape: Tape) -> list[Record]:
    """The records of the layers that receive what others send: all Dense and Conv2D but the first."""
    return [r for r in tape.records if r.op in ("dense", "conv2d")][1:]


def drift(then: Moments, now: Moments) -> list[float]:
    """Of each layer |change of the mean| + |change of the standard deviation|, over the present one.

    Median over the units that have a spread at both times: a nearly constant one would outweigh all others in
    a mean. NaN for a layer without any.

    Example:
        >>> drift([(np.zeros(2), np.ones(2))], [(np.ones(2), np.full(2, 2.0))])
        [1.0]

    """
    result = []
    for (mean0, std0), (mean1, std1) in zip(then, now, strict=True):
        alive = (std0 > ALIVE) & (std1 > ALIVE)
        moved = np.abs(mean1 - mean0) + np.abs(std1 - std0)
        result.append(float(np.median(moved[alive] / std1[alive])) if alive.any() else float("nan"))
    return result


def total_drift(path: Sequence[Moments]) -> list[float]:
    """Of each layer the drifts between one measurement and the next, added up; NaN for a single one."""
    if len(path) < 2:
        return [float("nan")] * len(path[0])
    steps = [drift(then, now) for then, now in pairwise(path)]
    return [float(total) for total in np.sum(steps, axis=0)]
