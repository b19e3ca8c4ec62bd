"""NaN stays visible in the forward pass of everything that chooses; its gradient is PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl import ops

NAN = np.nan

# op, PyTorch's name of it, inputs, outputs, and the gradients of the inputs for the upstream 1, 2, 3, …: what
# PyTorch 2.13 gave.
CASES = {
    "relu": (ops.relu, "relu", [[NAN, 1, -1, 0]], [NAN, 1, 0, 0], [[1, 2, 0, 0]]),
    "leaky_relu": (
        ops.leaky_relu, "nn.functional.leaky_relu", [[NAN, 1, -1]], [NAN, 1, -0.01], [[0.01, 2, 0.03]]
    ),
    "clip": (
        lambda x: ops.clip(x, -1, 1), "clip", [[NAN, 1, -2, 0.5]], [NAN, 1, -1, 0.5], [[0, 2, 0, 4]]
    ),
    "maximum": (
        ops.maximum, "maximum", [[NAN, 1, NAN, 2], [1, NAN, NAN, 2]], [NAN, NAN, NAN, 2], 2 * [[1, 2, 3, 2]]
    ),
    "minimum": (
        ops.minimum, "minimum", [[NAN, 1, NAN, 2], [1, NAN, NAN, 2]], [NAN, NAN, NAN, 2], 2 * [[1, 2, 3, 2]]
    ),
    "max": (
        lambda x: ops.max(x, 1), "amax", [[[NAN, 1, NAN], [1, 2, 2], [NAN, NAN, NAN]]],
        [NAN, 2, NAN], [[3 * [NAN], [0, 1, 1], 3 * [NAN]]],
    ),
    "min": (
        lambda x: ops.min(x, 1), "amin", [[[NAN, 1, NAN], [1, 2, 2], [NAN, NAN, NAN]]],
        [NAN, 1, NAN], [[3 * [NAN], [2, 0, 0], 3 * [NAN]]],
    ),
}
OPTIONS = {"clip": (-1, 1), "amax": (1,), "amin": (1,)}     # of PyTorch's functions


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_goes_through_and_its_gradient_is_pytorchs(name, dtype):
    op, _, inputs, expected, gradients = CASES[name]
    leaves = [dl.Tensor(np.array(a, dtype), requires_grad=True) for a in inputs]
    with dl.Tape() as tape:
        y = op(*leaves)
    np.testing.assert_allclose(y.data, np.array(expected, dtype))
    tape.backward(y, gradient=np.arange(1.0, y.size + 1))
    for leaf, gradient in zip(leaves, gradients, strict=True):
        np.testing.assert_allclose(leaf.grad, np.array(gradient, dtype), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_these_are_still_pytorchs(name):
    torch = pytest.importorskip("torch")
    _, theirs, inputs, expected, gradients = CASES[name]
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in inputs]
    f = torch
    for part in theirs.split("."):
        f = getattr(f, part)
    y = f(*leaves, *OPTIONS.get(theirs, ()))
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    y.backward(torch.arange(1.0, y.numel() + 1, dtype=torch.float64))
    for leaf, gradient in zip(leaves, gradients, strict=True):
        np.testing.assert_array_equal(leaf.grad.numpy(), gradient)


@pytest.mark.parametrize("op", [ops.max, ops.min])
@pytest.mark.parametrize("options", [{}, {"axis": (0, 1)}, {"axis": 0, "keepdims": True}])
def test_extremes_of_nan_are_numpys(op, options):
    a = np.array([[1.0, NAN, 3.0], [4.0, 5.0, 0.0]], np.float32)
    expected = getattr(np, op.__name__)(a, **options)
    np.testing.assert_array_equal(op(a, **options).data, expected)
    with dl.Tape() as tape:
        y = op(dl.Tensor(a, requires_grad=True), **options)
    g = tape.gradients(y, [tape.records[0].inputs[0]], gradient=np.ones(y.shape, np.float32))[0]
    lost = np.broadcast_to(np.isnan(expected), a.shape)
    np.testing.assert_array_equal(np.isnan(g), lost)
    assert g[~lost].sum() == (~lost[0]).sum()       # one for each column, if columns are what was reduced
