"""Median and range over seeds, with missing and diverged values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.plots.seeds import finite_range, median, seed_values

numbers = st.one_of(st.floats(-1e6, 1e6), st.just(np.nan), st.just(-np.inf))


columns_of = st.integers(1, 6).map(lambda seeds: st.lists(numbers, min_size=seeds, max_size=seeds))
tables = columns_of.flatmap(lambda column: st.lists(column, min_size=1, max_size=4))


@given(tables)
def test_median_and_range_are_those_of_the_values_that_are_there(columns):
    values = np.array(columns).T
    low, high = finite_range(values)
    for column, middle, least, most in zip(columns, median(values), low, high, strict=True):
        there = [v for v in column if not np.isnan(v)]
        finite = [v for v in there if np.isfinite(v)]
        np.testing.assert_array_equal([least, most], [min(finite), max(finite)] if finite else [np.nan] * 2)
        if not there:
            assert np.isnan(middle)
        elif len(finite) == len(there):
            assert middle == pytest.approx(np.median(there))
        elif 2 * len(finite) <= len(there):
            assert middle == -np.inf


def test_runs_at_both_infinities_have_no_median():
    assert np.isnan(median(np.array([[np.inf], [-np.inf]])))[0]


def test_one_seed_may_come_as_one_row():
    assert seed_values([1, 2, 3], 3, "here").shape == (1, 3)


def test_absurdly_large_values_count_as_infinite():
    np.testing.assert_array_equal(seed_values([1e200, -1e300, 1], 3, "here"), [[np.inf, -np.inf, 1]])


def test_the_callers_array_stays_as_it_was():
    given_values = np.array([[1e200, 1.0]])
    seed_values(given_values, 2, "here")
    assert given_values[0, 0] == 1e200


WRONG = [[1, 2], [[1, 2]], [[[1, 2, 3]]], np.empty((0, 3)), [[1, 2, 3], [1]], ["a", "b", "c"]]


@pytest.mark.parametrize("values", WRONG)
def test_other_shapes_are_refused(values):
    with pytest.raises(ValueError, match=r"here expects values of shape \(3,\), or \(seeds, 3\), got "):
        seed_values(values, 3, "here")
