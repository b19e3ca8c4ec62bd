"""A table of a model: each layer's output shape and number of parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.checks import whole
from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape
from minidl.layers.layer import Layer


@dataclass(frozen=True)
class Summary:
    """What `summary` found; printing it shows the table.

    Attributes:
        rows: (dotted path, layer, output shape without the batch, number of parameters) of each layer that
            has parameters of its own, or no layer below it.
        parameters: their number altogether; shared ones count once.

    """

    rows: tuple[tuple[str, str, tuple[int, ...], int], ...]
    parameters: int

    def __repr__(self) -> str:
        cells = [("layer", "", "output", "parameters")]
        for path, layer, shape, n in self.rows:
            cells.append((path, layer, f"({', '.join(['batch', *map(str, shape)])})", f"{n:,}"))
        widths = [max(len(row[i]) for row in cells) for i in range(4)]
        lines = [
            "  ".join([*[c.ljust(w) for c, w in zip(row[:3], widths, strict=False)], row[3].rjust(widths[3])])
            for row in cells
        ]
        return "\n".join([*lines, f"{self.parameters:,} parameters"])


def summary(model: Layer, input_shape: tuple[int, ...]) -> Summary:
    """Each layer's output shape and parameters, found by sending one example of zeros through the model.

    Args:
        model: any layer.
        input_shape: shape of one example, without the batch axis.

    Raises:
        TypeError: an input_shape that is no tuple.
        ValueError: sizes that are no whole numbers of 1 or more, or that the model doesn't take.

    Example:
        >>> from minidl.layers import Dense, Flatten, Sequential, Sigmoid
        >>> summary(Sequential(Flatten(), Dense(784, 10), Sigmoid()), (28, 28, 1))
        layer                  output        parameters
        0      Flatten()       (batch, 784)           0
        1      Dense(784, 10)  (batch, 10)        7,850
        2      Sigmoid()       (batch, 10)            0
        7,850 parameters

    """
    if not isinstance(input_shape, tuple | list):
        raise TypeError(f"summary expects input_shape as a tuple such as (28, 28, 1), got {input_shape!r}")
    shape = tuple(whole("summary", "each size in input_shape", size) for size in input_shape)
    with model.evaluating(), Tape() as tape:
        try:
            model(np.zeros((1, *shape), np.float32))
        except ValueError as error:
            error.add_note(f"summary sent one example, {(1, *shape)}: input_shape has no batch axis")
            raise
    rows = []
    for path, layer in model.named_layers():
        own = [value for value in vars(layer).values() if isinstance(value, Parameter)]
        if layer.children() and not own:
            continue
        records = tape.find(layer=path)
        shape = records[-1].output.shape[1:] if records else shape    # no record: it passes its input on
        name = f"{type(layer).__name__}({layer.arguments()})"
        rows.append((path, name, shape, sum(p.size for p in own)))
    return Summary(tuple(rows), sum(p.size for p in model.parameters()))
