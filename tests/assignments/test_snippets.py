"""Each snippet that a student may be shown works as it stands, line by line, in a Python prompt."""

from __future__ import annotations

import code
import io
import shutil
from contextlib import redirect_stderr, redirect_stdout

import pytest

from minidl.grading.course.assignment import read_visible
from minidl.grading.course.judging import Judgement, relative_error
from minidl.grading.course.reproduce import LONGEST, snippet
from tests.assignments.materials import materials

each = pytest.mark.parametrize("material", materials(), ids=lambda material: material.assignment.name)


def snippets(material):
    """Every visible check and case as if its first quantity were wrong: the snippet, and what is expected."""
    for check in read_visible(material.assignment):
        for number, case in enumerate(check.cases):
            name, right = next(iter(case.expected.items()))
            place = (0,) * right.ndim
            judgement = Judgement(check, False, case=number, first_wrong=place, wrong_name=name)
            lines = snippet(judgement, material.assignment.name, material.assignment.starter)
            assert len([line for line in lines if line]) <= LONGEST
            yield lines, case.expected, check.tolerance


def typed(lines):
    """Names that are there after these lines were typed, and what was said on both streams."""
    out, err, prompt = io.StringIO(), io.StringIO(), code.InteractiveConsole()
    with redirect_stdout(out), redirect_stderr(err):
        more = [prompt.push(line) for line in lines][-1]
    assert not more, lines
    return prompt.locals, out.getvalue(), err.getvalue()


@each
def test_a_right_submission_gives_what_is_expected(material, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(material.solution, material.assignment.starter)
    for lines, expected, tolerance in snippets(material):
        names, _, err = typed(lines)
        assert not err, lines
        for name, right in expected.items():
            assert relative_error(names["np"].asarray(names[name]), right) <= tolerance, (lines, name)


@each
def test_the_starter_says_that_it_is_not_written_and_nothing_of_syntax(material, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(material.starter, ".")
    for lines, *_ in snippets(material):
        _, _, err = typed(lines)
        assert "NotImplementedError" in err
        assert "SyntaxError" not in err
        assert "IndentationError" not in err
