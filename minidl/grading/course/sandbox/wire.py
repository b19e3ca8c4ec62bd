"""The only language between grader and student: JSON, and raw arrays of a declared type, shape and length.

No pickle, and nothing else that could run code. A frame is two lengths of eight bytes, a header in JSON, and
the arrays' bytes one after the other; in the header stands {"array": [type, shape]} for each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

TYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
)
CANNOT_RUN = "Your file can't be run"       # begins what is said where loading a submission fails
_HEADER = 2**20     # bytes of JSON in a frame: names, types, shapes, sentences


def frame(message: dict[str, Any]) -> bytes:
    """A message as bytes. Its arrays have one of TYPES; tuples come out as lists.

    Raises:
        TypeError: something that neither JSON nor TYPES have.

    """
    arrays: list[bytes] = []
    header = json.dumps(_outward(message, arrays)).encode()
    body = b"".join(arrays)
    return len(header).to_bytes(8, "little") + len(body).to_bytes(8, "little") + header + body


def frames(data: bytes) -> Iterator[dict[str, Any]]:
    """The messages in what a process wrote, whoever wrote it.

    Raises:
        ValueError: bytes that are no frames, or arrays that aren't all there; what came before is yielded.

    """
    at = 0
    while at < len(data):
        sizes = data[at:at + 8], data[at + 8:at + 16]
        head, body = (int.from_bytes(size, "little") for size in sizes)
        begin = at + 16
        if len(sizes[1]) < 8 or head > _HEADER or begin + head + body > len(data):
            raise ValueError(f"expected a frame at byte {at} of {len(data)}, got none that is whole")
        yield _message(data[begin:begin + head], memoryview(data)[begin + head:begin + head + body])
        at = begin + head + body


def _outward(value: Any, arrays: list[bytes]) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        a = np.asarray(value)
        if a.dtype.name not in TYPES:
            raise TypeError(f"an array of {a.dtype.name}")
        little = a.astype(a.dtype.newbyteorder("<"), copy=False)
        arrays.append(little.tobytes())
        return {"array": [a.dtype.name, list(a.shape)]}
    if isinstance(value, dict):
        return {name: _outward(each, arrays) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_outward(each, arrays) for each in value]
    return value


def _message(header: bytes, body: memoryview) -> dict[str, Any]:
    try:
        plain = json.loads(header)
        message, used = _inward(plain, body, 0)
    except (KeyError, TypeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"expected a header in JSON, got {type(error).__name__}") from error
    if not isinstance(message, dict) or used != len(body):
        raise ValueError("expected a message with all its arrays, got another number of bytes")
    return message


def _inward(value: Any, body: memoryview, at: int) -> tuple[Any, int]:
    if isinstance(value, dict) and set(value) == {"array"}:
        return _array(value["array"], body, at)
    if isinstance(value, dict):
        named = {}
        for name, each in value.items():
            named[name], at = _inward(each, body, at)
        return named, at
    if isinstance(value, list):
        listed = []
        for each in value:
            inner, at = _inward(each, body, at)
            listed.append(inner)
        return listed, at
    return value, at


def _array(declared: Any, body: memoryview, at: int) -> tuple[np.ndarray[Any, Any], int]:
    """Nothing is allocated before the bytes are known to be there."""
    name, shape = declared
    sizes_fit = isinstance(shape, list) and all(type(n) is int and 0 <= n < 2**48 for n in shape)
    if name not in TYPES or not sizes_fit or len(shape) > 32:
        raise ValueError("expected an array's type and shape, got something else")
    dtype = np.dtype(name).newbyteorder("<")
    end = at + math.prod(shape) * dtype.itemsize
    if end > len(body):
        raise ValueError(f"expected {end - at} bytes for shape {tuple(shape)}, got {len(body) - at}")
    array = np.frombuffer(body[at:end], dtype).reshape(shape)
    return array.astype(np.dtype(name)), end
