"""From paired differences to a verdict: intervals, and what they decide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SUPPORTED, NOT_SUPPORTED, MIXED, INCONCLUSIVE = "supported", "not supported", "mixed", "inconclusive"
REACHED, MISSED, UNDECIDED = "reached", "missed", "undecided"      # of a single contrast
LEVEL = 0.95
RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """95 % intervals for the mean of paired differences.

    Attributes:
        mean: of the differences.
        t: Student's interval.
        bootstrap: percentiles of the means of resampled differences.
        n: number of differences, one a seed.

    """

    mean: float
    t: tuple[float, float]
    bootstrap: tuple[float, float]
    n: int

    @property
    def decisive(self) -> tuple[float, float]:
        """The wider of the two, which decides."""
        return max(self.t, self.bootstrap, key=lambda bounds: bounds[1] - bounds[0])

    def against(self, smallest: float) -> str:
        """Whether the smallest effect that matters is "reached", "missed" or "undecided"."""
        low, high = self.decisive
        return REACHED if low >= smallest else MISSED if high < smallest else UNDECIDED


def paired_interval(differences: Sequence[float]) -> Interval:
    """The intervals of differences between two arms, one difference a seed.

    Raises:
        ValueError: fewer than two, or one that isn't finite: say in the analysis what a lost run counts.

    Example:
        >>> paired_interval([1.0, 2.0, 3.0]).t
        (-0.484..., 4.484...)

    """
    d = np.asarray(differences, np.float64)
    if d.ndim != 1 or len(d) < 2 or not np.isfinite(d).all():
        raise ValueError(f"paired_interval expects two or more finite differences, got {list(differences)}")
    mean = float(d.mean())
    reach = _t_quantile((1 + LEVEL) / 2, len(d) - 1) * float(d.std(ddof=1)) / math.sqrt(len(d))
    picks = np.random.default_rng(0).integers(len(d), size=(RESAMPLES, len(d)))
    low, high = np.percentile(d[picks].mean(axis=1), (50 * (1 - LEVEL), 50 * (1 + LEVEL)))
    return Interval(mean, (mean - reach, mean + reach), (float(low), float(high)), len(d))


def verdict(intervals: Mapping[str, Interval], smallest: Mapping[str, float]) -> str:
    """What the contrasts of a claim say together.

    Supported: the lower bound reaches the smallest effect in every contrast. Not supported: the upper bound
    stays under it in every one. Mixed: some each way, and all decided. Inconclusive: anything else.

    Raises:
        ValueError: names that aren't the same in both, or none.

    Example:
        >>> verdict({"faster": paired_interval([2.0, 2.1, 1.9])}, {"faster": 1.0})
        'supported'

    """
    if intervals.keys() != smallest.keys() or not intervals:
        raise ValueError(f"verdict expects the contrasts {list(smallest)}, got {list(intervals)}")
    found = {intervals[name].against(smallest[name]) for name in smallest}
    if UNDECIDED in found:
        return INCONCLUSIVE
    return MIXED if len(found) > 1 else SUPPORTED if found == {REACHED} else NOT_SUPPORTED


def _t_quantile(p: float, freedom: int) -> float:
    """Student's t: the value below which it lies with probability p, above 1/2."""
    norm = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def beyond_the_middle(x: float) -> float:
        # ∫ (1 + t²/ν)^-(ν+1)/2 dt from 0 to x; with t = √ν tan a the integrand is cos(a)^(ν-1), tame.
        angles = np.linspace(0, math.atan(x / math.sqrt(freedom)), 4001)
        return norm * math.sqrt(freedom) * float(np.trapezoid(np.cos(angles) ** (freedom - 1), angles))

    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond_the_middle(middle) < p - 0.5 else (low, middle)
    return middle
