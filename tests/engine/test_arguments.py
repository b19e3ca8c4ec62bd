"""What the arguments of an op become: one dtype for all, decided by the tensors, else by the arrays."""

from __future__ import annotations

import re

import numpy as np
import pytest

from minidl.engine.arguments import as_tensor, tensors
from minidl.engine.tensor import Tensor

SMALL, LARGE = Tensor([0.1, 0.2]), Tensor(np.array([0.1, 0.2]))


@pytest.mark.parametrize(("values", "dtype"), [
    ((SMALL, 0.1), np.float32), ((0.1, LARGE), np.float64), ((np.ones(2), SMALL), np.float32),
    ((np.float64(1), SMALL), np.float32), ((LARGE, np.ones(2, np.float32)), np.float64),
    ((1, [2.0]), np.float32), ((1, np.ones(2)), np.float64), ((1, np.float64(2)), np.float64),
    ((np.ones(2, np.float32), 0.5), np.float32), ((np.ones(2, np.float32), np.ones(2)), np.float64),
    ((np.arange(2), True), np.float32), ((np.ones(2, np.float16), 1), np.float32), ((0.5,), np.float32),
])
def test_all_become_tensors_of_one_dtype(values, dtype):
    found = tensors("op", *values)
    assert [type(t) for t in found] == [Tensor] * len(values)
    assert [t.dtype for t in found] == [dtype] * len(values)
    for t, value in zip(found, values, strict=True):
        assert t is value or not isinstance(value, Tensor)
        np.testing.assert_allclose(t.data, np.asarray(value), rtol=1e-6)


def test_a_number_reaches_the_tensors_dtype_in_one_step():
    assert tensors("op", LARGE, 0.1)[1].item() == 0.1
    assert tensors("op", np.ones(1), 0.1)[1].item() == 0.1


def test_tensors_of_two_dtypes_are_refused():
    message = (
        "op expects one dtype, got float32 and float64: "
        "convert the model with model.astype(...), or the array with .astype(...)"
    )
    for values in ((SMALL, LARGE), (LARGE, 1.0, SMALL)):
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            tensors("op", *values)


def test_one_argument_as_a_tensor():
    assert as_tensor(SMALL) is SMALL
    assert as_tensor([1.0]).dtype == np.float32
    assert as_tensor(np.ones(2)).dtype == np.float64
