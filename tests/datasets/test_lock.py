from __future__ import annotations

import errno
import os
import threading
import time

import pytest

from minidl.datasets import lock as module
from minidl.datasets.lock import locked


def until(condition):
    """Wait for what will surely come, however busy the machine is."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_lock_keeps_the_second_out_until_the_first_is_done(tmp_path, capsys):
    events, said = [], []

    def second():
        with locked(tmp_path):
            events.append("second in")

    def waits():
        said.append(capsys.readouterr().err)
        return "waiting" in "".join(said)

    with locked(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        until(waits)
        events.append("first out")
    thread.join(60)
    assert events == ["first out", "second in"]
    assert os.listdir(tmp_path) == []


def test_the_owner_renews_its_lock(tmp_path):
    lock = tmp_path / ".lock"
    long_ago = time.time() - 3600
    with locked(tmp_path, stale=0.5):
        os.utime(lock, (long_ago, long_ago))
        until(lambda: lock.stat().st_mtime > long_ago + 1800)


@pytest.mark.parametrize("age", [60, -60])
def test_lock_of_a_killed_process_runs_out(age, tmp_path, capsys):
    lock = tmp_path / ".lock"
    lock.write_text("process 1", encoding="utf-8")
    then = time.time() - age
    os.utime(lock, (then, then))
    with locked(tmp_path):
        assert "process 1," not in lock.read_text(encoding="utf-8")
    assert os.listdir(tmp_path) == []
    assert capsys.readouterr().err == ""  # nobody waited


def test_owner_does_not_remove_a_lock_that_was_taken_from_it(tmp_path):
    with locked(tmp_path):
        (tmp_path / ".lock").write_text("somebody else", encoding="utf-8")
    assert (tmp_path / ".lock").exists()


def test_lock_is_given_back_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []
    with locked(tmp_path):
        (tmp_path / ".lock").unlink()  # somebody cleaned up: no error when it is given back


def test_a_full_disk_leaves_no_lock(tmp_path, monkeypatch):
    def full(handle, *options, **more):
        os.close(handle)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fdopen", full)
    with pytest.raises(OSError, match="No space left"), locked(tmp_path / "set"):
        pass
    assert os.listdir(tmp_path) == []


def test_a_folder_that_vanishes_while_waiting_is_made_again(tmp_path):
    folder = tmp_path / "set"
    entered = threading.Event()

    def second():
        with locked(folder, stale=5):
            entered.set()

    thread = threading.Thread(target=second)
    with pytest.raises(ZeroDivisionError), locked(folder, stale=5):
        thread.start()
        time.sleep(0.1)
        raise ZeroDivisionError
    thread.join(10)
    assert entered.is_set()
