"""Percentiles of the inputs to sigmoids: what Ioffe & Szegedy (2015) show in Figure 1 b and c."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.instruments.probe import by_unit, sigmoids


@dataclass(frozen=True, eq=False)
class Percentiles:
    """Percentiles of the input to each sigmoid of one layer, over the probe.

    Attributes:
        layer: dotted path of the layer.
        values: (units, 3), the 15th, 50th and 85th; nan for a unit that has such an input.

    """

    layer: str
    values: Array


def percentiles(tape: Tape) -> list[Percentiles]:
    """The 15th, 50th and 85th percentile of the input to each sigmoid, record by record, in order.

    The last one's `values[0]` are Figure 1's for unit 0 of the last hidden layer. A feature map is one unit,
    with as many values as images times positions.

    Args:
        tape: what `probe` returned.

    Raises:
        ValueError: a tape without sigmoids.

    Example:
        >>> from minidl.instruments import probe
        >>> from minidl.layers import Sigmoid
        >>> percentiles(probe(Sigmoid(), np.arange(101.0)[:, None]))[-1].values
        array([[15., 50., 85.]])

    """
    found = []
    for record in sigmoids("percentiles", tape):
        x = by_unit(record.inputs[0].data)
        broken = ~np.isfinite(x).all(axis=0)
        values = np.percentile(np.where(broken, 0, x), (15, 50, 85), axis=0).T
        values[broken] = np.nan
        found.append(Percentiles(record.layer or "", values))
    return found
