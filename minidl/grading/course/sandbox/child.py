"""What happens in the student's process: request in, submission run, arrays out."""

from __future__ import annotations

import os
import sys
import types
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import fence, wire

_LONGEST = 300      # characters of a sentence about an exception


def read_request(descriptor: int) -> dict[str, Any]:
    """The one message in the file of requests."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return next(wire.frames(file.read()))


def compute(request: dict[str, Any], descriptor: int, readable: Sequence[str], folder: str) -> None:
    """Run the submission's code for each case, and write what came of it; never returns in an orderly way.

    Args:
        request: file (the submission's name), source (its bytes), library, and cases with their program,
            inputs, and outputs (names alone).
        descriptor: of the file for results.
        readable: what Python and NumPy need to read.
        folder: the working folder.

    """
    # Looked up before the submission runs, which may change what these names mean.
    write, leave, pack = os.write, os._exit, wire.frame
    notes: list[str] = []
    os.chdir(folder)
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace", line_buffering=True)     # type: ignore[union-attr]
    np.seterr(all="ignore")
    before = fence.snapshot()
    fence.Fence(fence.allowed_modules(request["library"]), readable, folder, notes).raise_it()
    names, trouble = _load(bytes.fromhex(request["source"]), request["file"])
    for number, case in enumerate(request["cases"]):
        result = {"arrays": {}, "trouble": trouble} if trouble else _case(case, names, request["file"])
        write(descriptor, pack({"case": number, **result}))
    changed = fence.changed_names(before)
    if changed:
        notes.append(f"the submission changed {', '.join(changed[:5])}")
    write(descriptor, pack({"notes": [note.encode("ascii", "replace").decode()[:200] for note in notes]}))
    leave(0)        # without what the submission left to be done at the end


def _load(source: bytes, file: str) -> tuple[dict[str, Any], str]:
    module = types.ModuleType("submission")
    module.__file__ = file
    sys.modules["submission"] = module      # dataclasses look it up
    try:
        exec(compile(source, file, "exec"), vars(module))
    except BaseException as error:      # SystemExit and KeyboardInterrupt too
        return {}, f"{wire.CANNOT_RUN}: {_sentence(error, file)}"
    return vars(module), ""


def _case(case: dict[str, Any], names: dict[str, Any], file: str) -> dict[str, Any]:
    space = {**names, "np": np, **case["inputs"]}
    try:
        exec(compile(case["program"], "program", "exec"), space)
        arrays = {name: _array(name, space[name]) for name in case["outputs"] if name in space}
        return {"arrays": arrays, "trouble": ""}
    except BaseException as error:
        return {"arrays": {}, "trouble": _sentence(error, file)}


def _array(name: str, value: Any) -> Any:
    array = np.array(value)
    if array.dtype.name not in wire.TYPES:
        raise TypeError(f"{name}: expected numbers, got an array of {array.dtype.name}")
    return array


def _sentence(error: BaseException, file: str) -> str:
    """The exception in words, with its line; whatever its own methods do."""
    try:
        kind = str(type(error).__name__)[:60]
    except BaseException:
        kind = "an exception"
    try:
        text = str(error)[:_LONGEST]
    except BaseException:
        text = "(it can't be printed)"
    line, traceback = 0, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    where = f" (line {line} of {file})" if line else ""
    return f"{kind}: {text}{where}".encode("ascii", "replace").decode()
