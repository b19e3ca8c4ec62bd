"""The language between grader and student: what it carries, and what it refuses to believe."""

from __future__ import annotations

import io
import json
import signal

import numpy as np
import pytest

from minidl.grading.course.sandbox import wire
from minidl.grading.course.sandbox.ended import Ended
from minidl.grading.course.sandbox.limits import Limits
from minidl.grading.course.sandbox.reading import read_results, reason


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


LOOP = "it used more than 5 s of processor time: is there an endless loop?"


def said(data, limit=50_000):
    file = io.BytesIO(data)
    return read_results(file, limit)


def test_results_are_read_up_to_a_limit():
    data = wire.frame({"case": 0, "arrays": {"y": np.zeros(100)}, "trouble": ""})
    assert said(data, len(data)).results[0].arrays["y"].shape == (100,)
    too_much = said(data, len(data) - 1)
    assert not too_much.results
    assert too_much.trouble == "it returned more than 0 MB"


def test_the_first_answer_to_a_case_counts_and_others_of_a_strange_form_do_not():
    def answer(case, value, trouble=""):
        return wire.frame({"case": case, "arrays": value, "trouble": trouble})

    one, two = {"y": np.ones(1)}, {"y": np.zeros(1)}
    read = said(answer(0, one) + answer(0, two) + answer("1", one) + answer(True, one) + answer(2, {"y": 1.0})
                + answer(3, [1]) + answer(4, one, None) + wire.frame({"notes": ["a\x1b[31m", 3, "b" * 9999]}))
    assert list(read.results) == [0]
    assert read.results[0].arrays["y"] == 1
    assert read.notes[0] == "a?[31m"
    assert len(read.notes[1]) == 500


@pytest.mark.parametrize(("ended", "sentence", "timeout"), [
    (Ended(-24, 5.0, "", 0, []), LOOP, True),
    (Ended(-9, 6.0, "", 0, []), LOOP, True),
    (Ended(-9, 5.5, "wall", 0, []), LOOP, True),
    (
        Ended(-9, 0.1, "wall", 0, []),
        "it took longer than 15 s, 0.1 s of them computing: does it sleep or wait?", True,
    ),
    (Ended(-9, 0.1, "processes", 0, []), "it started more than 32 processes and was ended", False),
    (Ended(None, 0.0, "keeper", 0, None), "it ended the process that watches over it", False),
    (Ended(-11, 0.1, "", 0, []), "its process was ended by signal 11 (SIGSEGV)", False),
    (Ended(-9, 0.1, "", 0, []), "its process was ended by signal 9 (SIGKILL)", False),
    (Ended(3, 0.1, "", 0, []), "its process ended itself (exit code 3) before the result was there", False),
])
def test_why_there_is_no_result(ended, sentence, timeout):
    if not hasattr(signal, "SIGXCPU"):
        pytest.skip("this system has no signal for processor time")
    assert reason(ended, Limits(), 15.0) == (sentence, timeout)
