"""Blocks where the system is another one: no list of cores, and a process forked at a bad moment."""

from __future__ import annotations

import os

import pytest

import minidl as dl
from minidl.engine import blocks


@pytest.mark.parametrize(("count", "expected"), [(3, 3), (None, 1)])
def test_without_a_list_of_cores_their_number_is_taken_as_far_as_known(count, expected, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)     # as on Windows and macOS
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert blocks.cores() == expected


def test_only_the_cores_that_this_process_may_use_count(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 8} if pid == 0 else {}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert blocks.cores() == 3


def test_a_child_that_was_forked_while_others_computed_has_its_own_lock_and_threads():
    before = blocks.get_threads()
    dl.set_threads(2)
    blocks.map_blocks(lambda start, stop: stop, 64)
    blocks._lock.acquire()
    blocks._State.users = 1         # what the child inherits of a thread that it doesn't have
    blocks._after_fork()
    assert (blocks._State.pool, blocks._State.users) == (None, 0)
    assert not blocks._lock.locked()
    assert blocks.map_blocks(lambda start, stop: stop, 32) == [16, 32]
    blocks.release_blas()       # of a tape that was open at the fork
    assert blocks._State.users == 0
    dl.set_threads(before)      # refused as long as threads are in use
