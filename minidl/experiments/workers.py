"""Processes that train side by side, each on one BLAS thread: the same on every platform."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from minidl.checks import whole
from minidl.engine.blocks import set_threads


@contextmanager
def worker_processes(workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """An executor of so many processes for `compare`; None for one worker, which is this process itself.

    They are started with `spawn`, as on Windows and macOS, so a script that uses them needs the main guard,
    `if __name__ == "__main__":`. Leaving the block by an exception cancels what hasn't begun.

    Raises:
        ValueError: no whole number of 1 or more.

    """
    if whole("worker_processes", "workers", workers) == 1:
        yield None
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_prepare_worker
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare_worker() -> None:
    set_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker waits for work on a pipe that it holds open itself, so it would outlive a killed parent."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
