"""What a process gives up before it runs a submission: limits, privileges, files, the network."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from . import landlock, seccomp

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWNET = 0x40000000
_FIRST_UID = 1_000_000_000      # no system gives such a number to anybody
_SIGKILL = 9


def libc() -> Any:
    """C's library, on Linux; else None."""
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def limit(limits: Mapping[str, float]) -> list[str]:
    """Limit this process and all that it starts; what couldn't be limited, in words."""
    try:
        import resource
    except ModuleNotFoundError:     # Windows
        return ["processor time", "memory", "file sizes", "open files", "number of processes"]
    missing = []
    for name, kind, value in (
        ("processor time", "RLIMIT_CPU", limits["cpu_seconds"]),
        ("memory", "RLIMIT_AS", limits["memory"]),
        ("file sizes", "RLIMIT_FSIZE", limits["file_size"]),
        ("open files", "RLIMIT_NOFILE", limits["open_files"]),
        ("number of processes", "RLIMIT_NPROC", limits["processes"] + _own_threads()),
        ("core dumps", "RLIMIT_CORE", 0),
    ):
        number = getattr(resource, kind, None)
        hard = int(value) + (kind == "RLIMIT_CPU")      # a second to be told; then killed
        try:
            if number is None:
                raise ValueError(kind)
            most = resource.getrlimit(number)[1]
            hard = hard if most == resource.RLIM_INFINITY else min(hard, most)
            resource.setrlimit(number, (min(int(value), hard), hard))
        except (ValueError, OSError):
            missing.append(name)
    if sys.platform == "darwin" and "memory" not in missing:
        missing.append("memory")        # macOS takes the limit and doesn't keep it
    if _is_root() and "number of processes" not in missing:
        missing.append("number of processes")       # Linux exempts root
    return missing


def confine(
    limits: Mapping[str, float], uid: int | None, rules: int | None, forget: Callable[[], None]
) -> list[str]:
    """Give up what a submission doesn't need, in the order in which it is still possible.

    Args:
        limits: of Limits.
        uid: to become this user; None to stay who one is.
        rules: descriptor of a Landlock ruleset; None without.
        forget: called before, to close what must not be inherited.

    Returns:
        what couldn't be given up, in words.

    """
    forget()
    c = libc()
    if c is None:
        missing = limit(limits)
        return [*missing, "reading other files", "network", "signals to other processes"]
    missing = []
    offline = c.unshare(_CLONE_NEWNET) == 0
    c.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if uid is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    missing += limit(limits)
    c.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    known = 0 if rules is None else landlock.version(c)
    if rules is not None:
        landlock.enforce(c, rules)
    alone = seccomp.leave_others_alone(c)
    if _is_root():
        _drop_capabilities(c)
    if not known:
        missing.append("reading other files")
    if not offline:
        missing.append("network other than TCP" if known >= 4 else "network")
    if uid is None and known < 6:
        missing.append("signals to other processes")
    if uid is None and not alone:
        missing.append("limits and priorities of other processes")
    return missing


def other_user(needed: list[str], folder: str) -> int | None:
    """As root: the number of a user without rights, who is given the working folder; else None.

    None too where such a user can't read what is needed, or can't reach the folder.
    """
    if not _is_root():
        return None
    uid = _FIRST_UID + os.getpid()
    try:
        os.chown(folder, uid, uid)
    except OSError:     # a container that has no such user
        return None
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            reads = all(os.access(path, os.R_OK) for path in needed)
            code = 0 if reads and os.access(folder, os.W_OK | os.X_OK) else 1
        finally:
            os._exit(code)
    if os.waitpid(pid, 0)[1] == 0:
        return uid
    os.chown(folder, os.getuid(), os.getgid())
    return None


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _own_threads() -> int:
    """How many threads this user has running: the system's limit counts them with the submission's."""
    if sys.platform != "linux":
        return 0
    own, count = os.getuid(), 0
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                if os.stat(f"/proc/{entry}").st_uid == own:
                    count += len(os.listdir(f"/proc/{entry}/task"))
            except OSError:     # it ended while we looked
                continue
    return count


def _drop_capabilities(c: Any) -> None:
    """Root's exceptions from the rules: from raising limits again to loading a module into the kernel."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    c.capset(header, nothing)
