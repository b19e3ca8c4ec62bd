"""What holds for every op: right gradients, dtypes, shapes, any memory layout, and arrays left alone."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import minidl as dl
from minidl import ops
from minidl.gradchecks.ops import CASES, Case

LOSSES = {n for n, f in vars(dl.losses).items() if inspect.isfunction(f) and f.__module__ == "minidl.losses"}
every_case = pytest.mark.parametrize("case", CASES, ids=str)


def run(case: Case, arrays: list[Any], requires: list[bool] | None = None, upstream: Any = None) -> Any:
    """The output's array and the gradients, with a random upstream gradient unless one is given."""
    requires = requires or [True] * len(arrays)
    leaves = [dl.Tensor(a, requires_grad=r) for a, r in zip(arrays, requires, strict=True)]
    with dl.Tape(persistent=True) as tape:
        y = case.function(*leaves)
    if upstream is None:
        upstream = np.random.default_rng(1).normal(size=y.shape)
    for _ in range(2):      # a vjp that spoils its saved arrays gives something else the second time
        tape.backward(y, gradient=upstream)
    return y, [None if leaf.grad is None else np.asarray(leaf.grad / 2) for leaf in leaves]


def test_every_public_op_and_loss_has_a_case() -> None:
    wanted = set(ops.__all__) | {name for name in LOSSES if not name.startswith("_")}
    assert {case.op for case in CASES} == wanted


@every_case
def test_gradients_equal_central_differences(case: Case) -> None:
    dl.gradcheck(case.function, *case.inputs())


@every_case
def test_float32_stays_float32(case: Case) -> None:
    arrays = case.inputs(dtype=np.float32)
    y, gradients = run(case, arrays)
    assert y.dtype == np.float32
    for a, g in zip(arrays, gradients, strict=True):
        assert isinstance(g, np.ndarray)
        assert (g.dtype, g.shape) == (np.float32, a.shape)
    exact, wide = run(case, [a.astype(np.float64) for a in arrays])
    np.testing.assert_allclose(y.data, exact.data, rtol=1e-4, atol=1e-5)
    for g, w in zip(gradients, wide, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-3, atol=1e-4)


def layouts(a: np.ndarray) -> list[np.ndarray]:
    """The same values: column-major, every second element of a larger array, and back to front."""
    wide = np.full([2 * n for n in a.shape], np.nan)
    every_second = wide[(..., *[slice(None, None, 2)] * a.ndim)]
    every_second[...] = a
    flipped = np.flip(np.flip(a).copy())
    return [np.array(a, order="F"), every_second, flipped]


@every_case
@pytest.mark.parametrize("layout", [0, 1, 2], ids=["Fortran", "strided", "reversed"])
def test_memory_layout_makes_no_difference(case: Case, layout: int) -> None:
    arrays = case.inputs()
    y, gradients = run(case, arrays)
    upstream = np.random.default_rng(1).normal(size=y.shape)
    other, others = run(case, [layouts(a)[layout] for a in arrays], upstream=layouts(upstream)[layout])
    np.testing.assert_allclose(other.data, y.data, rtol=1e-12, atol=1e-14)
    for g, o in zip(gradients, others, strict=True):
        np.testing.assert_allclose(o, g, rtol=1e-11, atol=1e-13)


@every_case
def test_an_upstream_gradient_without_strides(case: Case) -> None:
    """`sum` sends back a view that repeats one number: ops must read it as any other."""
    leaves = [dl.Tensor(a, requires_grad=True) for a in case.inputs()]
    with dl.Tape() as tape:
        y = case.function(*leaves)
        total = y.sum() * 0.7
    tape.backward(total)
    _, gradients = run(case, case.inputs(), upstream=np.full(y.shape, 0.7))
    for leaf, g in zip(leaves, gradients, strict=True):
        np.testing.assert_allclose(leaf.grad, g, rtol=1e-10, atol=1e-13)


@every_case
def test_each_input_alone_gets_the_same_gradient(case: Case) -> None:
    arrays = case.inputs()
    _, together = run(case, arrays)
    for i in range(len(arrays)):
        _, alone = run(case, arrays, [k == i for k in range(len(arrays))])
        np.testing.assert_array_equal(alone[i], together[i])
        assert all(g is None for k, g in enumerate(alone) if k != i)


@every_case
def test_arrays_of_the_user_are_neither_changed_nor_locked(case: Case) -> None:
    arrays = case.inputs()
    before = [a.copy() for a in arrays]
    y, _ = run(case, arrays)
    assert not y.data.flags.writeable
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.flags.writeable


@every_case
def test_plain_arrays_do_as_well_as_tensors(case: Case) -> None:
    arrays = case.inputs()
    expected, _ = run(case, arrays)
    y = case.function(*arrays)
    assert isinstance(y, dl.Tensor)
    assert not y.requires_grad
    np.testing.assert_array_equal(y.data, expected.data)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "maximum", "power", "matmul"])
def test_the_same_input_on_both_sides(name: str) -> None:
    op = getattr(ops, name)
    a = np.random.default_rng(0).uniform(0.5, 2, (3, 3))
    dl.gradcheck(lambda x: op(x, x * 1.5 + 0.1), a)
    dl.gradcheck(lambda x: op(x, x), a)
    dl.gradcheck(lambda x: op(op(x, x), x), a)


EMPTY: dict[str, Any] = {
    "add": lambda x: x + 1.0, "multiply": lambda x: x * x, "sum": lambda x: x.sum(0), "exp": ops.exp,
    "relu": ops.relu, "reshape": lambda x: ops.reshape(x, (3, 0)), "transpose": lambda x: x.T,
    "concatenate": lambda x: ops.concatenate([x, np.ones((2, 3))]), "getitem": lambda x: x[:, [0, 0]],
    "matmul": lambda x: x @ np.ones((3, 2)), "dense": lambda x: ops.dense(x, np.ones((3, 2)), np.ones(2)),
    "einsum": lambda x: ops.einsum("ij,kj->ik", x, np.ones((4, 3))), "softmax": ops.softmax,
    "log_softmax": ops.log_softmax, "layer_norm": ops.layer_norm,
    "group_norm": lambda x: ops.group_norm(x, 3),
    "batch_norm_inference": lambda x: ops.batch_norm_inference(x, None, None, np.zeros(3), np.ones(3)),
    "conv2d": lambda x: ops.conv2d(ops.reshape(x, (0, 3, 1, 3)), np.ones((1, 1, 3, 2)), np.ones(2)),
    "max_pool2d": lambda x: ops.max_pool2d(ops.reshape(x, (0, 2, 2, 3)), 2),
    "avg_pool2d": lambda x: ops.avg_pool2d(ops.reshape(x, (0, 2, 2, 3)), 2),
    "pad": lambda x: ops.pad(x, ((0, 1), (0, 0))), "stack": lambda x: ops.stack([x, x]),
    "max": lambda x: ops.max(x, 1), "where": lambda x: ops.where(np.ones((0, 3), bool), x, 0.0),
    "broadcast_to": lambda x: ops.broadcast_to(x, (2, 0, 3)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_batch_of_no_examples_passes_through(name: str) -> None:
    x = dl.Tensor(np.zeros((0, 3)), requires_grad=True)
    with dl.Tape() as tape:
        y = EMPTY[name](x)
    tape.backward(y, gradient=np.ones(y.shape))
    assert x.grad is not None
    assert x.grad.shape == (0, 3)
