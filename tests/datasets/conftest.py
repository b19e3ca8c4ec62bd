"""A local HTTP server that behaves as badly as real mirrors do, and a tiny data set for it to serve."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from minidl.datasets import folders
from minidl.datasets.idx import write_idx
from minidl.datasets.manifest import File, Source

ROLES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}

HANG = 30.0     # seconds; many times as long as any test's patience


@dataclass
class Mirror:
    """The server: its first path component says how it behaves."""

    folder: Path
    requests: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    ended: list[str] = field(default_factory=list)  # behaviours that nobody gave up
    base: str = ""

    def url(self, behaviour: str) -> str:
        return f"{self.base}/{behaviour}/"

    def asked(self, behaviour: str) -> int:
        return sum(path.startswith(f"/{behaviour}/") for path in self.requests)

    def hang(self, behaviour: str) -> None:
        """Wait for the end of the test, but not for ever: who waits on would never turn a test red."""
        if not self.closing.wait(HANG):
            self.ended.append(behaviour)


class Handler(BaseHTTPRequestHandler):
    mirror: Mirror

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.mirror.requests.append(self.path)
        _, behaviour, name = self.path.split("/")
        with contextlib.suppress(ConnectionError):  # the client has given up, as it should
            getattr(self, behaviour)((self.mirror.folder / name).read_bytes())

    def begin(self, size: int, kind: str = "application/gzip") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def good(self, data: bytes) -> None:
        self.begin(len(data))
        self.wfile.write(data)

    def missing(self, data: bytes) -> None:
        self.send_error(404)

    def portal(self, data: bytes) -> None:
        page = b"<!DOCTYPE html><title>Log in to the campus network</title>" + b" " * len(data)
        self.begin(len(page), "text/html")
        self.wfile.write(page)

    def short(self, data: bytes) -> None:
        self.begin(len(data))
        self.wfile.write(data[: len(data) // 2])

    def wrong(self, data: bytes) -> None:
        self.begin(len(data))
        self.wfile.write(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])

    def longer(self, data: bytes) -> None:
        self.begin(len(data) + 1)
        self.wfile.write(data + b"x")

    def silent(self, data: bytes) -> None:
        self.mirror.hang("silent")

    def stall(self, data: bytes) -> None:
        self.begin(len(data))
        self.wfile.write(data[: len(data) // 2])
        self.mirror.hang("stall")

    def drip(self, data: bytes) -> None:
        self.begin(len(data))
        self.a_byte_at_a_time("drip", data[:1])

    def headers_drip(self, data: bytes) -> None:
        self.wfile.write(b"HTTP/1.0 200 OK\r\n")
        self.a_byte_at_a_time("headers_drip", b"x")

    def a_byte_at_a_time(self, behaviour: str, byte: bytes) -> None:
        for _ in range(int(HANG / 0.02)):
            self.wfile.write(byte)
            if self.mirror.closing.wait(0.02):
                return
        self.mirror.ended.append(behaviour)

    def slow(self, data: bytes) -> None:
        """Healthy, but what it sends comes in pieces, slower than they are read."""
        self.begin(len(data))
        for start in range(0, len(data), 2000):
            time.sleep(0.01)
            self.wfile.write(data[start : start + 2000])


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The folder with the tiny data set: 20 + 10 images of noise."""
    folder = tmp_path_factory.mktemp("served")
    rng = np.random.default_rng(0)
    for split, n in (("train", 20), ("test", 10)):
        write_idx(folder / ROLES[f"{split}_images"], rng.integers(0, 256, (n, 28, 28), np.uint8))
        write_idx(folder / ROLES[f"{split}_labels"], rng.integers(0, 10, n, np.uint8))
    return folder


@pytest.fixture
def mirror(served, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirror = Mirror(served)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"mirror": mirror}))
    mirror.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mirror
    mirror.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def tiny(served):
    """`tiny(*mirrors)`: the Source of the tiny data set, to be had from these mirrors."""

    def make(*mirrors: str, name: str = "tiny") -> Source:
        files = []
        for role, file in ROLES.items():
            raw = (served / file).read_bytes()
            files.append(File(role, file, len(raw), hashlib.sha256(raw).hexdigest()))
        return Source(name, tuple("0123456789"), mirrors, tuple(files), "nobody", "none")

    return make


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine of its own: no MINIDL_DATASETS, no checkout; the cache is the folder returned."""
    monkeypatch.delenv("MINIDL_DATASETS", raising=False)
    installed = tmp_path / "site-packages" / "minidl" / "datasets" / "folders.py"
    monkeypatch.setattr(folders, "__file__", str(installed))
    cache = tmp_path / "cache"
    monkeypatch.setattr(folders, "cache_folder", lambda: cache)
    return cache
