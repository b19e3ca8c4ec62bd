"""The tape as a picture: records from top to bottom, leaves beside them, arcs from producer to consumer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from minidl.plots.axes import axes_or_new, size_in_points
from minidl.plots.style import BLUE, GREY, VERMILLION
from minidl.plots.tape_layout import Leaf, Row, lanes_of, lay_out

if TYPE_CHECKING:
    from minidl.engine.tape import Tape

# One unit of x is a letter of the monospaced font, this much of the font size: so columns fit their texts.
_LETTER = 0.602
_HALF = 0.31  # half the height of a box; the distance of two rows is 1


def tape(tape: Tape, ax: Axes | None = None) -> Axes:
    """A tape as a picture: a box for each record, in order, with op, layer, output shape and gradient norm.

    An arrow or arc leads from the record that made a tensor to each that used it; two lead to one that used
    it twice. The layers stand there if any record has one. Dashed boxes take no part
    in the backward pass. At the left stand the leaves: squares require a gradient (parameters), circles don't
    (data), and a hollow mark is a leaf that an earlier record used already. Of more than 40 records the first
    and last 18 are drawn.

    Args:
        tape: after its `with` block; it has gradient norms after backward, if made by
            `Tape(keep_gradients=True)`.
        ax: where to draw; None makes a figure of the size that the tape needs.

    Raises:
        ValueError: if the tape holds no records.

    Example:
        >>> import minidl as dl
        >>> from matplotlib.figure import Figure
        >>> x = dl.Tensor([1.0, 2.0], requires_grad=True)
        >>> with dl.Tape() as recorded:
        ...     loss = (x * x).sum()
        >>> ax = tape(recorded, Figure(layout="constrained").subplots())
        >>> [text.get_text() for text in ax.texts if text.get_text() in ("multiply", "sum")]
        ['multiply', 'sum']

    """
    if not tape.records:
        raise ValueError("plots.tape expects records, got an empty tape: compute inside its `with` block")
    rows, edges, leaves = lay_out(tape.records)
    lanes = lanes_of(edges)
    columns = _Columns.of(rows, leaves, max(lanes, default=0))
    letters, lines = columns.right - columns.left, len(rows) + 2.4
    ax = axes_or_new(ax, (letters * _LETTER * 8.5 / 72 + 0.2, 0.36 * lines + 0.1))
    ax.set_axis_off()
    width, height = size_in_points(ax)
    font = min(8.5, width / (letters * _LETTER), 0.5 * height / lines)
    ax.set_xlim(columns.left, columns.right)
    ax.set_ylim(len(rows) + 0.9, -1.5)
    pen = _Pen(ax, columns, font)
    pen.heads(len(rows))
    for y, (row, marks) in enumerate(zip(rows, leaves, strict=True)):
        pen.row(y, row)
        pen.leaves(y, marks)
    for ((start, end), times), lane in zip(edges.items(), lanes, strict=True):
        for wire in range(times):
            pen.edge(start, end, lane, wire, wire - (times - 1) / 2)
    return ax


@dataclass(frozen=True)
class _Columns:
    """Where things stand, in letters; the boxes begin at 0."""

    left: float
    layer: float | None
    output: float
    gradient: float | None
    box: float
    right: float

    @classmethod
    def of(cls, rows: Sequence[Row], leaves: Sequence[Sequence[Leaf]], lanes: int) -> _Columns:
        boxes = [row for row in rows if row.number is not None]
        output = 5.0 + max(2, *(len(row.op) for row in boxes)) + 2
        layer = output if any(row.layer for row in boxes) else None
        if layer is not None:
            output = layer + max(5, *(len(row.layer) for row in boxes)) + 2
        end = output + max(6, *(len(row.output) for row in boxes))
        gradient = end + 2 if any(row.gradient for row in boxes) else None
        box = end + 1 if gradient is None else gradient + len("|gradient|") + 1
        widest = max(sum(len(leaf.text) + 4 for leaf in marks) for marks in leaves)
        return cls(-max(widest + 1, 9), layer, output, gradient, box, max(box + 2 * lanes, 28) + 1)


@dataclass(frozen=True)
class _Pen:
    """Draws the parts of the picture on an Axes."""

    ax: Axes
    columns: _Columns
    font: float

    def write(self, x: float, y: float, words: str, **look: Any) -> None:
        self.ax.text(x, y, words, family="monospace", fontsize=self.font, va="center", **look)

    def heads(self, below: int) -> None:
        c = self.columns
        heads = ((c.layer, "layer"), (c.output, "output"), (c.gradient, "|gradient|"))
        for x, words in ((2.0, "#"), (5.0, "op"), *heads):
            if x is not None:
                self.write(x, -1, words, color=GREY)
        self.write(-2.6, -1, "leaves", color=GREY, ha="right")
        for at, words, requires_grad in ((1.5, "needs a gradient", True), (23.0, "no gradient", False)):
            self.mark(c.left + at, below + 0.3, Leaf(words, requires_grad, again=False))
            self.write(c.left + at + 1.2, below + 0.3, words, color=GREY)

    def row(self, y: int, row: Row) -> None:
        c = self.columns
        if row.number is None:
            self.write(0.5, y, row.op, color=GREY, style="italic")
            return
        look: dict[str, Any] = {"facecolor": "#E8F1F8", "edgecolor": BLUE, "linestyle": "-"}
        if not row.requires_grad:
            look = {"facecolor": "white", "edgecolor": GREY, "linestyle": (0, (3, 2))}
        corners = "round,pad=0,rounding_size=0.25"
        box = FancyBboxPatch((0, y - _HALF), c.box, 2 * _HALF, boxstyle=corners, mutation_aspect=0.5, **look)
        self.ax.add_patch(box)
        self.write(3.0, y, str(row.number), color=GREY, ha="right")
        self.write(5.0, y, row.op, weight="bold")
        if c.layer is not None:
            self.write(c.layer, y, row.layer)
        self.write(c.output, y, row.output)
        if c.gradient is not None:
            self.write(c.gradient, y, row.gradient)

    def leaves(self, y: int, marks: Sequence[Leaf]) -> None:
        x = -1.5
        for i, leaf in enumerate(reversed(marks)):
            # Below or above the words of the leaves further right, which it has to pass.
            aside = y + (0, 0.24, -0.24)[min(i, 2)]
            self.ax.plot([x, x + 1, 0], [y, aside, aside], color=GREY, linewidth=0.7, zorder=1)
            self.mark(x, y, leaf)
            self.write(x - 1.1, y, leaf.text, ha="right")
            x -= len(leaf.text) + 4

    def mark(self, x: float, y: float, leaf: Leaf) -> None:
        color, marker = (VERMILLION, "s") if leaf.requires_grad else (GREY, "o")
        face = "white" if leaf.again else color
        size = 0.65 * self.font
        self.ax.plot([x], [y], marker, color=color, markerfacecolor=face, markersize=size, zorder=3)

    def edge(self, start: int, end: int, lane: int, wire: int, aside: float) -> None:
        """The wire of this number between two rows; `aside` is how far it lies from the middle one."""
        box = self.columns.box
        if not lane:
            middle = box / 2 + 3 * aside
            arrow = FancyArrowPatch((middle, start + _HALF), (middle, end - _HALF), shrinkA=0, shrinkB=0)
        else:
            # Off the middle of the row, so that an arc which ends there and one which begins don't touch.
            # Wires of one edge lie one within the other.
            x, top, bottom = box + 2 * lane - 0.8 * wire, start + 0.14 + 0.1 * wire, end - 0.14 - 0.1 * wire
            path = [(box, top), (x, top), (x, top + 0.5), (x, bottom - 0.5), (x, bottom), (box, bottom)]
            curve = Path.CURVE3
            arrow = FancyArrowPatch(path=Path(path, [Path.MOVETO, curve, curve, Path.LINETO, curve, curve]))
        arrow.set(arrowstyle="-|>", mutation_scale=7, color="#333333", linewidth=0.9)
        self.ax.add_patch(arrow)
