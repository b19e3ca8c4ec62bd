"""IDX files (the format of MNIST), gzip'd: read into arrays, straight into floats by chunks, and written."""

from __future__ import annotations

import itertools
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minidl.files import replacing

_MAGIC = bytes([0, 0, 0x08])  # unsigned bytes; the number of dimensions follows
_COMPRESSED_CHUNK = 1 << 16  # inflates to about 300 kB of images: converted while it is still in the cache
_MOST = 64  # dimensions: NumPy has no more
_DEFLATE_LIMIT = 1032  # no deflate stream inflates by more than this


def read_idx(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """The array in a gzip'd IDX file of unsigned bytes, of any shape.

    Raises:
        ValueError: a file that isn't gzip (an HTML page, for example), is cut short, is damaged, has another
            magic number, or goes on after its end; the message names it.

    Source: the format is that of LeCun, Cortes, Burges, "The MNIST database of handwritten digits".

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_idx(Path(folder) / "labels.gz", np.array([3, 1, 4], np.uint8))
        ...     read_idx(Path(folder) / "labels.gz")
        array([3, 1, 4], dtype=uint8)

    """
    return _decode(Path(path).read_bytes(), str(path), None, np.dtype(np.uint8))


def write_idx(path: str | os.PathLike[str], array: NDArray[np.uint8]) -> None:
    """Write an array of unsigned bytes as a gzip'd IDX file; the same array gives the same bytes.

    Nothing half-written is left: the file appears whole or not at all.

    Raises:
        TypeError: an array of another dtype, or without axes.

    """
    if array.dtype != np.uint8 or not array.ndim:
        raise TypeError(f"write_idx expects a uint8 array (n, ...), got {array.dtype} {array.shape}")
    import gzip

    header = _MAGIC + bytes([array.ndim]) + np.array(array.shape, ">u4").tobytes()
    with replacing(Path(path)) as file:
        file.write(gzip.compress(header + array.tobytes(), mtime=0))


def decode_images(raw: bytes, source: str) -> NDArray[np.float32]:
    """Images (N, height, width, 1) in [0, 1] from a gzip'd IDX file's bytes; `source` names it in errors."""
    return _decode(raw, source, 3, np.dtype(np.float32))[..., np.newaxis]


def decode_labels(raw: bytes, source: str) -> NDArray[np.int64]:
    """Labels (N,) from a gzip'd IDX file's bytes; `source` names it in errors."""
    return _decode(raw, source, 1, np.dtype(np.uint8)).astype(np.int64)


def as_floats(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (N, height, width, 1) in [0, 1] from bytes (N, height, width)."""
    return np.divide(images, np.float32(255), dtype=np.float32)[..., np.newaxis]


def not_gzip(start: bytes) -> str | None:
    """What a file is that begins with these bytes, where it can't be gzip; None where it can.

    Example:
        >>> not_gzip(b"<!DOCTYPE html>")
        'an HTML page (of a login or an error)'

    """
    if start.startswith(b"\x1f\x8b"):
        return None
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "an HTML page (of a login or an error)"
    if not start:
        return "empty"
    if start.startswith(_MAGIC):
        return "an IDX file that isn't compressed"
    return "no gzip file"


def _decode(raw: bytes, source: str, dimensions: int | None, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The array in `raw`: float32 divided by 255, or the bytes as they are."""
    from concurrent.futures import ThreadPoolExecutor

    chunks = _inflate(raw, source)
    shape, body = _header(chunks, source, dimensions)
    total = math.prod(shape)
    if total > _DEFLATE_LIMIT * len(raw):  # before memory is asked for
        raise ValueError(f"{source}: its header promises {total} bytes, which it can't hold: get it again")
    flat = np.empty(total, dtype)

    def places() -> Iterator[tuple[NDArray[np.uint8], NDArray[Any]]]:
        filled = 0
        for chunk in itertools.chain([body], chunks):
            piece = np.frombuffer(chunk, np.uint8)
            if filled + len(piece) > total:
                raise ValueError(f"{source}: expected {total} bytes for {shape}, got more: get it again")
            yield piece, flat[filled : filled + len(piece)]
            filled += len(piece)
        if filled < total:
            raise ValueError(f"{source}: expected {total} bytes for {shape}, got {filled}: get it again")

    # One thread inflates (this one) while the other converts: taking the pages of a large new array from the
    # system costs as much as inflating does, at times twice as much.
    with ThreadPoolExecutor(1) as pool:
        for _ in pool.map(_to_floats if dtype == np.float32 else _copy, places()):
            pass
    return flat.reshape(shape)


def _to_floats(place: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> None:
    # A division, not a multiplication by 1/255, which rounds: 255 must become exactly 1.
    np.divide(place[0], np.float32(255), out=place[1])


def _copy(place: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
    place[1][:] = place[0]


def _header(chunks: Iterator[bytes], source: str, dimensions: int | None) -> tuple[tuple[int, ...], bytes]:
    """The shape that an IDX stream declares, and what of the body came with it."""
    start = _at_least(4, b"", chunks, source)
    known = start[:3] == _MAGIC and start[3] > 0
    if not known or start[3] != (dimensions or start[3]) or start[3] > _MOST:
        expected = f"0x{0x0800 + dimensions:08x}" if dimensions else "0x000008nn"
        hint = {1: ", which is for labels", 3: ", which is for images"}.get(start[3], "") if known else ""
        raise ValueError(
            f"{source}: expected the magic number {expected}, got 0x{start[:4].hex()}{hint}: get another file"
        )
    end = 4 + 4 * start[3]
    start = _at_least(end, start, chunks, source)
    return tuple(int(size) for size in np.frombuffer(start[4:end], ">u4")), start[end:]


def _at_least(count: int, start: bytes, chunks: Iterator[bytes], source: str) -> bytes:
    while len(start) < count:
        chunk = next(chunks, None)
        if chunk is None:
            raise ValueError(f"{source}: expected an IDX header, got {len(start)} bytes: get it again")
        start += chunk
    return start


def _inflate(raw: bytes, source: str) -> Iterator[bytes]:
    """The gzip stream in `raw` piece by piece, checked on the way: its CRC, and where it ends."""
    found = not_gzip(raw[:64])
    if found:
        raise ValueError(f"{source}: expected a gzip'd IDX file, got {found}: get it again")
    stream = zlib.decompressobj(wbits=31)
    view = memoryview(raw)
    for start in range(0, len(raw), _COMPRESSED_CHUNK):
        if stream.eof:
            break
        try:
            piece = stream.decompress(view[start : start + _COMPRESSED_CHUNK])
        except zlib.error as error:
            raise ValueError(f"{source}: damaged ({error}): get it again") from error
        if piece:
            yield piece
    if not stream.eof:
        raise ValueError(f"{source}: cut short, its gzip stream has no end: get it again")
    end = start + min(_COMPRESSED_CHUNK, len(raw) - start) - len(stream.unused_data)
    if end < len(raw):
        raise ValueError(f"{source}: bytes follow the end of its gzip stream: get it again")
