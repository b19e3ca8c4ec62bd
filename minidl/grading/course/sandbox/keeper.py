"""The keeper of a submission: a process that forks for each check, watches it, and ends all that it left.

It says "ready". Then for each line that the grader writes, the seconds that a check may take, it runs one and
answers with a line of JSON about how that ended. It never reads a request: the child does.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from typing import Any

from . import child, confine, descendants, landlock
from .folder import empty

_LOOK = 0.05        # seconds between two looks at what the child is doing


def main(settings: dict[str, Any]) -> None:
    """Serve until the grader closes the pipe.

    Args:
        settings: request, result, output (descriptors), readable (paths), folder, limits (by name), needed
            (files that Python and NumPy are made of).

    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    c = confine.libc()
    descendants.adopt_orphans(c)
    folder = settings["folder"]
    uid = confine.other_user(settings["needed"], folder)
    rules = None
    if landlock.version(c):
        rules = landlock.ruleset(c, settings["readable"], folder)
    print("ready", flush=True)
    while line := sys.stdin.buffer.readline():
        ended = _check(settings, float(line), uid, rules)
        empty(folder)
        print(json.dumps(ended), flush=True)


def _check(settings: dict[str, Any], wall: float, uid: int | None, rules: int | None) -> dict[str, Any]:
    report, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(report)
            _become_child(settings, uid, rules, told)
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(70)
    os.close(told)
    status, usage, reason = _wait(pid, wall, settings["limits"])
    left = descendants.end_family()
    with os.fdopen(report, "rb") as file:
        said = file.read(10_000)
    return {
        "code": os.waitstatus_to_exitcode(status), "cpu": usage.ru_utime + usage.ru_stime, "reason": reason,
        "left": left, "missing": json.loads(said) if said else None,
    }


def _become_child(settings: dict[str, Any], uid: int | None, rules: int | None, told: int) -> None:
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    request = child.read_request(settings["request"])

    def forget() -> None:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(settings["output"], 1)
        os.dup2(settings["output"], 2)
        for descriptor in (nothing, settings["request"], settings["output"]):
            os.close(descriptor)

    missing = confine.confine(settings["limits"], uid, rules, forget)
    os.write(told, json.dumps(missing).encode())
    os.close(told)
    child.compute(request, settings["result"], settings["readable"], settings["folder"])


def _wait(pid: int, wall: float, limits: dict[str, float]) -> tuple[int, Any, str]:
    """Until the child ended, or had to be: its status, what it used, and why it was ended."""
    deadline = time.monotonic() + wall
    reason = ""
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage, reason
        if time.monotonic() > deadline:
            reason = "wall"
        elif select.select([sys.stdin], [], [], 0)[0]:
            reason = "cancelled"        # the grader went away
        elif len(descendants.descendants(os.getpid())) > limits["processes"]:
            reason = "processes"
        if reason:
            descendants.kill_family()
            _, status, usage = os.wait4(pid, 0)
            return status, usage, reason
        signal.sigtimedwait({signal.SIGCHLD}, _LOOK)
