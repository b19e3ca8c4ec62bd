"""All that a process has started, and what they have started, wherever they hid: found and killed (Linux).

The keeper is a "child subreaper": whoever loses its parent becomes the keeper's child, so that neither a
double fork nor a session of its own leads out of the family.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

_ROUNDS = 200


def adopt_orphans(libc: object) -> bool:
    """Make this process the one that gets the orphans of its family; whether the system does so."""
    pr_set_child_subreaper = 36
    return bool(libc.prctl(pr_set_child_subreaper, 1, 0, 0, 0) == 0)     # type: ignore[attr-defined]


def descendants(ancestor: int) -> set[int]:
    """The ids of all processes below this one, zombies excluded."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                state, parent = Path("/proc", entry, "stat").read_bytes().rpartition(b")")[2].split()[:2]
            except (OSError, ValueError):   # it ended while we looked
                continue
            if state != b"Z":
                parents[int(entry)] = int(parent)
    family = {ancestor}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return family - {ancestor}
        family |= more


def kill_family() -> set[int]:
    """Kill all descendants of this process; which they were.

    They are stopped first, until no new one turns up, as whoever is stopped can't fork while the others die.
    """
    stopped: set[int] = set()
    for _ in range(_ROUNDS):
        new = descendants(os.getpid()) - stopped
        if not new:
            break
        for pid in new:
            _send(pid, signal.SIGSTOP)
        stopped |= new
    for pid in stopped:
        _send(pid, signal.SIGKILL)
    return stopped


def end_family() -> int:
    """Kill all descendants of this process and wait until they are gone; how many there were."""
    seen: set[int] = set()
    for _ in range(_ROUNDS):
        seen |= kill_family()
        if not _reap():
            break
        time.sleep(0.001)
    return len(seen)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:      # it is gone already
        return


def _reap() -> bool:
    """Take leave of the dead; whether there are children still."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
