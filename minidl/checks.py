"""Checks of arguments that all rooms share: whole numbers, and numbers in an interval."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np


def whole(where: str, name: str, value: Any, least: int = 1) -> int:
    """The value as a Python int, if it is a whole number of `least` or more; else a ValueError.

    Example:
        >>> whole("Dense", "in_features", 1.5)
        Traceback (most recent call last):
            ...
        ValueError: Dense expects in_features to be a whole number of 1 or more, got 1.5

    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        got = f"{value!r:.60}"
        raise ValueError(f"{where} expects {name} to be a whole number of {least} or more, got {got}")
    return int(value)


def number_in(where: str, name: str, value: Any, interval: str, otherwise: str = "") -> float:
    """The value as a Python float, if it is a number in the interval; else a ValueError of one sentence.

    A Python float, because a NumPy float64 would turn float32 arrays that it meets into float64.

    Example:
        >>> number_in("Dropout", "rate", 1, "[0, 1)")
        Traceback (most recent call last):
            ...
        ValueError: Dropout expects rate to be a number in [0, 1), got 1

    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:       # a Python int beyond all floats
        number = math.nan
    low, high = (float(end) for end in interval[1:-1].split(","))
    closed = [end for end, mark in ((low, "["), (high, "]")) if mark in interval]
    if not (low < number < high or number in closed):
        raise ValueError(f"{where} expects {name} to be a number in {interval}{otherwise}, got {value!r:.60}")
    return number
