"""Matrix products and Einstein sums: values and messages."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minidl as dl
from minidl import ops

RNG = np.random.default_rng(0)
SHAPES = [
    ((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((5, 3, 4), (4, 2)),
    ((2, 1, 3, 4), (5, 4, 2)),
]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_matmul_is_that_of_numpy(left, right):
    a, b = RNG.normal(size=left), RNG.normal(size=right)
    y = dl.Tensor(a) @ b
    np.testing.assert_allclose(y.data, a @ b, rtol=1e-12)
    assert y.shape == (a @ b).shape


def test_dense_is_a_product_and_a_sum():
    x, W, b = RNG.normal(size=(2, 5, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=4)
    products = sum(x[..., i, None] * W[i] for i in range(3))
    np.testing.assert_allclose(ops.dense(x, W, b).data, products + b, rtol=1e-12)
    np.testing.assert_allclose(ops.dense(x, W).data, products, rtol=1e-12)


def test_dense_does_not_compute_the_gradient_of_a_constant_input():
    weight = dl.Parameter(np.ones((3, 2)))
    with dl.Tape() as tape:
        y = ops.dense(np.ones((4, 3)), weight)
    (record,) = tape.records
    dx, dW = record.vjp(np.ones((4, 2)))
    assert dx is None
    np.testing.assert_array_equal(dW, np.full((3, 2), 4))
    assert y.requires_grad


def test_dense_does_not_compute_the_gradient_of_a_constant_weight():
    x = dl.Tensor(np.ones((4, 3)), requires_grad=True)
    with dl.Tape() as tape:
        ops.dense(x, np.ones((3, 2)))
    dx, dW = tape.records[0].vjp(np.ones((4, 2)))
    assert dW is None
    np.testing.assert_array_equal(dx, np.full((4, 3), 2))


@pytest.mark.parametrize(("subscripts", "shapes"), [
    ("ij,kj->ik", ((2, 3), (4, 3))), ("ij", ((2, 3),)), ("ji", ((2, 3),)), ("ij,jk", ((2, 3), (3, 2))),
    (" i j , j -> i ", ((2, 3), (3,))), ("...i,...i", ((4, 2, 3), (2, 3))),
    ("i...,i...->...", ((3, 2), (3, 1))),
    ("...ij,jk", ((5, 2, 3), (3, 2))), ("Xi,iY", ((2, 3), (3, 4))),
    ("a...,b...->ab...", ((2, 5), (3, 4, 5))),
])
def test_einsum_is_that_of_numpy(subscripts, shapes):
    arrays = [RNG.normal(size=s) for s in shapes]
    y, expected = ops.einsum(subscripts, *arrays), np.einsum(subscripts, *arrays)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.data, expected, rtol=1e-12, atol=1e-14)


def test_the_result_of_einsum_does_not_lock_the_users_array():
    a = np.ones((2, 3))
    y = ops.einsum("ij->ji", a)
    assert a.flags.writeable
    assert not y.data.flags.writeable


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: x @ x, "matmul expects (..., n, k) @ (..., k, m), got (2, 3) @ (2, 3)"),
    (lambda x: x @ 2.0, "matmul expects (..., n, k) @ (..., k, m), got (2, 3) @ ()"),
    (lambda x: ops.dense(x, np.ones((2, 3))),
     "dense expects x (..., in), weight (in, out) and bias (out,), got (2, 3), (2, 3)"),
    (lambda x: ops.dense(1.0, np.ones((2, 3))),
     "dense expects x (..., in), weight (in, out) and bias (out,), got (), (2, 3)"),
    (lambda x: ops.dense(x, np.ones(3)),
     "dense expects x (..., in), weight (in, out) and bias (out,), got (2, 3), (3,)"),
    (lambda x: ops.dense(x, np.ones((3, 2)), np.ones(3)),
     "dense expects x (..., in), weight (in, out) and bias (out,), got (2, 3), (3, 2), (3,)"),
    (lambda x: ops.einsum("ii->i", np.ones((2, 2))),
     "einsum 'ii->i' has a letter twice in one operand: index the diagonal"),
    (lambda x: ops.einsum("ij,jk->ik", x), "einsum 'ij,jk->ik' names 2 operands, got 1"),
    (lambda x: ops.einsum("ijk->i", x), "einsum 'ijk->i': operand 0 expects 3 axes, got 2"),
    (lambda x: ops.einsum("...i->i", x), "einsum '...i->i' expects `...` in the output too, got 'i'"),
])
def test_messages(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(dl.Tensor(np.ones((2, 3))))


@pytest.mark.parametrize(("subscripts", "other", "shapes"), [
    ("ij,ik->jk", np.ones((3, 2)), r"\(2, 3\), \(3, 2\)"), ("ij,->k", 1.0, r"\(2, 3\), \(\)"),
])
def test_einsum_says_what_numpy_found_wrong(subscripts, other, shapes):
    with pytest.raises(ValueError, match=rf"^einsum '{subscripts}' doesn't fit the shapes {shapes}: \S+ "):
        ops.einsum(subscripts, dl.Tensor(np.ones((2, 3))), other)


@pytest.mark.parametrize("subscripts", [None, np.ones((2, 2)), dl.Tensor([1.0])])
def test_einsum_without_subscripts(subscripts):
    with pytest.raises(TypeError, match=r"^einsum expects subscripts such as 'ij,jk->ik' first, got "):
        ops.einsum(subscripts, np.ones((2, 2)))


def test_einsum_wants_its_subscripts_first():
    with pytest.raises(TypeError, match=(
        r"^einsum expects subscripts such as 'ij,jk->ik' first, got shape \(2,\) of float64$"
    )):
        ops.einsum(np.ones(2), "i->i")
