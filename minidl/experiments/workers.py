"""Processes that train side by side, each on one BLAS thread, and what they are given to do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import TypeVar

from minidl.checks import whole
from minidl.engine.blocks import set_threads

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def worker_processes(workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """An executor of so many processes for `compare`; None for one worker, which is this process itself.

    They are started with `spawn`, as on Windows and macOS, so a script that uses them needs the main guard,
    `if __name__ == "__main__":`. Leaving the block, by Ctrl-C for example, ends them at once, also in the
    middle of a run; they themselves ignore Ctrl-C.

    Raises:
        ValueError: no whole number of 1 or more.

    """
    if whole("worker_processes", "workers", workers) == 1:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    left = context.Event()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker, initargs=(left,))
    try:
        yield pool
    finally:
        left.set()
        pool.shutdown(wait=True, cancel_futures=True)


def results_of(
    function: Callable[[Item], Result], items: Sequence[Item], executor: Executor | None
) -> Iterator[tuple[int, Result]]:
    """(number of the item, `function(item)`) as they come: from an executor, or one after the other, here.

    What hasn't begun is cancelled where the caller stops asking.

    Raises:
        RuntimeError: a worker process was killed.

    """
    if executor is None:
        for i, item in enumerate(items):
            yield i, function(item)
        return
    futures = {executor.submit(function, item): i for i, item in enumerate(items)}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a worker process was killed, perhaps for lack of memory: use fewer workers"
        ) from error
    finally:
        for future in futures:
            future.cancel()


def _prepare_worker(left: Event) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # a terminal sends it to all; the parent decides
    set_threads(1)
    threading.Thread(target=_end_with_block, args=(left,), daemon=True).start()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_block(left: Event) -> None:
    """Nobody waits for the run under way any more."""
    left.wait()
    os._exit(0)


def _end_with_parent() -> None:
    """A worker waits for work on a pipe that it holds open itself, so it would outlive a killed parent."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
