from __future__ import annotations

import math

import numpy as np
import pytest

from minidl.checks import number_in, whole


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_gives_a_python_int(value):
    assert whole("f", "n", value) == 3 and type(whole("f", "n", value)) is int


@pytest.mark.parametrize("value", [0, -1, True, 1.0, 1.5, np.float32(2), "3", None, [3], np.ones(1, int)])
def test_whole_refuses(value):
    with pytest.raises(ValueError, match=r"^f expects n to be a whole number of 1 or more, got "):
        whole("f", "n", value)


def test_whole_from_the_least_on():
    assert whole("f", "n", 0, least=0) == 0
    with pytest.raises(ValueError, match="of 2 or more, got 1"):
        whole("f", "n", 1, least=2)


@pytest.mark.parametrize(("value", "interval"), [(0, "[0, 1)"), (1, "(0, 1]"), (np.float32(0.5), "(0, 1)")])
def test_number_in(value, interval):
    assert number_in("f", "x", value, interval) == value
    assert type(number_in("f", "x", value, interval)) is float


@pytest.mark.parametrize(("value", "interval"), [
    (1, "[0, 1)"), (0, "(0, 1]"), (math.inf, "[0, inf)"), (math.nan, "[0, inf)"), (True, "[0, 1]"),
    (10**400, "(0, inf)"), (-(10**400), "(-inf, 0)"),
])
def test_a_number_outside(value, interval):
    with pytest.raises(ValueError, match=r"^f expects x to be a number in .* or else, got .{1,60}$"):
        number_in("f", "x", value, interval, " or else")
