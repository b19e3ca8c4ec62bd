"""Files that are gone, or wrong, right after they were downloaded."""

from __future__ import annotations

import pytest

from minidl.datasets import local


def test_a_file_that_vanishes_right_after_its_download(home, tiny, monkeypatch):
    monkeypatch.setattr(local, "download", lambda *_: None)
    with pytest.raises(ValueError, match="vanished right after its download: try again"):
        local.obtain(tiny())


def test_a_file_that_is_damaged_right_after_its_download(home, tiny, monkeypatch):
    def spoilt(source, folder, files, patience):
        folder.mkdir(parents=True)
        for file in files:
            (folder / file.name).write_bytes(b"spoilt")

    monkeypatch.setattr(local, "download", spoilt)
    with pytest.raises(ValueError, match=r"is no gzip file right after its download: try again"):
        local.obtain(tiny())
