"""Checks of arguments that several functions of this package share."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from minidl.datasets import Data

Statistics: TypeAlias = Literal["moving", "population"]


def whole(where: str, name: str, value: Any, least: int = 1) -> int:
    """The value as an int; ValueError unless it is a whole number of `least` or more."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{where} expects {name} to be a whole number of {least} or more, got {value!r}")
    return int(value)


def check_statistics(where: str, statistics: Statistics, training_data: Data | None) -> None:
    """Raise unless the choice of statistics can be met."""
    if statistics not in ("moving", "population"):
        raise ValueError(f"{where} expects statistics 'moving' or 'population', got {statistics!r}")
    if statistics == "population" and training_data is None:
        raise ValueError(f"{where} expects training_data= for statistics='population': pass the training set")
