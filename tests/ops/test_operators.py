"""Tensor's operators, methods and NumPy's ufuncs: each is the op of that name, from both sides."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import minidl as dl
from minidl import ops

A = np.array([[1.5, -2.0], [0.5, 4.0]])
B = np.array([[2.0, 3.0], [-1.5, 0.25]])
POSITIVE = np.abs(A)
BINARY = [
    (operator.add, "add", A), (operator.sub, "subtract", A), (operator.mul, "multiply", A),
    (operator.truediv, "divide", A), (operator.floordiv, "floor_divide", A), (operator.mod, "remainder", A),
    (operator.pow, "power", POSITIVE), (operator.matmul, "matmul", A),
]
UNARY = [
    (operator.neg, "negative", A), (abs, "abs", A), (np.exp, "exp", A), (np.log, "log", POSITIVE),
    (np.sqrt, "sqrt", POSITIVE), (np.tanh, "tanh", A), (np.absolute, "abs", A), (np.negative, "negative", A),
]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize(("function", "op", "left"), BINARY, ids=[name for _, name, _ in BINARY])
def test_an_operator_records_its_op_whichever_side_is_a_tensor(function, op, left):
    sides = [(dl.Tensor(left), dl.Tensor(B)), (dl.Tensor(left), B), (left, dl.Tensor(B))]
    sides += [(dl.Tensor(left), B.tolist()), (left.tolist(), dl.Tensor(B))]
    for x, y in sides:
        with dl.Tape() as tape:
            z = function(x, y)
        assert [record.op for record in tape.records] == [op]
        assert isinstance(z, dl.Tensor)
        np.testing.assert_allclose(z.data, function(left, B), rtol=1e-15)


@pytest.mark.parametrize(("function", "op", "left"), BINARY[:-1], ids=[name for _, name, _ in BINARY[:-1]])
@pytest.mark.parametrize("number", [2, 2.0, np.float64(2), np.float32(2), np.int64(2), np.array(2.0)])
def test_an_operator_takes_numbers_on_either_side(function, op, left, number):
    small = dl.Tensor(left.astype(np.float32))
    for tensor in (dl.Tensor(left), small):
        z = function(tensor, number)
        np.testing.assert_allclose(z.data, function(left, 2.0), rtol=1e-6)
        assert z.dtype == tensor.dtype
        positive = dl.Tensor(np.abs(tensor.data))
        z = function(number, positive)
        assert isinstance(z, dl.Tensor)
        np.testing.assert_allclose(z.data, function(2.0, POSITIVE), rtol=1e-6)
        assert z.dtype == tensor.dtype


@pytest.mark.parametrize("sides", [(dl.Tensor(A), B), (A, dl.Tensor(B)), (dl.Tensor(A), dl.Tensor(B))])
def test_divmod_gives_two_tensors(sides):
    for part, expected in zip(divmod(*sides), np.divmod(A, B), strict=True):
        assert isinstance(part, dl.Tensor)
        np.testing.assert_allclose(part.data, expected)


@pytest.mark.parametrize(("function", "op", "argument"), UNARY)
def test_functions_of_one_argument(function, op, argument):
    with dl.Tape() as tape:
        z = function(dl.Tensor(argument))
    assert [record.op for record in tape.records] == [op]
    np.testing.assert_allclose(z.data, function(argument), rtol=1e-15)


@pytest.mark.parametrize("ufunc", [np.maximum, np.minimum, np.add, np.multiply, np.power, np.matmul])
def test_ufuncs_that_have_an_op(ufunc):
    np.testing.assert_allclose(ufunc(dl.Tensor(POSITIVE), B).data, ufunc(POSITIVE, B))
    np.testing.assert_allclose(ufunc(POSITIVE, dl.Tensor(B)).data, ufunc(POSITIVE, B))


def test_plus_gives_the_tensor_itself():
    t = dl.Tensor(A)
    assert +t is t
    assert np.positive(t) is t


@pytest.mark.parametrize("compare", COMPARISONS)
def test_comparisons_give_plain_arrays_from_both_sides(compare):
    b = np.where(A > 1, A, B)
    for x, y in ((dl.Tensor(A), dl.Tensor(b)), (dl.Tensor(A), b), (A, dl.Tensor(b))):
        found = compare(x, y)
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, compare(A, b))
    for number in (0.5, 2, np.float64(0.5)):
        np.testing.assert_array_equal(compare(dl.Tensor(A), number), compare(A, number))
        np.testing.assert_array_equal(compare(number, dl.Tensor(A)), compare(number, A))


def test_methods_are_the_ops_of_their_names():
    x = dl.Tensor(POSITIVE)
    for name in ("exp", "log", "sqrt", "abs", "sum", "mean", "var", "max", "min"):
        np.testing.assert_array_equal(getattr(x, name)().data, getattr(ops, name)(x).data)
    for name in ("sum", "mean", "var", "max", "min"):
        assert getattr(x, name)(axis=1, keepdims=True).shape == (2, 1)
    assert x.var(ddof=1).item() == pytest.approx(POSITIVE.var(ddof=1))
    assert x.clip(1, 2).data.tolist() == [[1.5, 2], [1, 2]]


def test_the_operators_are_differentiable():
    dl.gradcheck(lambda x, y: (-x + 2 - y * x / 3 - 1 / y) ** 2 @ y.T + abs(x) + (2 - x) % 3 + 2**y, A, B)
