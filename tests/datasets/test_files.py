from __future__ import annotations

import os
import threading
import time

import pytest

from minidl.datasets.files import locked, remove_leftovers, replacing


def test_replacing_writes_the_whole_file(tmp_path):
    path = tmp_path / "new" / "file.bin"
    with replacing(path) as file:
        file.write(b"abc")
        assert not path.exists()
    assert path.read_bytes() == b"abc"
    assert os.listdir(path.parent) == ["file.bin"]


def test_replacing_leaves_the_old_file_if_interrupted(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file.bin"]


def test_remove_leftovers_removes_temporary_files_only(tmp_path):
    for name in (".a.gz.12-ab.part", "a.gz", ".lock"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".lock", "a.gz"]


def test_lock_keeps_the_second_out_until_the_first_is_done(tmp_path, capsys):
    events = []

    def second():
        with locked(tmp_path, stale=0.5):
            events.append("second in")

    with locked(tmp_path, stale=0.5):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.7)  # longer than stale: the owner renews its lock
        events.append("first out")
    thread.join(5)
    assert events == ["first out", "second in"]
    assert os.listdir(tmp_path) == []
    assert "waiting" in capsys.readouterr().err


@pytest.mark.parametrize("age", [60, -60])
def test_lock_of_a_killed_process_runs_out(age, tmp_path):
    lock = tmp_path / ".lock"
    lock.write_text("process 1", encoding="utf-8")
    then = time.time() - age
    os.utime(lock, (then, then))
    begin = time.monotonic()
    with locked(tmp_path):
        assert time.monotonic() - begin < 0.5
        assert "process 1," not in lock.read_text(encoding="utf-8")
    assert os.listdir(tmp_path) == []


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
