"""The two ways of running a check: forked by a keeper (Linux), or in a new interpreter (elsewhere)."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from minidl.grading.course.sandbox import folder as working_folder
from minidl.grading.course.sandbox.ended import Ended
from minidl.grading.course.sandbox.place import command, environment
from minidl.grading.course.sandbox.reading import read_output

_GRACE = 20.0       # seconds that a keeper may take longer than its check


class Forked:
    """A keeper process, which forks for each check.

    Args:
        settings: of sandbox/keeper.py, but for the descriptors.
        files: for requests, results, and what is printed.
        folder: the working folder.

    """

    def __init__(self, settings: dict[str, Any], files: Sequence[BinaryIO], folder: Path) -> None:
        descriptors = [file.fileno() for file in files]
        settings = settings | dict(zip(("request", "result", "output"), descriptors, strict=True))
        self._process = subprocess.Popen(
            command("keeper", settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=descriptors[2],
            pass_fds=descriptors, cwd=folder, env=environment(folder), start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._ask, self._answer = self._process.stdin, self._process.stdout
        if self._answer.readline().strip() != b"ready":
            self.close()
            raise RuntimeError(f"the sandbox can't be set up here: {read_output(files[2], 2000)[-500:]}")

    def run(self, wall_seconds: float) -> Ended:
        """Have the request that lies in its file computed."""
        try:
            self._ask.write(f"{wall_seconds}\n".encode())
            self._ask.flush()
            if select.select([self._answer], [], [], wall_seconds + _GRACE)[0]:
                line = self._answer.readline()
                if line:
                    return Ended(**json.loads(line))
        except BrokenPipeError:
            return Ended(None, 0.0, "keeper", 0, None)
        return Ended(None, 0.0, "keeper", 0, None)

    def close(self) -> None:
        """End the keeper, and with it whatever is left."""
        with contextlib.suppress(OSError):      # it is gone already
            self._ask.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answer.close()


class Alone:
    """A fresh interpreter for each check, with what limits the system has.

    Args:
        settings: of sandbox/alone.py.
        files: for requests, results, and what is printed.
        folder: the working folder.

    """

    def __init__(self, settings: dict[str, Any], files: Sequence[BinaryIO], folder: Path) -> None:
        self._settings, self._files, self._folder = settings, files, folder

    def run(self, wall_seconds: float) -> Ended:
        """Have the request that lies in its file computed."""
        request, result, output = self._files
        process = subprocess.Popen(
            command("alone", self._settings), stdin=request, stdout=result, stderr=output, cwd=self._folder,
            env=environment(self._folder), start_new_session=os.name == "posix",
        )
        reason = ""
        try:
            process.wait(wall_seconds)
        except subprocess.TimeoutExpired:
            reason = "wall"
        finally:
            _end_group(process)
        working_folder.empty(str(self._folder))
        return Ended(process.wait(), 0.0, reason, 0, None)

    def close(self) -> None:
        """Nothing is left to be done."""


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its group, or its tree; a session of its own leads out of the group."""
    if sys.platform == "win32":
        tree = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(tree, capture_output=True, check=False)
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):     # the second: macOS, of zombies
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
