"""Work in blocks, on threads: the one place that knows how many there are, BLAS's among them.

NumPy and BLAS let go of Python's lock while they compute, so threads share the work of one process. Blocks
have a fixed size and results an order: nothing depends on the number of threads.
"""

from __future__ import annotations

import contextvars
import itertools
import math
import os
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

import numpy as np

from minidl.checks import whole
from minidl.engine.array import Array

T = TypeVar("T")
Controls: TypeAlias = tuple[Callable[[], int], Callable[[int], None]]      # get and set a number of threads
# Not concurrent.futures: its locks open and close in Python, where Ctrl-C may leave one closed for ever.
Tasks: TypeAlias = "SimpleQueue[Callable[[], None] | None]"

IMAGES_IN_A_BLOCK = 16      # so few that their columns stay near the second-level cache
BLOCK = 1 << 17             # numbers in a block of elementwise work: one or two of them fit into that cache
WORTH_SHARING = 5 << 17     # numbers to work on: 0.2 to 0.4 ms for an activation; waking a thread costs 0.04
BLAS_SHARES = 1 << 18       # multiplications from which OpenBLAS would use its own threads
COLUMNS, ROWS = 256, 64     # at least so many in a block of a matrix product
WORTH_THREADS = 1 << 24     # multiplications in a matrix product: 0.16 ms

_lock = threading.Lock()


class _State:
    """The process's threads; OpenBLAS's number of them is the process's too, so it changes under a lock."""

    threads: int | None = None
    pool: Tasks | None = None                   # served by one thread less: the caller works too
    blas: list[Controls] | None = None
    before: tuple[int, ...] = ()                # BLAS's own numbers of threads, while it is held to one
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
    """Use n threads from now on, in this process: for blocks of a batch, and for BLAS outside of minidl.

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
            for _ in range(get_threads() - 1):
                _State.pool.put(None)       # each sends one thread home
            _State.pool = None
        _State.threads = n
        _State.before = ()
        for _, set_number in _blas():
            set_number(n)


def map_blocks(
    function: Callable[[int, int], T],
    count: int,
    size: int = IMAGES_IN_A_BLOCK,
    numbers: int = WORTH_SHARING,
) -> list[T]:
    """Call `function(start, stop)` for each block of `size` of `count`; results in the order of blocks.

    BLAS has one thread inside, however many threads share the blocks.

    Args:
        function: computes a block.
        count: how many there are of what blocks are made of: images, rows, numbers.
        size: how many of them are a block.
        numbers: on how many numbers all blocks together work; threads share them where that is worth it.

    """
    starts = range(0, count, size)
    threads = min(get_threads(), len(starts))
    if threads < 2 or numbers < WORTH_SHARING:
        with one_blas_thread():     # as where threads share the blocks: BLAS's would add in another order
            return [function(start, min(start + size, count)) for start in starts]
    turns = deque(starts)       # whoever is free takes the next block: popleft is atomic
    results: dict[int, T] = {}
    asked, ends = deque(range(threads - 1)), SimpleQueue[BaseException | None]()

    def work() -> None:
        while (start := _next(turns)) is not None:
            results[start] = function(start, min(start + size, count))

    def help_out(context: contextvars.Context) -> None:
        if _next(asked) is None:        # all was done before this thread had time
            return
        try:
            context.run(work)
        except BaseException as error:
            ends.put(error)
        else:
            ends.put(None)

    with one_blas_thread():
        pool = _pool()
        for _ in range(threads - 1):
            # Each works in a copy of the caller's context, where NumPy keeps its error state (np.errstate).
            pool.put(partial(help_out, contextvars.copy_context()))
        try:
            work()
        finally:
            turns.clear()       # after an error nobody begins another block
            coming = threads - 1
            while _next(asked) is not None:
                coming -= 1
            errors = [error for error in [ends.get() for _ in range(coming)] if error is not None]
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()      # its traceback knows this frame: a cycle that would keep the arrays
    return [results[start] for start in starts]


def _next(numbers: deque[int]) -> int | None:
    try:
        return numbers.popleft()
    except IndexError:
        return None


def block_size(count: int, numbers: int, most: int = BLOCK) -> int:
    """How many of `count` make a block of about `most` numbers, where all together have `numbers`.

    The blocks are 1, 2, 4, 8, ...: so two threads, or four, end together.
    """
    halvings: int = max(0, round(math.log2(max(numbers, 1) / most)))
    return max(1, -(-count // (1 << halvings)))


def elementwise(formula: Callable[..., Array], *arrays: Array) -> Array:
    """`formula(*arrays, out)` of arrays of one shape, in blocks where they are large.

    For what computes each element by itself. A block's temporaries stay in the cache, an array's don't.

    Args:
        formula: takes the arrays and `out`, as ufuncs do: into which it writes, or None for a new array.
        arrays: of one shape.

    """
    first = arrays[0]
    if first.size < WORTH_SHARING:
        return formula(*arrays, None)
    flat = [a.reshape(-1) for a in arrays]
    out = np.empty(first.size, first.dtype)
    map_blocks(
        lambda start, stop: formula(*[a[start:stop] for a in flat], out[start:stop]), first.size,
        block_size(first.size, first.size), first.size,
    )
    return out.reshape(first.shape)


def matmul(a: Array, b: Array) -> Array:
    """The product of two matrices, (n, k) @ (k, m), in blocks of columns, or of rows, where it is large."""
    n, k = a.shape
    m = b.shape[1]
    work = n * k * m
    if work < BLAS_SHARES:
        # np.matmul has no BLAS for sums of one term: the weights' gradient of a single example. But np.dot
        # takes 0 times a vector for 0, NaN or not.
        return np.dot(a, b) if k == 1 < min(n, m) else np.matmul(a, b)      # type: ignore[no-any-return]
    out = np.empty((n, m), a.dtype)
    if work < WORTH_THREADS:
        with one_blas_thread():     # or BLAS's threads, which wait in a loop, would be in the way of ours
            np.matmul(a, b, out=out)
    # Each block packs the whole other matrix anew, so there are few of them. In the networks here that is the
    # examples' or the gradients', the shorter one, if the blocks are of columns.
    elif m >= 2 * COLUMNS:
        width = max(COLUMNS, -(-m // 8))
        map_blocks(lambda start, stop: np.matmul(a, b[:, start:stop], out=out[:, start:stop]), m, width)
    else:
        rows = max(ROWS, -(-n // 8))
        map_blocks(lambda start, stop: np.matmul(a[start:stop], b, out=out[start:stop]), n, rows)
    return out


class one_blas_thread:
    """Hold BLAS to one thread, so that its threads and ours don't fight for the cores.

    The last user of several gives BLAS its threads back. On small matrices they cost more than they bring:
    when another process has the second core, a product waits for it. And they wait for the next product in a
    loop, some milliseconds long, on a core that ours could use.
    """

    def __enter__(self) -> None:
        hold_blas()

    def __exit__(self, *error: object) -> None:
        release_blas()


def hold_blas() -> None:
    """Begin what `release_blas` ends: BLAS computes on one thread."""
    with _lock:
        if _State.users == 0 and get_threads() > 1:
            # This lock must count, and not threadpoolctl's limit(): OpenBLAS has one number for all threads.
            _State.before = _State.before or tuple([get_number() for get_number, _ in _blas()])
            for _, set_number in _blas():
                set_number(1)
        _State.users += 1       # last: Ctrl-C in a call above leaves nothing held, and `before` known


def release_blas() -> None:
    """End what `hold_blas` began."""
    with _lock:
        if _State.users:        # a child forked in between begins at 0
            _State.users -= 1
        if _State.users == 0 and _State.before:
            for (_, set_number), threads in zip(_blas(), _State.before, strict=True):
                set_number(threads)
            _State.before = ()


def _blas() -> list[Controls]:
    if _State.blas is None:
        try:
            import threadpoolctl  # type: ignore[import-untyped]
        except ImportError:     # it needs ctypes, which a Python built without libffi doesn't have
            _State.blas = []
            return _State.blas
        found = threadpoolctl.ThreadpoolController().lib_controllers    # searches all libraries: once
        _State.blas = [_controls(library) for library in found if library.user_api == "blas"]
    return _State.blas


def _controls(library: Any) -> Controls:
    """OpenBLAS's own functions: threadpoolctl's are slower, and obey only the first thread that asked."""
    if library.internal_api == "openblas" and library.threading_layer == "pthreads":
        for prefix, suffix in itertools.product(("", "scipy_"), ("", "64_", "_64")):    # NumPy's has both
            names = [f"{prefix}openblas_{what}_num_threads{suffix}" for what in ("get", "set")]
            get_number, set_number = [getattr(library.dynlib, name, None) for name in names]
            if get_number and set_number:
                return get_number, set_number
    return library.get_num_threads, library.set_num_threads


def _pool() -> Tasks:
    with _lock:
        if _State.pool is None:
            pool: Tasks = SimpleQueue()
            for _ in range(get_threads() - 1):
                try:
                    threading.Thread(target=_serve, args=(pool,), name="minidl", daemon=True).start()
                except RuntimeError:    # the system gives no more of them: fewer do the same work
                    break
            _State.pool = pool      # last: Ctrl-C in a call above leaves no pool that nobody serves
        return _State.pool


def _serve(tasks: Tasks) -> None:
    while (task := tasks.get()) is not None:
        task()
        del task        # and the arrays that it knows, while waiting for the next one


def _after_fork() -> None:
    """A forked child has none of its parent's threads, and perhaps a lock that nobody will open."""
    global _lock
    _lock = threading.Lock()
    _State.pool = None
    _State.users = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
