"""The claims and their contrasts, as `claims.toml` states them before anything is measured."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Contrast:
    """A difference between two arms, paired by seed; positive speaks for the claim.

    Attributes:
        name: short.
        question: what is subtracted from what.
        unit: of the difference.
        smallest: the smallest effect that matters.

    """

    name: str
    question: str
    unit: str
    smallest: float


@dataclass(frozen=True)
class Claim:
    """A claim about batch normalization.

    Attributes:
        experiment: the experiment that tests it.
        claim: one sentence.
        source: who makes it, and where.
        contrasts: all of them must agree for a verdict.

    """

    experiment: str
    claim: str
    source: str
    contrasts: tuple[Contrast, ...]

    @property
    def smallest(self) -> dict[str, float]:
        """The smallest effect that matters, by contrast."""
        return {contrast.name: contrast.smallest for contrast in self.contrasts}


@cache
def claims() -> dict[str, Claim]:
    """All claims, by experiment, in their order.

    Example:
        >>> claims()["learning-rates"].claim
        'Batch normalization permits higher learning rates.'

    """
    table = tomllib.loads(
        resources.files("minidl.experiments").joinpath("claims.toml").read_text(encoding="utf-8")
    )
    return {
        name: Claim(name, entry["claim"], entry["source"], tuple(Contrast(**c) for c in entry["contrasts"]))
        for name, entry in table.items()
    }
