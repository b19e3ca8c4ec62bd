"""Runs are made once a session: they take seconds."""

from __future__ import annotations

import pytest

from tests.report.runs import write_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    return write_runs(tmp_path_factory.mktemp("runs"))
