"""Downloads: mirrors in turn until one delivers the right bytes, and none of them keeps the user waiting."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from minidl.datasets.dataset import DatasetUnavailable
from minidl.datasets.folders import VARIABLE
from minidl.datasets.idx import not_gzip
from minidl.datasets.lock import locked
from minidl.datasets.manifest import File, Source
from minidl.files import remove_leftovers, replacing

if TYPE_CHECKING:
    import queue


@dataclass(frozen=True)
class Patience:
    """How long mirrors may keep the user waiting.

    Attributes:
        stall: seconds after which a silent mirror is given up.
        total: seconds that may be spent on failing mirrors in all.

    """

    stall: float = 4.5
    total: float = 14.0


_SLOWEST = 1000  # bytes a second: less than this is a mirror that only pretends to be alive
_BLOCK = 1 << 16

_Message: TypeAlias = bytes | Exception  # from the receiving thread: data, b"" at the end, or what went wrong


class _MirrorFailed(Exception):
    """Why one mirror didn't deliver one file, in a few words."""


def download(source: Source, folder: Path, files: Sequence[File], patience: Patience | None = None) -> None:
    """Bring `files` of a data set into `folder`, each verified, whole or not at all.

    Tries every mirror for every file, beginning with the one that worked last. Two processes that do this at
    once don't clash: the second waits and finds the files there.

    Args:
        source: the data set.
        folder: where its files go.
        files: those of them that are wanted.
        patience: how long to wait for silent mirrors; a slow download goes on while bytes keep coming.

    Raises:
        DatasetUnavailable: no mirror delivers, within `patience.total` seconds of waiting.

    """
    patience = patience or Patience()
    mirrors, failures, wasted = list(source.mirrors), dict[str, str](), 0.0
    with locked(folder):
        remove_leftovers(folder)
        wanted = [file for file in files if not _is_there(folder / file.name, file)]
        if wanted:
            size = sum(file.size for file in wanted) / 1e6
            print(f"minidl: downloading {source.name} ({size:.1f} MB) into {folder}", file=sys.stderr)
        for file in wanted:
            for mirror in tuple(mirrors):
                watch = _Watch(min(patience.stall, patience.total - wasted))
                try:
                    _download_one(mirror + file.name, file, folder / file.name, watch)
                except _MirrorFailed as failure:
                    failures[mirror] = str(failure)
                    wasted += watch.silence()
                    mirrors.remove(mirror)
                    mirrors.append(mirror)
                    if wasted >= patience.total:
                        raise _unavailable(source, folder, wanted, failures) from failure
                else:
                    break
            else:
                raise _unavailable(source, folder, wanted, failures)


class _Watch:
    """Notices when a mirror stalls: less than `_SLOWEST` bytes a second for `stall` seconds."""

    def __init__(self, stall: float) -> None:
        self.stall = stall
        self._begin = time.monotonic()
        self._bytes = self._all = 0

    def saw(self, count: int) -> None:
        self._bytes += count
        self._all += count
        if self._bytes >= self.stall * _SLOWEST:
            self._begin, self._bytes = time.monotonic(), 0

    def silence(self) -> float:
        """Seconds since the mirror was last seen to do its work."""
        return time.monotonic() - self._begin

    def left(self) -> float:
        """Seconds that it still has."""
        return self.stall - self.silence()

    def verdict(self) -> str:
        """What to say of a mirror that is given up."""
        silent = f"no answer within {self.stall:.2g} s"
        return f"stalled after {self._all} bytes" if self._all else silent


def _download_one(url: str, file: File, path: Path, watch: _Watch) -> None:
    import hashlib

    from tqdm import tqdm  # type: ignore[import-untyped]

    label = f"{file.name} from {_host(url)}"
    bar = tqdm(total=file.size, desc=label, unit="B", unit_scale=True, ascii=True, leave=False, disable=None)
    digest, received = hashlib.sha256(), 0
    # Leaving the block by an exception removes what has been written so far.
    with closing(bar), replacing(path) as target, closing(_chunks(url, file.size, watch)) as chunks:
        for chunk in chunks:
            found = not_gzip(chunk) if received == 0 and len(chunk) >= 2 else None
            if found:
                raise _MirrorFailed(f"sent {found}")
            received += len(chunk)
            if received > file.size:
                raise _MirrorFailed(f"sent more than the {file.size} bytes of {file.name}")
            digest.update(chunk)
            target.write(chunk)
            bar.update(len(chunk))
        if received < file.size:
            raise _MirrorFailed(f"sent {received} of the {file.size} bytes of {file.name}")
        if digest.hexdigest() != file.sha256:
            raise _MirrorFailed(f"sent a {file.name} with a wrong checksum")


def _chunks(url: str, limit: int, watch: _Watch) -> Generator[bytes, None, None]:
    """What a mirror sends, as it comes; raises _MirrorFailed if it fails or stalls."""
    import queue

    # The network has a thread of its own, as some of its waits have no time-out (looking up a name, headers
    # that come a byte at a time): a thread that hangs is left behind. The disk is written by the caller.
    messages: queue.SimpleQueue[_Message] = queue.SimpleQueue()
    abandoned = threading.Event()
    arguments = (url, limit, watch.stall, messages.put, abandoned)
    threading.Thread(target=_receive, args=arguments, daemon=True, name="minidl-download").start()
    try:
        while True:
            try:
                message = messages.get(timeout=max(0.0, watch.left()))
            except queue.Empty:
                raise _MirrorFailed(watch.verdict()) from None
            if isinstance(message, Exception):
                raise _MirrorFailed(_reason(message, watch)) from message
            if not message:
                return
            watch.saw(len(message))
            yield message
    finally:
        abandoned.set()


def _receive(
    url: str, limit: int, timeout: float, put: Callable[[_Message], None], abandoned: threading.Event
) -> None:
    """The receiving thread: puts what comes, then b"" or the exception."""
    import urllib.request

    try:
        request = urllib.request.Request(url, headers={"User-Agent": "minidl"})
        with urllib.request.urlopen(request, timeout=timeout) as response:
            received = 0
            while received <= limit and not abandoned.is_set():
                chunk = response.read1(_BLOCK)
                received += len(chunk)
                put(chunk)
                if not chunk:
                    return
    except Exception as error:  # whatever it is, the next mirror is tried and the reason told
        put(error)


def _reason(error: Exception, watch: _Watch) -> str:
    from urllib.error import HTTPError, URLError

    if isinstance(error, HTTPError):
        return f"HTTP error {error.code}"
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(cause, TimeoutError):
        return watch.verdict()
    words = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(words).encode("ascii", "replace").decode()


def _unavailable(
    source: Source, folder: Path, files: Sequence[File], why: dict[str, str]
) -> DatasetUnavailable:
    reasons = "; ".join(f"{_host(mirror)}: {reason}" for mirror, reason in why.items())
    names = ", ".join(file.name for file in files)
    return DatasetUnavailable(
        f"{source.name} is not on this machine and could not be downloaded ({reasons}): put {names} into "
        f"{folder}, or set {VARIABLE} to a folder that holds {source.name}/ with these files; "
        f"minidl.datasets.stroke_digits() needs no download"
    )


def _is_there(path: Path, file: File) -> bool:
    return path.is_file() and file.fault(path.read_bytes()) is None


def _host(url: str) -> str:
    return url.split("/")[2]
