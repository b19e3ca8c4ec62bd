from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from minidl.datasets import folders


def test_order_of_places(home, tmp_path, monkeypatch):
    assert [place.path for place in folders.places()] == [home]
    (tmp_path / "site-packages" / "datasets").mkdir(parents=True)
    assert len(folders.places()) == 1  # a folder of that name in site-packages is no checkout
    (tmp_path / "site-packages" / "pyproject.toml").touch()
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("MINIDL_DATASETS", str(tmp_path / "mine"))
    assert folders.places() == [
        folders.Place(tmp_path / "mine", own=False),
        folders.Place(tmp_path / "site-packages" / "datasets", own=True),
        folders.Place(home, own=True),
    ]


def test_this_checkout_is_found(monkeypatch):
    monkeypatch.delenv("MINIDL_DATASETS", raising=False)
    root = Path(__file__).resolve().parents[2]
    if (root / "datasets").is_dir() and Path(folders.__file__).resolve().is_relative_to(root / "minidl"):
        assert folders.places()[0] == folders.Place(root / "datasets", own=True)


def test_empty_variable_counts_as_unset(home, monkeypatch):
    monkeypatch.setenv("MINIDL_DATASETS", "")
    assert [place.path for place in folders.places()] == [home]


def test_variable_that_names_a_file(home, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("MINIDL_DATASETS", str(file))
    with pytest.raises(ValueError, match=r"MINIDL_DATASETS is .*file, a file: set it to the folder"):
        folders.places()


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", None, "~/.cache/minidl/datasets"),
        ("linux", "XDG_CACHE_HOME", "{value}/minidl/datasets"),
        ("darwin", None, "~/Library/Caches/minidl/datasets"),
        ("win32", None, "~/AppData/Local/minidl/datasets"),
        ("win32", "LOCALAPPDATA", "{value}/minidl/datasets"),
    ],
)
def test_cache_folder_of_each_system(platform, variable, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    assert folders.cache_folder() == Path(expected.format(value=tmp_path)).expanduser()


def test_landing_is_the_first_writable_folder(home, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("MINIDL_DATASETS", str(mine))
    assert folders.landing("set") == mine / "set"
    assert os.listdir(mine) == []  # it is made when there is something to put into it


@pytest.mark.skipif(os.name != "posix", reason="a folder's mode says nothing on this system")
def test_landing_passes_over_read_only_folders(home, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir()
    mine.chmod(0o555)  # respected even for an administrator, who could write to it
    monkeypatch.setenv("MINIDL_DATASETS", str(mine))
    assert folders.landing("set") == home / "set"
    (home / "set").mkdir(parents=True)
    (home / "set").chmod(0o555)
    assert folders.landing("set") is None
    for folder in (mine, home / "set"):
        folder.chmod(0o755)


def test_landing_passes_over_what_cannot_be_made(home, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "set").touch()  # a file where the folder should be
    monkeypatch.setenv("MINIDL_DATASETS", str(mine))
    assert folders.landing("set") == home / "set"


@pytest.mark.skipif(os.name != "posix", reason="another system always knows a home")
def test_user_without_a_home(home, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert folders.cache_folder() is None
    monkeypatch.setenv("MINIDL_DATASETS", str(tmp_path))
    assert folders.places()[0] == folders.Place(tmp_path, own=False)
    assert all(place.path.is_absolute() for place in folders.places())


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on this system")
def test_landing_on_a_broken_link(home, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "set").symlink_to(tmp_path / "nowhere")
    monkeypatch.setenv("MINIDL_DATASETS", str(tmp_path / "mine"))
    assert folders.landing("set") == home / "set"


def test_a_misspelt_variable_is_refused_and_nothing_is_made(home, tmp_path, monkeypatch):
    monkeypatch.setenv("MINIDL_DATASETS", str(tmp_path / "mnsit" / "data"))
    for ask in (folders.places, lambda: folders.landing("set")):
        with pytest.raises(ValueError, match=r"is .*data, which is not there: correct it, or make"):
            ask()
    assert os.listdir(tmp_path) == []


def test_the_folder_of_one_data_set_is_not_the_folder_of_all(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").touch()
    monkeypatch.setenv("MINIDL_DATASETS", str(tmp_path / "mnist"))
    with pytest.raises(ValueError, match=f"set it to {tmp_path}"):
        folders.places()
