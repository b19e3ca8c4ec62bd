"""Blocks on threads: order, sizes, the number of threads, BLAS's own, errors, forks."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
import threadpoolctl

import minidl as dl
from minidl.engine import blocks


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = blocks.get_threads()
    yield
    dl.set_threads(before)


def blas_threads():
    found = threadpoolctl.threadpool_info()
    return {library["num_threads"] for library in found if library["user_api"] == "blas"}


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(("count", "expected"), [
    (0, []), (1, [(0, 1)]), (16, [(0, 16)]), (17, [(0, 16), (16, 17)]), (48, [(0, 16), (16, 32), (32, 48)]),
])
def test_blocks_have_a_fixed_size_and_results_their_order(threads, count, expected):
    dl.set_threads(threads)
    assert blocks.map_blocks(lambda start, stop: (start, stop), count) == expected


@pytest.mark.parametrize("threads", [2, 3])
def test_as_many_blocks_as_threads_run_at_once(threads):
    dl.set_threads(2)
    blocks.map_blocks(lambda start, stop: stop, 64)
    dl.set_threads(threads)     # and a new number takes the place of the old
    meeting = threading.Barrier(threads, timeout=10)
    waited = blocks.map_blocks(lambda start, stop: meeting.wait(), 16 * threads)
    assert sorted(waited) == list(range(threads))


def test_one_block_or_one_thread_needs_no_other():
    here = threading.current_thread().name
    for threads, count in ((2, 16), (1, 32)):
        dl.set_threads(threads)
        names = blocks.map_blocks(lambda start, stop: threading.current_thread().name, count)
        assert set(names) == {here}


@pytest.mark.parametrize("threads", [1, 2])
def test_blocks_keep_the_callers_error_state(threads):
    dl.set_threads(threads)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        blocks.map_blocks(lambda start, stop: np.ones(2) / np.zeros(2), 32)
    with np.errstate(divide="ignore"):
        blocks.map_blocks(lambda start, stop: np.ones(2) / np.zeros(2), 32)


@pytest.mark.parametrize(("count", "numbers", "most", "size"), [
    (100, 0, 10, 100), (100, 10, 10, 100), (100, 20, 10, 50), (100, 28, 10, 50), (100, 29, 10, 25),
    (5, 80, 10, 1), (0, 0, 10, 1),
])
def test_block_size_makes_1_or_2_or_4_or_8_blocks(count, numbers, most, size):
    assert blocks.block_size(count, numbers, most) == size


@pytest.mark.parametrize("threads", [1, 2])
def test_work_that_is_not_worth_it_is_not_shared(threads):
    dl.set_threads(threads)
    names = [
        set(blocks.map_blocks(lambda start, stop: threading.current_thread().name, 64, numbers=numbers))
        for numbers in (0, blocks.WORTH_SHARING - 1)
    ]
    assert names == [{"MainThread"}] * 2


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(7,), (640, 1023), (640, 1024), (257, 1021, 3), (11, 1 << 16)], ids=str)
def test_elementwise_computes_large_arrays_in_blocks(shape, threads):
    dl.set_threads(threads)
    rng, sizes = np.random.default_rng(0), []
    a, b = (rng.normal(size=shape).astype(np.float32) for _ in range(2))

    def formula(a, b, out):
        sizes.append(a.size)
        return np.add(a * b, 1, out)

    found = blocks.elementwise(formula, a, b)
    assert (found.shape, found.dtype) == (shape, np.float32)
    np.testing.assert_array_equal(found, a * b + 1)
    expected = {655_360: 4, 720_896: 4, 787_191: 8}
    assert len(sizes) == (1 if a.size < blocks.WORTH_SHARING else expected[a.size])
    assert sum(sizes) == a.size


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("n", "k", "m"), [
    (3, 4, 5), (512, 256, 128), (513, 256, 128), (10, 4096, 512), (1000, 512, 33), (4096, 410, 11),
])
def test_matmul_is_the_product_however_large(n, k, m, threads):
    dl.set_threads(threads)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n, k)).astype(np.float32), rng.normal(size=(k, m)).astype(np.float32)
    found = blocks.matmul(a, b)
    assert (found.shape, found.dtype) == ((n, m), np.float32)
    np.testing.assert_allclose(found, a @ b, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 5), (5, 1), (5, 5)])
def test_zero_times_nan_is_nan_in_sums_of_one_term_too(n, m):
    zeros, nans = np.zeros((n, 1), np.float32), np.full((1, m), np.nan, np.float32)
    assert np.isnan(blocks.matmul(zeros, nans)).all()
    assert np.isnan(blocks.matmul(nans.T, zeros.T)).all()


@pytest.mark.parametrize(("n", "k", "m"), [(60, 3136, 100), (64, 784, 500), (32, 4096, 256), (100, 500, 90)])
def test_a_product_has_the_same_bits_inside_and_outside_of_a_tape(n, k, m):
    dl.set_threads(2)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n, k)).astype(np.float32), rng.normal(size=(k, m)).astype(np.float32)
    outside = blocks.matmul(a, b)
    with dl.Tape():
        np.testing.assert_array_equal(blocks.matmul(a, b), outside)


def test_blas_held_twice_is_let_go_by_the_last_and_no_thread_is_too_many():
    dl.set_threads(3)
    outside = blas_threads()
    with blocks.one_blas_thread():
        with blocks.one_blas_thread():
            assert blas_threads() <= {1}
        assert blas_threads() <= {1}
    assert blas_threads() == outside


def test_the_limit_holds_in_every_thread():
    dl.set_threads(2)       # threadpoolctl would obey this thread alone from now on
    if not blas_threads():
        pytest.skip("threadpoolctl knows no BLAS here")
    outside, inside = blas_threads(), []

    def look():
        with dl.Tape():
            inside.append(blas_threads())

    for _ in range(2):
        user = threading.Thread(target=look)
        user.start()
        user.join()
    look()
    assert inside == [{1}] * 3
    assert blas_threads() == outside == {2}


def test_another_blas_is_controlled_by_threadpoolctl():
    class Library:
        internal_api, threading_layer = "mkl", "intel"
        get_num_threads, set_num_threads = object(), object()

    assert blocks._controls(Library) == (Library.get_num_threads, Library.set_num_threads)
    Library.internal_api = "openblas"
    assert blocks._controls(Library) == (Library.get_num_threads, Library.set_num_threads)
    Library.threading_layer, Library.dynlib = "pthreads", object()      # under a name that nobody knows
    assert blocks._controls(Library) == (Library.get_num_threads, Library.set_num_threads)


def test_blas_gets_as_many_threads():
    if not blas_threads():
        pytest.skip("threadpoolctl knows no BLAS here")
    for n in (2, 1):
        dl.set_threads(n)
        assert blas_threads() == {n}


def test_blas_has_one_thread_inside_and_its_own_again_afterwards():
    dl.set_threads(2)
    if not blas_threads():
        pytest.skip("threadpoolctl knows no BLAS here")
    outside = blas_threads()
    inside = blocks.map_blocks(lambda start, stop: (threading.current_thread().name, blas_threads()), 64)
    assert all(limits == {1} for _, limits in inside)
    assert {name.partition("_")[0] for name, _ in inside} <= {"minidl", "MainThread"}
    assert blas_threads() == outside


def test_an_error_in_a_block_comes_out_and_the_limit_is_lifted():
    dl.set_threads(2)
    outside = blas_threads()
    with pytest.raises(ZeroDivisionError):
        blocks.map_blocks(lambda start, stop: 1 // 0, 64)
    assert blas_threads() == outside
    assert blocks.map_blocks(lambda start, stop: stop, 32) == [16, 32]


def test_an_error_in_another_thread_keeps_nothing_alive():
    dl.set_threads(2)
    here, meeting = threading.current_thread(), threading.Barrier(2, timeout=10)

    def fail_elsewhere(array):
        def compute(start, stop):
            meeting.wait()      # so that each thread has one of the two blocks
            if threading.current_thread() is not here:
                raise ZeroDivisionError(array.sum())

        blocks.map_blocks(compute, 32)

    array = np.ones(8)
    known = weakref.ref(array)
    gc.disable()
    try:
        with contextlib.suppress(ZeroDivisionError):
            fail_elsewhere(array)
        del array
        blocks.map_blocks(lambda start, stop: meeting.wait(), 32)       # the other thread has let go of it
        assert known() is None
    finally:
        gc.enable()


def test_where_the_system_gives_no_thread_the_caller_does_all(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    dl.set_threads(3)
    for _ in range(2):
        assert blocks.map_blocks(lambda start, stop: stop, 64) == [16, 32, 48, 64]
    dl.set_threads(2)


def test_two_threads_may_use_them_at_once():
    dl.set_threads(2)
    outside = blas_threads()
    found = {}

    def use(name):
        for _ in range(20):
            found[name] = blocks.map_blocks(lambda start, stop: (name, start), 64)

    users = [threading.Thread(target=use, args=(name,)) for name in "ab"]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert found == {name: [(name, start) for start in (0, 16, 32, 48)] for name in "ab"}
    assert blas_threads() == outside


def test_threads_cannot_change_while_they_are_in_use():
    dl.set_threads(2)
    entered, release = threading.Event(), threading.Event()

    def wait(start, stop):
        entered.set()
        release.wait(10)

    user = threading.Thread(target=blocks.map_blocks, args=(wait, 64))
    user.start()
    entered.wait(10)
    try:
        with pytest.raises(RuntimeError, match=(
            r"^set_threads can't change threads that a computation uses: wait for its end$"
        )):
            dl.set_threads(3)
    finally:
        release.set()
        user.join()
    dl.set_threads(3)
    assert blocks.get_threads() == 3


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", None, True])
def test_a_wrong_number_of_threads(n):
    with pytest.raises(ValueError, match="set_threads expects n to be a whole number of 1 or more, got"):
        dl.set_threads(n)


@pytest.mark.parametrize(("environment", "expected"), [
    ({"OMP_NUM_THREADS": "3"}, 3), ({"OPENBLAS_NUM_THREADS": "97"}, 97),
    ({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "5"}, 1),
])
def test_the_environment_variables_that_users_know(environment, expected, monkeypatch):
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert blocks._default_threads() == expected


@pytest.mark.parametrize("text", ["", "0", "many", "4,2"])
def test_without_a_usable_variable_it_is_the_number_of_cores(text, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert 1 <= blocks._default_threads() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_makes_threads_of_its_own():
    script = """
import os, warnings
warnings.simplefilter("ignore")
import minidl as dl
from minidl.engine import blocks
dl.set_threads(2)
blocks.map_blocks(lambda start, stop: stop, 64)
child = os.fork()
if not child:
    os._exit(0 if blocks.map_blocks(lambda start, stop: stop, 32) == [16, 32] else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0
