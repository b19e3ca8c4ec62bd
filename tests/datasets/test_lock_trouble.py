"""The lock where the system or another process gets in the way."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace

import pytest

from minidl.datasets import lock as module
from minidl.datasets.lock import locked


class System:
    """The module `os` of another system: what isn't given here is that of this one."""

    def __init__(self, **other) -> None:
        self.__dict__.update(other)

    def __getattr__(self, name: str):
        return getattr(os, name)


def refusing(times: int):
    """An `open` that is refused so many times; then it is the real one."""
    left = iter(range(times))

    def opened(path, flags):
        if next(left, None) is not None:
            raise PermissionError(13, "Access is denied")
        return os.open(path, flags)

    return opened


def test_windows_refuses_a_lock_that_is_being_deleted_and_then_gives_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "os", System(name="nt", open=refusing(2)))
    with locked(tmp_path, stale=0.1):
        assert (tmp_path / ".lock").read_text(encoding="utf-8").startswith(f"process {os.getpid()}")
    assert "waiting for it" in capsys.readouterr().err


def test_windows_refuses_a_read_only_folder_for_good(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "os", System(name="nt", open=refusing(10**6)))
    with pytest.raises(PermissionError), locked(tmp_path, stale=0.02):
        pytest.fail("entered without a lock")


def test_elsewhere_a_read_only_folder_is_refused_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "os", System(name="posix", open=refusing(1)))
    with pytest.raises(PermissionError), locked(tmp_path):
        pytest.fail("entered without a lock")
    assert capsys.readouterr().err == ""


def test_a_lock_that_vanishes_while_it_is_looked_at_is_not_stale(tmp_path):
    assert module._age(tmp_path / ".lock") == 0.0
    assert module._owner(tmp_path / ".lock") is None


def test_who_lost_his_lock_stops_renewing_it(tmp_path):
    done = threading.Event()
    renewal = threading.Thread(target=module._renew, args=(tmp_path / ".lock", done, 0.001), daemon=True)
    renewal.start()
    renewal.join(10)
    assert not renewal.is_alive()
    assert os.listdir(tmp_path) == []


def test_a_leftover_that_is_still_open_elsewhere_is_left_there(tmp_path):
    from minidl import files

    class Busy:
        def unlink(self):
            raise PermissionError(13, "The process cannot access the file")

    free = tmp_path / ".a.part"
    free.touch()
    files.remove_leftovers(SimpleNamespace(glob=lambda pattern: [Busy(), free]))
    assert not free.exists()
