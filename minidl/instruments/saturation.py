"""Saturated sigmoids: how many there are in each layer, and which of them are dead rather than decided."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minidl.engine.tape import Tape
from minidl.instruments.probe import by_unit, sigmoids

LOW, HIGH = 0.05, 0.95      # |x| > 2.94: the derivative is below 0.05, a fifth of its largest value
ONE_SIDED = 0.99            # a unit that is on one side for this share of the probe says nothing about it


@dataclass(frozen=True)
class Saturation:
    """Saturated sigmoids of one layer, as shares of all its values on the probe; nan where a value is.

    Attributes:
        layer: dotted path of the layer.
        dead: those of units that are saturated on one side for at least 99 % of the probe.
        deciding: those of all other units.

    """

    layer: str
    dead: float
    deciding: float

    @property
    def saturated(self) -> float:
        """Both together."""
        return self.dead + self.deciding


def saturation(tape: Tape) -> list[Saturation]:
    """The share of saturated sigmoids, sigma < 0.05 or sigma > 0.95, of each record of a sigmoid, in order.

    A feature map is one unit, with as many values as images times positions.

    Args:
        tape: what `probe` returned.

    Raises:
        ValueError: a tape without sigmoids.

    Example:
        >>> from minidl.instruments import probe
        >>> from minidl.layers import Sigmoid
        >>> saturation(probe(Sigmoid(), np.array([[-9.0, 9.0, 0.0], [-9.0, -9.0, 0.0]])))
        [Saturation(layer='', dead=0.333..., deciding=0.333...)]

    """
    found = []
    for record in sigmoids("saturation", tape):
        layer = record.layer or ""
        y = by_unit(record.output.data)
        if not np.isfinite(y).all():
            found.append(Saturation(layer, math.nan, math.nan))
            continue
        low, high = (y < LOW).mean(axis=0), (y > HIGH).mean(axis=0)
        is_dead = np.maximum(low, high) >= ONE_SIDED
        both = (low + high) / len(low)
        found.append(Saturation(layer, float(both[is_dead].sum()), float(both[~is_dead].sum())))
    return found
