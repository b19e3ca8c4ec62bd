"""A lock on a folder between processes, with nothing but portable calls."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minidl.files import folder_made

STALE = 10.0  # seconds without a sign of life after which a lock's owner counts as dead


@contextmanager
def locked(folder: Path, stale: float = STALE) -> Iterator[None]:
    """Hold `folder`'s lock: a file whose time its owner renews, so that a killed owner's lock runs out.

    The folder is made; after an error it vanishes again, if nothing came to lie in it. Waits for another
    process's lock, and says so on stderr. Two processes that find the same stale lock at
    the same instant may both get it: what is done under it must be atomic anyway, the lock saves double work.
    """
    lock = folder / ".lock"
    mine = f"process {os.getpid()}, {os.urandom(8).hex()}"
    done = threading.Event()
    pulse = threading.Thread(target=_renew, args=(lock, done, stale / 10), daemon=True, name="minidl-lock")
    with folder_made(folder):
        _acquire(lock, mine, stale)
        pulse.start()
        try:
            yield
        finally:
            done.set()
            pulse.join()
            if _owner(lock) == mine:
                lock.unlink(missing_ok=True)


def _acquire(lock: Path, mine: str, stale: float) -> None:
    waited = 0.0
    pause = min(0.2, stale / 10)
    while True:
        try:
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            if _age(lock) > stale:
                lock.unlink(missing_ok=True)
                continue
        except FileNotFoundError:   # another process, which failed, took its empty folder away
            lock.parent.mkdir(parents=True, exist_ok=True)
            continue
        except PermissionError:
            # Windows says this of a lock that is being deleted, and says it for good of a read-only folder.
            if os.name != "nt" or waited > stale:
                raise
        else:
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(mine)
            except OSError:     # a full disk: nobody is to wait for a lock that nobody holds
                lock.unlink(missing_ok=True)
                raise
            return
        if waited == 0.0:
            print(f"minidl: another process is at work in {lock.parent}, waiting for it", file=sys.stderr)
        time.sleep(pause)
        waited += pause


def _age(lock: Path) -> float:
    """Seconds since the lock was renewed, either way round: clocks of a server and its clients differ."""
    try:
        return abs(time.time() - lock.stat().st_mtime)
    except (FileNotFoundError, PermissionError):  # just given back; Windows: being deleted
        return 0.0


def _owner(lock: Path) -> str | None:
    try:
        return lock.read_text(encoding="utf-8")
    except OSError:  # taken from a process that was thought dead
        return None


def _renew(lock: Path, done: threading.Event, every: float) -> None:
    while not done.wait(every):
        try:
            os.utime(lock)
        except OSError:  # taken from us: nothing left to renew
            return
