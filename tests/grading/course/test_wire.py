"""The language between grader and student: what it carries, and what it refuses to believe."""

from __future__ import annotations

import json

import numpy as np
import pytest

from minidl.grading.course.sandbox import wire


def forged(header, body=b"", body_size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(body) if body_size is None else body_size
    return len(text).to_bytes(8, "little") + size.to_bytes(8, "little") + text + body


@pytest.mark.parametrize("name", wire.TYPES)
def test_arrays_of_all_types_come_back_bit_by_bit(name):
    array = np.arange(6).reshape(2, 3).astype(name)
    (message,) = wire.frames(wire.frame({"a": array, "list": [array.T, 1.5], "n": None}))
    for got, right in ((message["a"], array), (message["list"][0], array.T)):
        assert got.dtype == right.dtype
        assert got.shape == right.shape
        assert got.tobytes() == right.tobytes()
        assert got.flags.writeable
        assert got.flags.owndata
    assert message["list"][1] == 1.5
    assert message["n"] is None


def test_special_numbers_empty_arrays_and_single_numbers():
    a = np.array([np.nan, np.inf, -0.0])
    sent = {"a": a, "none": np.zeros((0, 3)), "one": np.float64(2), "t": (1, 2)}
    (message,) = wire.frames(wire.frame(sent))
    assert message["a"].tobytes() == a.tobytes()
    assert message["none"].shape == (0, 3)
    assert message["one"].shape == ()
    assert message["t"] == [1, 2]


@pytest.mark.parametrize("array", [np.array([None]), np.array(["a"]), np.array([1j]), np.array([b"x"])])
def test_arrays_of_other_types_are_refused(array):
    with pytest.raises(TypeError, match="an array of"):
        wire.frame({"a": array})


@pytest.mark.parametrize("data", [
    b"x",
    b"x" * 100,
    forged({"a": {"array": ["float64", [10**12]]}}),
    forged({"a": {"array": ["float64", [10**12]]}}, body_size=8 * 10**12),
    forged({"a": {"array": ["float64", [2**62, 2**62]]}}, b"x" * 8),
    forged({"a": {"array": ["float64", [-1]]}}, b"x" * 8),
    forged({"a": {"array": ["float64", [1.0]]}}, b"x" * 8),
    forged({"a": {"array": ["float64", [True]]}}, b"x" * 8),
    forged({"a": {"array": ["object", [1]]}}, b"x" * 8),
    forged({"a": {"array": ["O", [1]]}}, b"x" * 8),
    forged({"a": {"array": ["float64"]}}, b"x" * 8),
    forged({"a": {"array": [["float64"], [1]]}}, b"x" * 8),
    forged({"a": {"array": 3}}),
    forged({"a": {"array": ["float64", [1] * 33]}}, b"x" * 8),
    forged({"a": 1}, b"left over"),
    forged([1, 2]),
    forged(b"{"),
    forged(b"\xff"),
    forged(b"[" * 100_000),
    forged(b"1" * 10_000),
    forged(b" " * (wire._HEADER + 1)),
    wire.frame({"a": np.zeros(3)})[:-1],
], ids=range(22))
def test_what_is_no_frame_is_a_valueerror_and_nothing_is_allocated(data):
    with pytest.raises(ValueError, match=r"xpect|xceed"):
        list(wire.frames(data))


def test_whole_frames_before_a_broken_one_are_read():
    frames = wire.frames(wire.frame({"case": 0}) + b"broken")
    assert next(frames) == {"case": 0}
    with pytest.raises(ValueError, match="byte 27 of 33"):
        next(frames)
