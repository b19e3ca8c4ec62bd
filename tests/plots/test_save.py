"""Figures are saved whole or not at all, and twice the same."""

from __future__ import annotations

import os
import re

import pytest
from matplotlib.figure import Figure

from minidl import plots


def figure() -> Figure:
    made = Figure(figsize=(4, 3), layout="constrained")
    plots.bands({"a": ([1, 2], [[1, 2], [2, 3]])}, made.subplots(), ylabel="y")
    return made


def test_png_and_svg_with_150_dots_per_inch(tmp_path):
    png, svg = plots.save(figure(), tmp_path / "new" / "lr0.5")
    assert (png.name, svg.name) == ("lr0.5.png", "lr0.5.svg")
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")) == (600, 450)
    assert svg.read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_the_same_figure_gives_the_same_bytes(tmp_path, monkeypatch):
    first = [path.read_bytes() for path in plots.save(figure(), tmp_path / "a")]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert [path.read_bytes() for path in plots.save(figure(), tmp_path / "b")] == first
    assert not re.search(rb"<dc:date>|\d{4}-\d\d-\d\dT", first[1])


def test_text_is_drawn_as_outlines(tmp_path):
    assert "<text" not in plots.save(figure(), tmp_path / "a")[1].read_text(encoding="utf-8")


def test_nothing_else_is_left_and_old_files_are_replaced(tmp_path):
    (tmp_path / "a.png").write_bytes(b"old")
    plots.save(figure(), tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg"]
    assert (tmp_path / "a.png").read_bytes() != b"old"


def test_a_figure_that_cannot_be_drawn_touches_no_file(tmp_path):
    (tmp_path / "a.png").write_bytes(b"old")
    broken = figure()
    broken.text(0.5, 0.5, r"$\nosuchcommand$")
    with pytest.raises(ValueError, match="nosuchcommand"):
        plots.save(broken, tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_an_interrupted_rename_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        plots.save(figure(), tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_a_part_of_a_figure_saves_the_whole(tmp_path):
    whole = Figure(figsize=(4, 3), layout="constrained")
    part = whole.subfigures(1, 2)[0]
    plots.save(part, tmp_path / "part")
    plots.save(whole, tmp_path / "whole")
    assert (tmp_path / "part.png").read_bytes() == (tmp_path / "whole.png").read_bytes()


@pytest.mark.parametrize("name", ["curves.png", "curves.SVG"])
def test_a_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="give the name 'curves'"):
        plots.save(figure(), tmp_path / name)
