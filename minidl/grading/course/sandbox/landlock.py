"""Landlock: Linux's way for a process to give up files, TCP and signals for good, with its children.

https://docs.kernel.org/userspace-api/landlock.html; needs no privileges, and holds root too.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from typing import Any

_CREATE, _ADD, _RESTRICT = 444, 445, 446       # system calls, the same numbers on all of today's processors
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15     # the rest of the rights are those of folders
_READING = _EXECUTE | _READ_FILE | _READ_DIR
_KNOWN_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP = 0b11             # bind and connect
_SCOPES = 0b11          # abstract sockets, and signals to processes outside


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version(libc: Any) -> int:
    """Of the system's Landlock; 0 without it."""
    return max(0, int(libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))))


def ruleset(libc: Any, readable: Iterable[str], writable: str) -> int:
    """A descriptor of these rules: some paths may be read, one folder written; no TCP, no signals.

    Raises:
        OSError: the system doesn't want to.

    """
    known = version(libc)
    files = (1 << _KNOWN_FILE_RIGHTS.get(known, 16)) - 1
    rules = _Ruleset(files, _TCP if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    size = 8 if known < 4 else 16 if known < 6 else 24
    made = libc.syscall(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if made < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    for path in readable:
        _allow(libc, made, path, _READING)
    _allow(libc, made, "/dev/null", _READ_FILE | 1 << 1)
    _allow(libc, made, writable, files)
    return int(made)


def enforce(libc: Any, rules: int) -> None:
    """Live by the rules from now on. "No new privileges" must have been set.

    Raises:
        OSError: the system doesn't want to.

    """
    if libc.syscall(_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0)) != 0:
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(rules)


def _allow(libc: Any, rules: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)     # type: ignore[attr-defined, unused-ignore]
    except OSError:         # what isn't there needn't be allowed
        return
    try:
        if not os.path.isdir(path):
            rights &= _OF_FILES
        rule = _Beneath(rights, descriptor)
        arguments = ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0)
        if libc.syscall(_ADD, *arguments) != 0:
            raise OSError(ctypes.get_errno(), f"landlock_add_rule for {path}")
    finally:
        os.close(descriptor)
