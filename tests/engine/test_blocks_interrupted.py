"""Ctrl-C, and changes from another thread, at any moment of shared work: the threads serve the next one."""

from __future__ import annotations

import sys
import threading

import pytest

import minidl as dl
from minidl.engine import blocks


@pytest.fixture(autouse=True)
def two_threads():
    before = blocks.get_threads()
    dl.set_threads(2)
    yield
    blocks._State.users = 0
    dl.set_threads(before)


def work() -> list[int]:
    return blocks.map_blocks(lambda start, stop: stop, 64)


def interrupted_at(event: int) -> bool:
    """Do the work with Ctrl-C where Python looks for signals: as a function begins, after a call of C."""
    left = event

    def profile(frame, what, argument):
        nonlocal left
        if what in ("call", "c_return"):
            left -= 1
        if left < 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(before)
    return False


def test_after_an_interrupt_anywhere_the_threads_serve_the_next_one():
    work()
    event = 0
    while interrupted_at(event):
        results: list[list[int]] = []
        thread = threading.Thread(target=lambda: results.append(work()), daemon=True)     # noqa: B023
        thread.start()
        thread.join(10)
        assert results == [[16, 32, 48, 64]], f"after an interrupt at event {event}"
        event += 1
    assert event > 20


def test_an_interrupt_while_the_threads_begin_leaves_no_fewer_for_the_next_one():
    def fresh() -> None:
        blocks._State.users = 0
        dl.set_threads(3)
        dl.set_threads(2)

    fresh()
    event = 0
    while interrupted_at(event):
        meeting = threading.Barrier(2, timeout=10)
        blocks.map_blocks(lambda start, stop: meeting.wait(), 32)       # noqa: B023
        fresh()
        event += 1
    assert event > 20


def test_an_interrupt_in_blas_itself_is_made_good_by_the_next_user(monkeypatch):
    class Library:
        threads = 2
        interrupts = False

        def get_num_threads(self):
            return self.threads

        def set_num_threads(self, n):
            self.threads = n
            if self.interrupts:
                raise KeyboardInterrupt

    library = Library()
    monkeypatch.setattr(blocks._State, "blas", [(library.get_num_threads, library.set_num_threads)])
    for interrupt in (blocks.hold_blas, blocks.release_blas):
        if interrupt is blocks.release_blas:
            blocks.hold_blas()
        library.interrupts = True
        with pytest.raises(KeyboardInterrupt):
            interrupt()
        library.interrupts = False
        assert blocks._State.users == 0
        with blocks.one_blas_thread():
            assert library.threads == 1
        assert library.threads == 2


def test_threads_set_to_one_while_another_thread_is_about_to_share(monkeypatch):
    hold = blocks.hold_blas

    def late():
        dl.set_threads(1)
        hold()

    monkeypatch.setattr(blocks, "hold_blas", late)
    assert work() == [16, 32, 48, 64]
