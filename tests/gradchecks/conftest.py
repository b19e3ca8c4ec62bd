"""Two threads of which a test can say that both were at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minidl as dl
from minidl.engine import blocks

map_blocks = blocks.map_blocks


@pytest.fixture
def pool_of_two(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Two threads. The first two blocks of each call wait for each other, so both threads must be at work.

    Yields the names of the threads that worked on blocks.
    """
    before, names = blocks.get_threads(), []

    def meeting(
        function: Callable[[int, int], Any],
        count: int,
        size: int = blocks.IMAGES_IN_A_BLOCK,
        numbers: int = 0,
    ) -> Any:
        barrier = threading.Barrier(2, timeout=60)
        together = blocks.get_threads() == 2 and count > size

        def work(start: int, stop: int) -> Any:
            names.append(threading.current_thread().name)
            if together and start < 2 * size:
                barrier.wait()
            return function(start, stop)

        return map_blocks(work, count, size)        # shared, however small it is

    for module in ("ops.conv", "ops.pool", "ops.columns", "engine.blocks"):
        monkeypatch.setattr(f"minidl.{module}.map_blocks", meeting)
    monkeypatch.setattr("minidl.ops.pool.POOLED", 1)        # a block for each image
    dl.set_threads(2)
    yield names
    dl.set_threads(before)


def both_threads_worked(names: list[str]) -> bool:
    return len(set(names)) == 2      # the caller's, and one of the pool
