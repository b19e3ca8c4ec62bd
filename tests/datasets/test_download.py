from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request  # noqa: F401  (loaded now, so that loading it isn't taken for a mirror's silence)
from types import SimpleNamespace

import pytest

from minidl.datasets import DatasetUnavailable, download, manifest
from minidl.datasets.download import Patience

QUICK = Patience(stall=0.4, total=1.5)
DEAD = "http://127.0.0.1:9/"  # the discard port: nothing listens


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch):
    """On a busy machine a good mirror's bytes may come late: only the bad ones are waited for so briefly."""
    download_one = download._download_one

    def patient(url, file, path, watch):
        if "/good/" in url:
            watch.stall = 30.0
        download_one(url, file, path, watch)

    monkeypatch.setattr(download, "_download_one", patient)


def fetch(source, folder, patience=QUICK):
    folder.mkdir(exist_ok=True)
    download.download(source, folder, source.files, patience)


def assert_whole(source, folder):
    """All files are there and right, and nothing else is."""
    assert sorted(os.listdir(folder)) == sorted(file.name for file in source.files)
    assert all(file.fault((folder / file.name).read_bytes()) is None for file in source.files)


def test_good_mirror(tiny, mirror, tmp_path, capsys):
    source = tiny(mirror.url("good"))
    fetch(source, tmp_path)
    assert_whole(source, tmp_path)
    err = capsys.readouterr().err
    assert "downloading tiny" in err and str(tmp_path) in err
    assert err.count("\n") == 1 and "\r" not in err  # and no bar, as this is no terminal


BAD = ["missing", "portal", "short", "wrong", "longer", "silent", "stall", "drip", "headers_drip"]


@pytest.mark.parametrize("behaviour", BAD)
def test_next_mirror_on_any_failure(behaviour, tiny, mirror, tmp_path):
    source = tiny(mirror.url(behaviour), mirror.url("good"))
    fetch(source, tmp_path)
    assert_whole(source, tmp_path)
    assert not mirror.ended  # it was given up, not waited for
    assert mirror.asked(behaviour) == 1  # for the later files the mirror that worked comes first


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("missing", "HTTP error 404"),
        ("portal", "sent an HTML page"),
        ("short", "sent 7"),
        ("wrong", "wrong checksum"),
        ("longer", "sent more than"),
        ("stall", "stalled after "),
    ],
)
def test_message_names_reason_files_and_place(behaviour, reason, tiny, mirror, tmp_path):
    source = tiny(mirror.url(behaviour), DEAD)
    patience = Patience(1.0, 1.5) if behaviour == "stall" else Patience()  # its first half has to come
    with pytest.raises(DatasetUnavailable) as caught:
        fetch(source, tmp_path, patience)
    message = str(caught.value)
    assert reason in message and "127.0.0.1:9: " in message
    assert all(file.name in message for file in source.files)
    assert str(tmp_path) in message and "MINIDL_DATASETS" in message and "tiny/" in message
    assert "\n" not in message and message.isascii()
    assert os.listdir(tmp_path) == []


def test_unknown_host_and_bad_url(tiny, tmp_path):
    with pytest.raises(DatasetUnavailable):
        fetch(tiny("http://no-such-host.invalid/", "nonsense://x/"), tmp_path, Patience(1.0, 3.0))


def test_name_lookup_that_hangs_is_given_up(tiny, mirror, tmp_path, monkeypatch):
    import socket

    real, came_back = socket.getaddrinfo, []

    def hang(host, *args, **kwargs):
        if host == "hangs.invalid":
            mirror.closing.wait(30)
            came_back.append(host)
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setenv("no_proxy", "*")
    source = tiny("http://hangs.invalid/", mirror.url("good"))
    fetch(source, tmp_path)
    assert not came_back
    assert_whole(source, tmp_path)
    mirror.closing.set()
    _join_downloads()


def test_slow_but_healthy_download_goes_on(tiny, mirror, tmp_path, monkeypatch):
    """By a clock that goes as the bytes come, 12.5 of them a second, where 10 are asked for."""
    clock, saw = SimpleNamespace(now=0.0), download._Watch.saw

    def seen(watch, count):
        clock.now += count / 12.5
        saw(watch, count)

    monkeypatch.setattr(download, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(download._Watch, "saw", seen)
    monkeypatch.setattr(download, "_SLOWEST", 10)
    monkeypatch.setattr(download, "_BLOCK", 100)
    source = tiny(mirror.url("slow"))
    fetch(source, tmp_path, Patience(stall=50, total=60))
    assert clock.now > 1000  # much longer than the patience with a mirror that is silent
    assert_whole(source, tmp_path)


def test_all_mirrors_together_are_given_up_in_time(tiny, mirror, tmp_path):
    """Five would take five times 0.2 s or more; after 0.5 s the last of them isn't even asked."""
    stalled = [mirror.url(behaviour) for behaviour in ("silent", "stall", "drip", "headers_drip", "silent")]
    with pytest.raises(DatasetUnavailable, match=r"1:\d+: (no answer within 0\.\d+ s|stalled after \d)"):
        fetch(tiny(*stalled), tmp_path, Patience(stall=0.2, total=0.5))
    assert mirror.asked("silent") <= 1 and not mirror.ended


def test_shipped_patience_and_mirrors_keep_the_promise():
    patience = Patience()
    assert patience.stall < 5 and patience.total < 15
    for source in manifest.sources().values():
        assert len(source.mirrors) >= 2 and len(source.mirrors) * patience.stall <= patience.total
        assert all(mirror.endswith("/") for mirror in source.mirrors)


def test_present_files_are_not_downloaded_again(tiny, mirror, tmp_path, served):
    source = tiny(mirror.url("good"))
    first = source.files[0]
    (tmp_path / first.name).write_bytes((served / first.name).read_bytes())
    fetch(source, tmp_path)
    assert len(mirror.requests) == 3


def test_disk_error_is_not_blamed_on_the_mirror(tiny, mirror, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left") as caught:
        fetch(tiny(mirror.url("good")), tmp_path)
    assert not isinstance(caught.value, DatasetUnavailable)
    assert os.listdir(tmp_path) == []


def test_bar_shows_on_a_terminal(tiny, mirror, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fetch(tiny(mirror.url("good")), tmp_path)
    err = capsys.readouterr().err
    assert "train-images-idx3-ubyte.gz from 127.0.0.1" in err and err.isascii()


def process(source, folder):
    """Another process that downloads `source` into `folder`."""
    code = (
        "from pathlib import Path\n"
        "from minidl.datasets.download import download\n"
        "from minidl.datasets.manifest import File, Source\n"
        f"source = {source!r}\n"
        f"download(source, Path({str(folder)!r}), source.files)\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once_download_once(tiny, mirror, tmp_path):
    source = tiny(mirror.url("slow"))
    processes = [process(source, tmp_path) for _ in range(2)]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert_whole(source, tmp_path)
    assert len(mirror.requests) == len(source.files)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_kill_during_download_leaves_no_half_file_and_the_next_run_recovers(tiny, mirror, tmp_path):
    source = tiny(mirror.url("stall"))
    victim = process(source, tmp_path)
    deadline = time.monotonic() + 60
    while not (mirror.requests and list(tmp_path.glob(".*.part"))):
        assert time.monotonic() < deadline and victim.poll() is None
        time.sleep(0.01)
    victim.kill()
    victim.communicate()
    left = sorted(os.listdir(tmp_path))
    assert left[0].startswith(".") and ".lock" in left and not any(name.startswith("t") for name in left)
    long_ago = time.time() - 60
    os.utime(tmp_path / ".lock", (long_ago, long_ago))
    source = tiny(mirror.url("good"))
    fetch(source, tmp_path)
    assert_whole(source, tmp_path)


def _join_downloads():
    import threading

    for thread in threading.enumerate():
        if thread.name == "minidl-download":
            thread.join(5)
