from __future__ import annotations

import os
import stat
import threading

import pytest

from minidl.files import folder_made, remove_leftovers, replacing

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX's links, modes and pipes")


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


def test_a_failure_leaves_no_new_folder(tmp_path):
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a" / "b" / "file.bin"):
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_a_failure_leaves_folders_that_hold_something(tmp_path):
    with pytest.raises(ZeroDivisionError), folder_made(tmp_path / "a" / "b"):
        (tmp_path / "a" / "mine").touch()
        raise ZeroDivisionError
    assert os.listdir(tmp_path / "a") == ["mine"]


def write(path, content=b"new"):
    with replacing(path) as file:
        file.write(content)


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_symlink_stays_and_what_it_names_is_written(there, tmp_path):
    target, link = tmp_path / "disk" / "file.bin", tmp_path / "link.bin"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"old")
    link.symlink_to(target)
    write(link)
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["file.bin"] and sorted(os.listdir(tmp_path)) == ["disk", "link.bin"]


@posix
def test_a_pipe_stays_a_pipe(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write(pipe)
    reader.join(5)
    assert got == [b"new"] and stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_the_mode_of_a_replaced_file_is_kept(mode, tmp_path):
    path = tmp_path / "file.bin"
    path.touch()
    path.chmod(mode)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_new_file_has_the_usual_mode(tmp_path):
    (tmp_path / "usual").touch()
    write(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OSError), replacing(tmp_path):  # which one differs between systems
        raise AssertionError("not reached")
