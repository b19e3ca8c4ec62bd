"""The styles of arms can be told apart, by the colour-blind and without colour."""

from __future__ import annotations

import pytest

from minidl.plots import arm_style
from minidl.plots.style import OKABE_ITO


def test_neighbours_differ_in_colour_line_and_marker():
    for i in range(20):
        a, b = arm_style(i), arm_style(i + 1)
        assert a.color != b.color
        assert a.linestyle != b.linestyle
        assert a.marker != b.marker


def test_without_colour_36_arms_differ():
    assert len({(arm_style(i).linestyle, arm_style(i).marker) for i in range(36)}) == 36


def test_colours_are_okabe_and_itos():
    assert set(OKABE_ITO) < {
        "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
    }
    assert [arm_style(i).color for i in range(7)] == list(OKABE_ITO)


def test_a_long_line_has_about_ten_markers():
    for points in (1, 12, 13, 1000):
        every = arm_style(0).line(points)["markevery"]
        assert min(points, 6) <= -(-points // every) <= 12


def test_a_negative_number_is_refused():
    with pytest.raises(ValueError, match="got -1: count from 0"):
        arm_style(-1)
