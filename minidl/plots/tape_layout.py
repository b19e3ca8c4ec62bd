"""What a picture of a tape shows and where: rows of records, edges between rows, the leaves of each row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minidl.engine.array import norm

if TYPE_CHECKING:
    from minidl.engine.record import Record
    from minidl.engine.tensor import Tensor

_MOST, _FIRST, _LAST = 40, 18, 18


@dataclass(frozen=True)
class Row:
    """A record and its texts.

    Attributes:
        number: of the record; None for the row that stands for records left out.
        op: the op's name, or what that row says.
        layer: path of the layer.
        output: shape of the output.
        gradient: norm of the output's gradient; "" where none was kept.
        requires_grad: whether the record takes part in the backward pass.

    """

    number: int | None
    op: str
    layer: str = ""
    output: str = ""
    gradient: str = ""
    requires_grad: bool = True


@dataclass(frozen=True)
class Leaf:
    """A tensor that no record of the tape made.

    Attributes:
        text: its shape, and where it was used before.
        requires_grad: whether it gets a gradient.
        again: whether an earlier record used it already.

    """

    text: str
    requires_grad: bool
    again: bool


def lay_out(records: Sequence[Record]) -> tuple[list[Row], dict[tuple[int, int], int], list[list[Leaf]]]:
    """Rows from top to bottom, edges, and the leaves of each row.

    An edge is a pair of rows (producer, consumer), with how often the one takes the other's output: two paths
    lead back from x * x.
    """
    left_out = len(records) - _FIRST - _LAST if len(records) > _MOST else 0
    rows: list[Row] = []
    leaves: list[list[Leaf]] = []
    edges: dict[tuple[int, int], int] = {}
    made_in: dict[int, int] = {}
    used_by: dict[int, int] = {}
    for i, record in enumerate(records):
        hidden = _FIRST <= i < _FIRST + left_out
        if i == _FIRST or not hidden:
            rows.append(Row(None, f"... {left_out} records left out ...") if hidden else _row(i, record))
            leaves.append([])
        y = len(rows) - 1
        for x in record.inputs:
            if id(x) in made_in:
                edge = made_in[id(x)], y
                through_gap = any(rows[end].number is None for end in edge)
                edges[edge] = 1 if through_gap else edges.get(edge, 0) + 1
                continue
            if not hidden:
                earlier = f" see {used_by[id(x)]}" if id(x) in used_by else ""
                leaves[y].append(Leaf(_shape(x) + earlier, x.requires_grad, again=bool(earlier)))
            used_by.setdefault(id(x), i)
        made_in[id(record.output)] = y
    return rows, {edge: times for edge, times in edges.items() if edge[0] != edge[1]}, leaves


def lanes_of(edges: Collection[tuple[int, int]]) -> list[int]:
    """For each edge 0, if it leads to the next row, or its lane at the side; arcs in a lane don't overlap."""
    taken: list[list[tuple[int, int]]] = []
    lanes = dict.fromkeys(edges, 0)
    # Short arcs first: they get the inner lanes, and long ones go round them.
    for start, end in sorted(edges, key=lambda edge: edge[1] - edge[0]):
        if end - start == 1:
            continue
        free = (n for n, spans in enumerate(taken) if all(end <= a or b <= start for a, b in spans))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((start, end))
        lanes[start, end] = lane + 1
    return [lanes[edge] for edge in edges]


def _row(number: int, record: Record) -> Row:
    layer = "" if record.layer is None else record.layer or "(outermost)"
    gradient = "" if record.gradient is None else f"{norm(record.gradient):.2g}"
    return Row(number, record.op, layer, _shape(record.output), gradient, record.output.requires_grad)


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape)) if tensor.shape else "scalar"
