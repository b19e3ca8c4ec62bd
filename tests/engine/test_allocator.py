"""minidl.engine.memory: glibc is asked to keep freed memory where there is a glibc and the user didn't."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from minidl.engine import memory


class Library:
    """Stands in for the C library, and notes what it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def mallopt(self, what, value):
        self.asked.append((what, value))
        return self.answers.pop(0)


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in memory.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(("answers", "expected"), [((1, 1), True), ((0, 1), False), ((1, 0), False)])
def test_it_asks_to_keep_the_memory_of_arrays(answers, expected, linux):
    library, opened = Library(*answers), []
    linux.setattr(ctypes, "CDLL", lambda name: opened.append(name) or library)
    assert memory.keep_freed_memory() is expected
    assert opened == [None]     # this process itself
    assert library.asked == [(-4, 0), (-1, 1 << 28)][: len(library.asked)]
    assert len(library.asked) == 1 + answers[0]


def refuse(name):
    raise OSError(name)


@pytest.mark.parametrize("cdll", [refuse, lambda name: object()], ids=["no library", "no mallopt"])
def test_another_c_library_is_left_alone(cdll, linux):
    linux.setattr(ctypes, "CDLL", cdll)
    assert memory.keep_freed_memory() is False


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_another_system_is_left_alone(platform, linux):
    linux.setattr(sys, "platform", platform)
    linux.setattr(ctypes, "CDLL", lambda name: Library(1, 1))
    assert memory.keep_freed_memory() is False


@pytest.mark.parametrize("name", memory.SETTINGS)
def test_what_the_user_has_set_stays(name, linux):
    linux.setenv(name, "1")
    linux.setattr(ctypes, "CDLL", lambda name: Library(1, 1))
    assert memory.keep_freed_memory() is False


def test_a_python_without_ctypes_trains():
    code = """
import sys
sys.modules["_ctypes"] = None
import minidl as dl
dl.set_threads(2)
with dl.Tape() as tape:
    y = dl.Parameter([1.0]).exp().sum()
tape.backward(y)
dl.ops.exp([[0.0] * 8] * 40000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
