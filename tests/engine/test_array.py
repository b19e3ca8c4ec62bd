"""What a user hands in becomes a float array, by one rule."""

from __future__ import annotations

import numpy as np
import pytest

import minidl as dl
from minidl.engine.array import as_array, describe, norm, read_only


@pytest.mark.parametrize("value", [
    2, 2.5, True, [1, 2], [[1.0, 2.0]], (1, 2.5), range(3), np.arange(3), np.int64(3), np.bool_(True),
    np.array([True, False]), np.ones(2, np.uint8), np.ones(2, np.float16), np.float32(2), [np.float64(0.1)],
], ids=repr)
def test_numbers_lists_and_integers_become_float32(value):
    assert as_array(value).dtype == np.float32
    np.testing.assert_allclose(as_array(value), np.asarray(value), rtol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_arrays_are_neither_copied_nor_converted(dtype):
    a = np.ones((2, 3), dtype)[:, ::2]
    assert np.shares_memory(as_array(a), a)
    assert as_array(a).dtype == dtype


@pytest.mark.parametrize("value", [np.float64(2), np.ones(2, ">f8"), np.ones(2, np.longdouble)], ids=repr)
def test_wide_floats_become_float64(value):
    assert as_array(value).dtype == np.float64


def test_a_wanted_dtype_is_reached_in_one_step():
    assert as_array(0.1, np.dtype(np.float64)) == 0.1
    assert as_array([0.1], np.dtype(np.float64))[0] == 0.1
    assert as_array(np.array(0.1), np.dtype(np.float32)).dtype == np.float32


class OnlyDLPack:
    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnlyArray:
    def __array__(self, dtype=None, copy=None):
        return np.arange(3.0)


def test_other_libraries_arrays_come_in_by_their_protocols():
    a = np.arange(3.0)
    assert np.shares_memory(as_array(OnlyDLPack(a)), a)
    assert as_array(OnlyDLPack(np.ones(2, np.float16))).dtype == np.float32
    assert as_array(OnlyDLPack(np.ones(2, np.int32))).dtype == np.float32
    assert as_array(OnlyArray()).tolist() == [0, 1, 2]
    assert as_array(OnlyArray()).dtype == as_array(OnlyDLPack(a)).dtype == np.float64
    for other in (OnlyArray(), OnlyDLPack(a)):
        assert as_array(other, np.dtype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("value", [
    "abc", None, 1j, {}, [None], [1, "a"], np.array(["a"]), np.ones(2, complex),
], ids=repr)
def test_what_is_no_real_number_is_refused(value):
    with pytest.raises(TypeError, match="expected real numbers, got "):
        as_array(value)


def test_a_masked_array_would_lose_its_mask_and_is_refused():
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    for call in (as_array, dl.Tensor, dl.Parameter, lambda a: dl.Tensor([1.0, 1.0]) * a):
        with pytest.raises(TypeError, match=(
            r"expected an array without a mask, got shape \(2,\) of float64 with masked elements: "
            r"say what stands for them, a.filled\(value\)"
        )):
            call(masked)
    assert as_array(masked.filled(0.0)).tolist() == [0, 2]
    assert as_array(np.ma.array([1.0, 2.0])).tolist() == [1, 2]     # nothing is masked, nothing is lost


def test_ragged_lists_are_refused():
    with pytest.raises(TypeError, match=r"numbers in rows of equal length, got list \[\[1\], \[1, 2\]\]"):
        as_array([[1], [1, 2]])


class Frame:
    shape = (2, 3)

    def __repr__(self):
        return "a frame"


@pytest.mark.parametrize(("value", "text"), [
    ("x" * 58, "str '" + "x" * 58 + "'"), ("x" * 59, "str '" + "x" * 56 + "..."), (Frame(), "Frame a frame"),
])
def test_describe_cuts_what_is_longer_than_60_characters(value, text):
    assert describe(value) == text


def test_norm_is_that_of_all_elements_in_float64_and_never_warns():
    assert norm(np.array([[3.0, 0.0], [0.0, 4.0]], np.float32)) == 5
    assert norm(np.full(4, 1e-30, np.float32)) == pytest.approx(2e-30)
    assert norm(np.full(4, 3e38, np.float32)) == pytest.approx(6e38)
    for bad, expected in (([1e200, 1e200], np.inf), ([np.inf, 1], np.inf), ([np.nan, 1], np.nan)):
        np.testing.assert_equal(norm(np.array(bad)), expected)


def test_describe_is_short():
    assert describe(np.ones((2, 3))) == "shape (2, 3) of float64"
    assert describe([1, 2]) == "list [1, 2]"
    assert len(describe("x" * 1000)) < 80


def test_a_read_only_view_leaves_the_array_writable():
    a = np.ones(3)
    view = read_only(a)
    a[0] = 2
    assert view[0] == 2
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 3
