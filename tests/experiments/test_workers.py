"""Worker processes: one BLAS thread each, and no orphans."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future

import pytest

from minidl.engine.blocks import get_threads
from minidl.experiments import worker_processes, workers
from minidl.experiments.workers import results_of

SCRIPT = """
import os, sys, time
from minidl.experiments import worker_processes

if __name__ == "__main__":
    with worker_processes(2) as pool:
        pids = {pool.submit(os.getpid).result()}
        print(*pids, flush=True)
        time.sleep(60)
"""


def test_each_worker_has_one_thread():
    with worker_processes(2) as pool:
        assert pool.submit(get_threads).result() == 1


def test_one_worker_is_this_process():
    with worker_processes(1) as pool:
        assert pool is None


def test_a_worker_waits_for_its_parents_end_and_ends_too(monkeypatch):
    happened = []

    class Parent:
        def join(self):
            happened.append("the parent ended")

    monkeypatch.setattr("multiprocessing.parent_process", Parent)
    monkeypatch.setattr("os._exit", happened.append)
    workers._end_with_parent()
    assert happened == ["the parent ended", 1]


def test_a_process_without_a_parent_of_its_own_kind_goes_on(monkeypatch):
    monkeypatch.setattr("multiprocessing.parent_process", lambda: None)
    monkeypatch.setattr("os._exit", lambda code: pytest.fail("this would have ended the process"))
    workers._end_with_parent()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT, encoding="utf-8")
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, encoding="utf-8")
    pid = int(parent.stdout.readline().split()[0])
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if _is_zombie(pid):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the worker outlived its parent")


def _is_zombie(pid):
    """Ended, and waiting for whoever adopted it."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False).stdout
    return state.strip().startswith(b"Z")


def test_leaving_the_block_ends_a_worker_in_the_middle_of_its_work():
    with worker_processes(2) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        future = pool.submit(time.sleep, 10)
    assert future.cancelled() or future.exception() is not None


def test_workers_ignore_control_c():
    with worker_processes(2) as pool:
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


def test_what_has_not_begun_is_cancelled_where_the_caller_stops_asking():
    futures = []

    class Pool(Executor):
        def submit(self, function, item):
            futures.append(Future())
            if item == 2:
                futures[-1].set_result(function(item))
            return futures[-1]

    results = results_of(lambda x: 10 * x, [1, 2, 3], Pool())
    assert next(results) == (1, 20)
    results.close()
    assert [future.cancelled() for future in futures] == [True, False, True]
    assert list(results_of(lambda x: 10 * x, [1, 2], None)) == [(0, 10), (1, 20)]
