"""Work on a batch in blocks, on threads: the one place that knows how many there are, BLAS's among them."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from minidl.checks import whole

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

IMAGES_IN_A_BLOCK = 16      # so few that their columns stay near the second-level cache

_lock = threading.Lock()


class _State:
    """The process's threads; OpenBLAS's number of them is the process's too, so it changes under a lock."""

    threads: int | None = None
    pool: ThreadPoolExecutor | None = None
    controller: Any = None
    limiter: Any = None
    users = 0


def _default_threads() -> int:
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        text = os.environ.get(variable, "")
        if text.isdecimal() and int(text) > 0:
            return int(text)
    return cores()


def cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_threads() -> int:
    """The number of threads in use: as set, else OMP_NUM_THREADS or OPENBLAS_NUM_THREADS, else the cores."""
    if _State.threads is None:
        _State.threads = _default_threads()
    return _State.threads


def set_threads(n: int) -> None:
    """Use n threads from now on, in this process: for blocks of images and inside BLAS.

    Args:
        n: 1 or more. One thread a process is best where several processes train at once.

    Raises:
        ValueError: no whole number of 1 or more.
        RuntimeError: while a computation uses the threads.

    """
    n = whole("set_threads", "n", n)
    with _lock:
        if _State.users:
            raise RuntimeError("set_threads can't change threads that a computation uses: wait for its end")
        if _State.pool is not None and n != _State.threads:
            _State.pool.shutdown(wait=False)
            _State.pool = None
        _State.threads = n
        _controller().limit(limits=n, user_api="blas")


def map_blocks(function: Callable[[int, int], T], count: int, size: int = IMAGES_IN_A_BLOCK) -> list[T]:
    """Call `function(start, stop)` for each block of `size` out of `count`; results in the order of blocks.

    Blocks have a fixed size and results an order, so sums over them don't depend on the number of threads.
    """
    starts = range(0, count, size)
    if len(starts) < 2 or get_threads() < 2:
        return [function(start, min(start + size, count)) for start in starts]
    with _one_blas_thread() as pool:
        # Each block runs in a copy of the caller's context, where NumPy keeps its error state (np.errstate).
        futures = [
            pool.submit(contextvars.copy_context().run, function, start, min(start + size, count))
            for start in starts
        ]
        return [future.result() for future in futures]


@contextmanager
def _one_blas_thread() -> Iterator[ThreadPoolExecutor]:
    """The pool, while BLAS is held to one thread; the last user of several gives BLAS its threads back."""
    with _lock:
        if _State.pool is None:
            from concurrent.futures import ThreadPoolExecutor

            _State.pool = ThreadPoolExecutor(get_threads(), thread_name_prefix="minidl")
        pool = _State.pool
        if _State.users == 0:
            _State.limiter = _controller().limit(limits=1, user_api="blas")
        _State.users += 1
    try:
        yield pool
    finally:
        with _lock:
            _State.users -= 1
            if _State.users == 0:
                _State.limiter.restore_original_limits()


def _controller() -> Any:
    if _State.controller is None:
        import threadpoolctl  # type: ignore[import-untyped]

        _State.controller = threadpoolctl.ThreadpoolController()    # looks through all libraries: only once
    return _State.controller


def _after_fork() -> None:
    """A forked child has none of its parent's threads, and perhaps a lock that nobody will open."""
    global _lock
    _lock = threading.Lock()
    _State.pool = None
    _State.users = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
