"""divmod with a Python number left of a tensor, which has a method of its own."""

from __future__ import annotations

import numpy as np

import minidl as dl

ARRAY = np.array([[0.5, -1.5], [2.0, 3.0]])


def test_divmod_of_a_number_gives_two_tensors():
    for part, expected in zip(divmod(2.5, dl.Tensor(ARRAY)), divmod(2.5, ARRAY), strict=True):
        assert isinstance(part, dl.Tensor)
        np.testing.assert_array_equal(part, expected)
