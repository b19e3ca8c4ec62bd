"""Outcomes of runs and steps to a level, at their limits."""

import math

import pytest

from minidl.experiments.outcome import outcome, steps_to


@pytest.mark.parametrize(
    ("accuracy", "finite", "expected"),
    [
        (0.1999, True, "stuck"),
        (0.2, True, "unfinished"),
        (0.8999, True, "unfinished"),
        (0.9, True, "trained"),
        (0.99, False, "non-finite"),
    ],
)
def test_outcome_at_its_limits(accuracy, finite, expected):
    assert outcome(accuracy, finite) == expected


def test_steps_to_needs_two_evaluations_in_a_row():
    assert steps_to(0.9, [1, 2, 4, 8], [0.95, 0.5, 0.9, 0.9]) == 4
    assert steps_to(0.9, [1, 2, 4, 8], [0.95, 0.5, 0.9, 0.8]) == math.inf
    assert steps_to(0.9, [1, 2], [0.1, 0.99]) == math.inf, "the last one alone proves nothing"
    assert steps_to(0.9, [], []) == math.inf
