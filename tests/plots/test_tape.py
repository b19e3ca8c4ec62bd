"""The tape as a picture: rows, arcs, leaves, and tapes that are too long."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from minidl import plots
from minidl.plots.tape_layout import lanes_of, lay_out
from tests.plots.conftest import overhang


def tensor(*shape: int, requires_grad: bool = True) -> SimpleNamespace:
    return SimpleNamespace(shape=shape, requires_grad=requires_grad)


def record(op: str, inputs: list, output, layer: str | None = None, gradient=None) -> SimpleNamespace:
    return SimpleNamespace(op=op, inputs=tuple(inputs), output=output, layer=layer, gradient=gradient)


def mlp(layers: int, residual: bool = False) -> list[SimpleNamespace]:
    """A stand-in for the records of an MLP with batch normalization."""
    x = tensor(60, 784, requires_grad=False)
    records = []
    for i in range(layers):
        skip = x
        norm = [tensor(100), tensor(100)]
        for op, parameters in (("dense", [tensor(100, 100)]), ("batch_norm", norm), ("sigmoid", [])):
            y = tensor(60, 100)
            records.append(record(op, [x, *parameters], y, str(i), np.full((60, 100), 0.01)))
            x = y
        if residual:
            y = tensor(60, 100)
            records.append(record("add", [x, skip], y))
            x = y
    return [*records, record("cross_entropy", [x], tensor())]


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def patches(ax, kind: type) -> list:
    return [patch for patch in ax.patches if isinstance(patch, kind)]


@pytest.mark.parametrize("layers", [1, 3, 8])
def test_each_record_is_a_box_with_its_op_layer_shape_and_gradient(layers):
    records = mlp(layers)
    ax = plots.tape(SimpleNamespace(records=records))
    assert len(patches(ax, FancyBboxPatch)) == len(records)
    assert len(patches(ax, FancyArrowPatch)) == len(records) - 1
    assert words(ax).count("batch_norm") == layers
    assert words(ax).count("0.77") == 3 * layers
    assert {"op", "layer", "output", "|gradient|", "leaves", "scalar", "(60, 784)", "0"} <= set(words(ax))
    assert overhang(ax.figure) == 0


def test_texts_neither_overlap_nor_leave_their_boxes():
    ax = plots.tape(SimpleNamespace(records=mlp(3, residual=True)))
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_a_given_axes_is_used_and_small_ones_get_small_letters():
    ax = Figure(figsize=(4, 3)).subplots()
    assert plots.tape(SimpleNamespace(records=mlp(3)), ax) is ax
    assert max(text.get_fontsize() for text in ax.texts) < 6
    assert overhang(ax.figure) == 0


def test_arcs_lead_from_producer_to_consumer_by_identity():
    x, y, z = tensor(3), tensor(3), tensor(3)
    same = tensor(3)
    records = [record("exp", [x], y), record("log", [same], tensor(3)), record("multiply", [y, y], z)]
    rows, edges, leaves = lay_out(records)
    assert [row.op for row in rows] == ["exp", "log", "multiply"]
    assert edges == {(0, 2): 2}
    assert [len(marks) for marks in leaves] == [1, 1, 0]


def test_an_arc_ends_at_its_consumer(ax):
    x, y = tensor(3), tensor(3)
    middle = tensor(3)
    records = [record("exp", [x], y), record("log", [y], middle), record("add", [y, middle], tensor(3))]
    plots.tape(SimpleNamespace(records=records), ax)
    ends = []
    for arrow in patches(ax, FancyArrowPatch):
        path = arrow.get_path()
        heights = path.vertices[path.codes != Path.CLOSEPOLY, 1]
        ends.append((heights[0], heights.max()))
    # Boxes reach 0.31 above and below their rows.
    np.testing.assert_allclose(ends, [(0.31, 0.69), (0.14, 1.86), (1.31, 1.69)], atol=0.1)


def test_heads_stand_above_their_columns(ax):
    plots.tape(SimpleNamespace(records=[record("exp", [], tensor(3), "hidden", np.ones(4))]), ax)
    place = {text.get_text(): text.get_position()[0] for text in ax.texts}
    for head, cell in (("op", "exp"), ("layer", "hidden"), ("output", "(3,)"), ("|gradient|", "2")):
        assert place[head] == place[cell]


@pytest.mark.parametrize("between", [0, 1])
def test_two_wires_lead_to_a_record_that_uses_a_tensor_twice(ax, between):
    x, y = tensor(3), tensor(3)
    records = [record("exp", [x], y), *[record("log", [tensor(3)], tensor(3))] * between]
    plots.tape(SimpleNamespace(records=[*records, record("multiply", [y, y], tensor(3))]), ax)
    first, second = (arrow.get_path().vertices for arrow in patches(ax, FancyArrowPatch))
    assert np.abs(first[:3] - second[:3]).max() > 0.05


def test_the_wire_of_a_leaf_passes_no_words(ax):
    leaves = [tensor(60, 784), tensor(100), tensor(100, requires_grad=False)]
    plots.tape(SimpleNamespace(records=[record("norm", leaves, tensor(60, 100))]), ax)
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    wires = [ax.transData.transform(line.get_xydata()) for line in ax.lines if len(line.get_xdata()) == 3]
    assert len(wires) == 3
    for _, (left, y), (right, _) in wires:
        assert not any(box.y0 < y < box.y1 and box.x0 < right and left < box.x1 for box in boxes)


def test_without_any_layer_there_is_no_column_for_them(ax):
    plots.tape(SimpleNamespace(records=[record("exp", [], tensor(3))]), ax)
    assert "layer" not in words(ax)


def test_a_leaf_used_again_says_where_it_was_used_first():
    weight = tensor(3, 3)
    data = tensor(2, 3, requires_grad=False)
    y = tensor(2, 3)
    _, _, leaves = lay_out([record("matmul", [data, weight], y), record("matmul", [y, weight], tensor(2, 3))])
    assert [(leaf.text, leaf.requires_grad, leaf.again) for marks in leaves for leaf in marks] == [
        ("(2, 3)", False, False), ("(3, 3)", True, False), ("(3, 3) see 0", True, True),
    ]


def test_records_outside_the_backward_pass_are_dashed(ax):
    off = record("reshape", [tensor(3, requires_grad=False)], tensor(3, requires_grad=False))
    plots.tape(SimpleNamespace(records=[off, record("exp", [tensor(3)], tensor(3))]), ax)
    styles = [box.get_linestyle() for box in patches(ax, FancyBboxPatch)]
    assert styles[0] != styles[1]


def test_the_outermost_layer_is_named_and_a_gradient_may_overflow(ax):
    plots.tape(SimpleNamespace(records=[record("exp", [], tensor(2), "", np.array([1e300, np.inf]))]), ax)
    assert {"(outermost)", "inf"} <= set(words(ax))


@pytest.mark.parametrize(("count", "shown", "left_out"), [(40, 40, 0), (41, 36, 5), (1000, 36, 964)])
def test_a_long_tape_shows_its_ends_and_says_what_is_left_out(count, shown, left_out):
    records, x = [], tensor(1)
    for _ in range(count):
        y = tensor(1)
        records.append(record("exp", [x], y))
        x = y
    ax = plots.tape(SimpleNamespace(records=records))
    assert words(ax).count("exp") == shown
    assert (f"... {left_out} records left out ..." in words(ax)) == (left_out > 0)
    assert str(count - 1) in words(ax)
    assert len(patches(ax, FancyArrowPatch)) == shown - 1 + (left_out > 0)
    assert overhang(ax.figure) == 0


def test_what_is_left_out_has_no_leaves_but_is_still_where_a_leaf_was_used_first():
    weight = tensor(3, 3)
    records = [record("exp", [tensor(1)], tensor(1)) for _ in range(50)]
    records[20] = record("matmul", [weight], tensor(3))
    records[49] = record("matmul", [weight], tensor(3))
    rows, _, leaves = lay_out(records)
    (gap,) = (i for i, row in enumerate(rows) if row.number is None)
    assert leaves[gap] == []
    assert leaves[-1][0].text == "(3, 3) see 20"


@given(st.sets(st.tuples(st.integers(0, 12), st.integers(1, 12)), max_size=20))
def test_arcs_in_one_lane_never_overlap(pairs):
    edges = [(start, start + length) for start, length in pairs]
    lanes = lanes_of(edges)
    for i, (start, end) in enumerate(edges):
        assert (lanes[i] == 0) == (end - start == 1)
        for j, (other_start, other_end) in enumerate(edges[:i]):
            if lanes[i] and lanes[i] == lanes[j]:
                assert end <= other_start or other_end <= start


def test_an_empty_tape_is_refused(ax):
    with pytest.raises(ValueError, match="got an empty tape: compute inside its `with` block"):
        plots.tape(SimpleNamespace(records=[]), ax)


def test_a_real_tape(tmp_path):
    import minidl as dl
    from minidl.layers import BatchNorm, Dense, Sequential, Sigmoid

    model = Sequential(Dense(4, 3, bias=False), BatchNorm(3), Sigmoid(), Dense(3, 2), seed=0)
    with dl.Tape(keep_gradients=True) as recorded:
        loss = (model(np.ones((5, 4), np.float32)) ** 2).mean()
    recorded.backward(loss)
    ax = plots.tape(recorded)
    ops = {"dense", "batch_norm", "sigmoid"}
    assert [w for w in words(ax) if w in ops] == ["dense", "batch_norm", "sigmoid", "dense"]
    assert overhang(ax.figure) == 0
    plots.save(ax.figure, tmp_path / "tape")
