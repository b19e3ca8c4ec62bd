"""What a check's process left behind, read by somebody who doesn't trust it."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from minidl.grading.course.judging import CaseResult
from minidl.grading.course.sandbox import wire
from minidl.grading.course.sandbox.ended import Ended
from minidl.grading.course.sandbox.limits import Limits

_SENTENCE = 500     # characters that are shown of one
_NOTES = 10         # sentences of a check that are kept


@dataclass
class Said:
    """What the student's process wrote: by case; notes; limits that it couldn't set; what was wrong."""

    results: dict[int, CaseResult] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    missing: list[str] | None = None
    trouble: str = ""


def read_results(file: BinaryIO, limit: int) -> Said:
    """Everything of the right form; the first answer to a case counts."""
    said = Said()
    file.seek(0)
    data = file.read(limit + 1)
    if len(data) > limit:
        said.trouble = f"it returned more than {limit / 1e6:.0f} MB"
        return said
    try:
        for message in wire.frames(data):
            _take(message, said)
    except ValueError:      # without its words, which the submission may have chosen
        said.trouble = "what it returned can't be read"
    return said


def read_output(file: BinaryIO, limit: int) -> str:
    """The beginning of what was printed, in ASCII, without control characters."""
    file.seek(0)
    data = file.read(limit + 1)
    text = data[:limit].decode("utf-8", "replace") + (" ..." if len(data) > limit else "")
    return _plain(text, limit + 4)


def reason(ended: Ended, limits: Limits, wall_seconds: float) -> tuple[str, bool]:
    """Why there may be no result, in a sentence, and whether the time ran out."""
    killed = ended.code is not None and ended.code < 0
    if killed and (ended.code == -_XCPU or ended.cpu >= limits.cpu_seconds):
        return f"it used more than {limits.cpu_seconds} s of processor time: is there an endless loop?", True
    if ended.reason == "wall":
        used = f", {ended.cpu:.1f} s of them computing" if ended.cpu else ""
        return f"it took longer than {wall_seconds:.3g} s{used}: does it sleep or wait?", True
    if ended.reason == "processes":
        return f"it started more than {limits.processes} processes and was ended", False
    if ended.reason:
        return "it ended the process that watches over it", False
    if ended.code is not None and ended.code < 0:
        return f"its process was ended by signal {-ended.code} ({_signal(-ended.code)})", False
    return f"its process ended itself (exit code {ended.code}) before the result was there", False


_XCPU = int(getattr(signal, "SIGXCPU", 0)) or 10**6


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _take(message: Mapping[str, Any], said: Said) -> None:
    notes, missing, case = message.get("notes"), message.get("missing"), message.get("case")
    if isinstance(notes, list):
        free = _NOTES - len(said.notes)
        said.notes += [_sentence(note) for note in notes[:free] if isinstance(note, str)]
    elif isinstance(missing, list) and said.missing is None:
        said.missing = [_sentence(each) for each in missing[:_NOTES] if isinstance(each, str)]
    elif type(case) is int and case not in said.results:
        arrays, trouble = message.get("arrays"), message.get("trouble")
        fits = isinstance(arrays, dict) and all(isinstance(a, np.ndarray) for a in arrays.values())
        if fits and isinstance(trouble, str):
            said.results[case] = CaseResult(arrays or {}, _sentence(trouble))


def _sentence(text: str) -> str:
    """On one line: a second one could look like a line of the grader's own."""
    return _plain(text, _SENTENCE).replace("\n", " ")


def _plain(text: str, longest: int) -> str:
    text = text[:longest].encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
