from __future__ import annotations

import gzip
import os

import numpy as np
import pytest

from minidl.datasets.idx import as_floats, decode_images, decode_labels, not_gzip, read_idx, write_idx


def packed(header: bytes, body: bytes) -> bytes:
    return gzip.compress(header + body, mtime=0)


IMAGES = bytes([0, 0, 8, 3]) + np.array([3, 2, 2], ">u4").tobytes()
LABELS = bytes([0, 0, 8, 1]) + np.array([5], ">u4").tobytes()


@pytest.mark.parametrize("shape", [(7,), (3, 28, 28), (2, 3, 4, 5), (0, 28, 28), (300, 40, 40)])
def test_round_trip(shape, tmp_path):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    write_idx(tmp_path / "a.gz", array)
    back = read_idx(tmp_path / "a.gz")
    assert back.dtype == np.uint8 and back.shape == shape and (back == array).all()
    with gzip.open(tmp_path / "a.gz") as file:
        plain = file.read()
    assert plain[:4] == bytes([0, 0, 8, len(shape)]) and plain[4 + 4 * len(shape) :] == array.tobytes()


def test_same_array_gives_the_same_bytes_and_fortran_order_does_not_matter(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "a.gz", array)
    write_idx(tmp_path / "b.gz", np.asfortranarray(array))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)  # no time of writing
    assert sorted(os.listdir(tmp_path)) == ["a.gz", "b.gz"]


def test_images_become_floats_exactly(tmp_path):
    array = np.arange(256, dtype=np.uint8).reshape(1, 16, 16).repeat(999, axis=0)  # several chunks
    write_idx(tmp_path / "a.gz", array)
    images = decode_images((tmp_path / "a.gz").read_bytes(), "a.gz")
    assert images.shape == (999, 16, 16, 1) and images.dtype == np.float32 and images.flags.c_contiguous
    assert images.min() == 0.0 and images.max() == 1.0
    assert (images[..., 0] == array.astype(np.float32) / np.float32(255)).all()
    assert (images == as_floats(array)).all() and as_floats(array).dtype == np.float32


def test_labels_become_int64():
    labels = decode_labels(packed(LABELS, bytes([3, 1, 4, 1, 5])), "a.gz")
    assert labels.dtype == np.int64 and labels.tolist() == [3, 1, 4, 1, 5]


GOOD = packed(IMAGES, bytes(range(12)))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", "HTML page"),
        (b"\xef\xbb\xbf\n <html>", "HTML page"),
        (b"", "got empty"),
        (IMAGES + bytes(12), "isn't compressed"),
        (b"PK\x03\x04", "no gzip file"),
        (GOOD[:-1], "cut short"),
        (GOOD[:-9], "cut short"),
        (GOOD[:15], "cut short|header"),
        (GOOD + b"x", "bytes follow"),
        (GOOD + GOOD, "bytes follow"),
        (GOOD + bytes(200_000), "bytes follow"),
        (GOOD[:-6] + bytes([GOOD[-6] ^ 1]) + GOOD[-5:], "damaged"),
        (packed(LABELS, bytes(5)), "magic number 0x00000803, got 0x00000801, which is for labels"),
        (packed(bytes([0, 0, 13, 3]) + IMAGES[4:], bytes(12)), "got 0x00000d03: "),
        (packed(b"hello, world", b""), "magic number"),
        (packed(IMAGES[:9], b""), "expected an IDX header, got 9 bytes"),
        (packed(b"", b""), "expected an IDX header, got 0 bytes"),
        (packed(IMAGES, bytes(11)), r"expected 12 bytes for \(3, 2, 2\), got 11"),
        (packed(IMAGES, bytes(13)), r"expected 12 bytes for \(3, 2, 2\), got more"),
        (packed(IMAGES[:4] + b"\xff" * 12, b""), "promises"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(raw, words):
    with pytest.raises(ValueError, match=words) as caught:
        decode_images(raw, "folder/train.gz")
    message = str(caught.value)
    assert message.startswith("folder/train.gz: ") and "\n" not in message and message.isascii()
    assert "get it again" in message or "get another file" in message


def test_images_where_labels_are_expected():
    with pytest.raises(ValueError, match="magic number 0x00000801, got 0x00000803, which is for images"):
        decode_labels(GOOD, "a.gz")


def test_read_idx_names_the_file(tmp_path):
    (tmp_path / "a.gz").write_bytes(GOOD[:-3])
    with pytest.raises(ValueError, match=r"a\.gz: cut short"):
        read_idx(tmp_path / "a.gz")
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "b.gz")


@pytest.mark.parametrize("array", [np.zeros(3), np.array(7, np.uint8)])
def test_write_idx_refuses(array, tmp_path):
    with pytest.raises(TypeError, match="write_idx expects a uint8 array"):
        write_idx(tmp_path / "a.gz", array)
    assert os.listdir(tmp_path) == []


def test_not_gzip_accepts_gzip():
    assert not_gzip(GOOD) is None


def test_more_dimensions_than_an_array_has(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 65]) + 65 * (1).to_bytes(4, "big") + b"x"))
    with pytest.raises(ValueError, match=r"a\.gz: expected the magic number 0x000008nn, got 0x00000841"):
        read_idx(path)
    array = np.full(64 * (1,), 7, np.uint8)
    write_idx(path, array)
    np.testing.assert_array_equal(read_idx(path), array)
