"""Checks of arguments that several functions of this package share."""

from __future__ import annotations

from typing import Literal, TypeAlias

from minidl.datasets import Data

Statistics: TypeAlias = Literal["moving", "population"]


def check_statistics(where: str, statistics: Statistics, training_data: Data | None) -> None:
    """Raise unless the choice of statistics can be met."""
    if statistics not in ("moving", "population"):
        raise ValueError(f"{where} expects statistics 'moving' or 'population', got {statistics!r}")
    if statistics == "population" and training_data is None:
        raise ValueError(f"{where} expects training_data= for statistics='population': pass the training set")
