"""What the grader's tests share."""

from __future__ import annotations

import pytest

from tests.grading.course import tiny


@pytest.fixture
def course(tmp_path):
    assignment, hidden = tiny.write(tmp_path)
    return assignment, hidden, tmp_path
