"""Intervals and verdicts: against tables, and each of the four outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from minidl.experiments.lab import paired_interval, verdict
from minidl.experiments.lab.statistics import _t_quantile

# Student's t, 97.5 %, from the usual tables.
TABLE = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 5: 2.5706, 9: 2.2622, 30: 2.0423, 120: 1.9799}


@pytest.mark.parametrize(("freedom", "value"), TABLE.items())
def test_quantiles_of_student(freedom, value):
    assert _t_quantile(0.975, freedom) == pytest.approx(value, abs=1e-4)


def test_an_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        low, high = paired_interval(rng.normal(1.0, 2.0, 10)).t
        covered += low <= 1.0 <= high
    assert 0.91 <= covered / 300 <= 0.99


def test_the_wider_interval_decides():
    interval = paired_interval([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10.0])
    assert interval.decisive in (interval.t, interval.bootstrap)
    widths = [high - low for low, high in (interval.t, interval.bootstrap)]
    low, high = interval.decisive
    assert high - low == max(widths)
    assert interval == paired_interval([0.0] * 9 + [10.0])      # the same resamples each time


@pytest.mark.parametrize("differences", [[], [1.0], [1.0, np.nan], [1.0, np.inf], [[1.0, 2.0]]])
def test_differences_that_say_nothing(differences):
    with pytest.raises(ValueError, match="paired_interval expects two or more finite differences, got"):
        paired_interval(differences)


YES, NO, OPEN = [2.0, 2.1, 1.9, 2.05], [0.0, 0.1, -0.1, 0.05], [0.0, 3.0, -1.0, 2.0]


@pytest.mark.parametrize(("first", "second", "expected"), [
    (YES, YES, "supported"),
    (NO, NO, "not supported"),
    (YES, NO, "mixed"),
    (NO, YES, "mixed"),
    (YES, OPEN, "inconclusive"),
    (NO, OPEN, "inconclusive"),
    (OPEN, OPEN, "inconclusive"),
])
def test_the_four_outcomes(first, second, expected):
    intervals = {"a": paired_interval(first), "b": paired_interval(second)}
    assert verdict(intervals, {"a": 1.0, "b": 1.0}) == expected


def test_a_bound_at_the_smallest_effect_reaches_it():
    same = {"a": paired_interval([1.0, 1.0, 1.0])}
    assert verdict(same, {"a": 1.0}) == "supported"
    assert verdict(same, {"a": 1.0 + 1e-12}) == "not supported"


@pytest.mark.parametrize("smallest", [{}, {"b": 1.0}, {"a": 1.0, "b": 1.0}])
def test_contrasts_that_do_not_fit_the_claim(smallest):
    with pytest.raises(ValueError, match="verdict expects the contrasts"):
        verdict({"a": paired_interval(YES)}, smallest)
