"""The grader's side of the sandbox: hands out requests, reads what came back, and says what went wrong."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minidl.grading.course.checks import Case
from minidl.grading.course.judging import CaseResult
from minidl.grading.course.sandbox import folder as working_folder
from minidl.grading.course.sandbox import place, wire
from minidl.grading.course.sandbox.limits import Limits
from minidl.grading.course.sandbox.processes import Alone, Forked
from minidl.grading.course.sandbox.reading import read_output, read_results, reason


@dataclass(frozen=True)
class Run:
    """What came of a check, as far as the sandbox can tell.

    Attributes:
        results: one for each case.
        why: what ended it before all results were there, in the grader's own words; else empty.
        seconds: that it took.
        timeout: whether it ran out of time.
        notes: what the student's process says that it did, in sentences: not to be relied on.
        seen: what the grader saw it do, in sentences.
        output: the beginning of what it printed.
        missing: limits that couldn't be enforced.

    """

    results: Sequence[CaseResult]
    why: str
    seconds: float
    timeout: bool
    notes: Sequence[str]
    seen: Sequence[str]
    output: str
    missing: Sequence[str]


class Sandbox:
    """Runs the checks of one submission, each in a process of its own; a context manager.

    Args:
        file: name of the submission, for its error messages.
        source: its bytes.
        library: whether it may import `minidl`.
        limits: what it may use.
        fork: whether to fork from a keeper; where the system can, unless told otherwise.

    """

    def __init__(
        self, file: str, source: bytes, library: bool = False, limits: Limits | None = None,
        fork: bool = sys.platform == "linux",
    ) -> None:
        self._file, self._source, self._library, self._fork = file, source, library, fork
        self._limits = limits or Limits()
        self._open = contextlib.ExitStack()
        self._processes: Forked | Alone | None = None

    def __enter__(self) -> Sandbox:
        self._folder = Path(tempfile.mkdtemp(prefix="minidl-submission-")).resolve()
        self._open.callback(working_folder.remove, self._folder)
        self._files = [self._open.enter_context(tempfile.TemporaryFile()) for _ in range(3)]  # noqa: SIM115
        return self

    def __exit__(self, *_: object) -> None:
        self._end_processes()
        self._open.close()

    def run(self, cases: Sequence[Case], wall_seconds: float) -> Run:
        """Run the cases of one check.

        Raises:
            RuntimeError: the sandbox couldn't be set up: that is no student's fault.

        """
        began = time.monotonic()
        request, result, output = self._files
        for file in self._files:
            file.seek(0)
            file.truncate()
        request.write(wire.frame(self._message(cases)))
        request.flush()
        if self._processes is None:
            self._processes = (Forked if self._fork else Alone)(self._settings(), self._files, self._folder)
        ended = self._processes.run(wall_seconds)
        said = read_results(result, self._limits.result_size)
        printed = read_output(output, self._limits.output_size)
        if self._fork and ended.missing is None and not ended.reason:
            raise RuntimeError(f"the sandbox can't be set up here: {printed[-500:]}")
        if ended.reason == "keeper":
            self._end_processes()
        why, timeout = reason(ended, self._limits, wall_seconds)
        nothing = CaseResult({}, said.trouble or why)
        results = [said.results.get(number, nothing) for number in range(len(cases))]
        seen = [f"it left {ended.left} of its processes running: they were ended"] if ended.left else []
        missing = ended.missing if ended.missing is not None else said.missing or []
        whole = all(number in said.results for number in range(len(cases)))
        seconds = time.monotonic() - began
        why = "" if whole else nothing.trouble
        return Run(results, why, seconds, timeout, said.notes, seen, printed, missing)

    def _end_processes(self) -> None:
        if self._processes is not None:
            self._processes.close()
            self._processes = None

    def _message(self, cases: Sequence[Case]) -> dict[str, Any]:
        """What the student's process is told: not what is expected, how exactly, nor of which check it is."""
        return {
            "file": self._file, "source": self._source.hex(), "library": self._library,
            "cases": [
                {"program": case.program, "inputs": dict(case.inputs), "outputs": list(case.expected)}
                for case in cases
            ],
        }

    def _settings(self) -> dict[str, Any]:
        return {
            "keep": place.library_path() if self._library else [], "folder": str(self._folder),
            "limits": self._limits.plain(), "readable": place.readable(self._library),
            "needed": place.needed(),
        }
