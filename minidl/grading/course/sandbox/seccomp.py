"""Seccomp: Linux's way for a process to give up system calls for good, with its children.

https://docs.kernel.org/userspace-api/seccomp_filter.html; needs no privileges. Given up is what changes the
limits and the priorities of other processes: where the grader is of the same user, Landlock lets that pass.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import Any

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _EQUAL, _NOT_LESS, _RETURN = 0x20, 0x15, 0x35, 0x06     # of "classic BPF", the filter's language
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001                        # the second: error 1, "not permitted"
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16              # where they stand in what the filter is shown
_X32 = 0x40000000       # numbers from here are x86-64's other set of the same calls
# By processor: its number, prlimit64; setpriority, sched_setparam, sched_setscheduler, sched_setaffinity,
# sched_setattr, ioprio_set.
_CALLS = {
    "x86_64": (0xC000003E, 302, (141, 142, 144, 203, 314, 251)),
    "aarch64": (0xC00000B7, 261, (140, 118, 119, 122, 274, 30)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def leave_others_alone(libc: Any) -> bool:
    """Give up changing limits and priorities, but one's own limits; whether that could be done.

    "No new privileges" must have been set.
    """
    calls = _CALLS.get(os.uname().machine)
    if calls is None or sys.maxsize < 2**32:     # 32 bits on such a processor: other numbers
        return False
    steps = _filter(*calls)
    program = _Program(len(steps) // 8, steps)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _filter(architecture: int, prlimit: int, refused: tuple[int, ...]) -> bytes:
    """Each step: what, steps to skip if so, steps to skip if not, number. The last two are the answers."""
    tests = [(_NOT_LESS, _X32), *((_EQUAL, number) for number in refused)]
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 0, len(tests) + 5, architecture), (_LOAD, 0, 0, _NUMBER)]
    steps += [(what, len(tests) - i + 3, 0, number) for i, (what, number) in enumerate(tests)]
    steps += [(_EQUAL, 0, 2, prlimit), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_EQUAL, 0, 1, 0)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
