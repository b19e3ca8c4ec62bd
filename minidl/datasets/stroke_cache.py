"""The stroke digits as Datasets: drawn once, then cached in one file for each version and seed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from minidl.checks import whole
from minidl.datasets.dataset import Dataset, title_of
from minidl.datasets.folders import landing, places
from minidl.datasets.idx import as_floats
from minidl.datasets.lock import locked
from minidl.datasets.stroke_digits import VERSION, generate
from minidl.files import remove_leftovers, replacing

NAME = "stroke-digits"
CREDIT = "drawn by minidl itself"

_Bytes = NDArray[np.uint8]
_Arrays = tuple[_Bytes, _Bytes, _Bytes, _Bytes]
_KEYS = ("train_images", "train_labels", "test_images", "test_labels")


def stroke_digits(seed: int = 0) -> tuple[Dataset, Dataset]:
    """The synthetic stroke digits: (train, test), 60,000 + 10,000 images of 28 x 28, drawn by minidl itself.

    A stand-in for MNIST where that can't be had. The first call for a seed draws them, which takes seconds
    and is said on stderr; they are then cached in the folders that `datasets/README.md` names. A damaged
    cache is drawn again. Images (N, 28, 28, 1) float32 in [0, 1], labels (N,) int64.

    Raises:
        ValueError: a seed that isn't a whole number of 0 or more.

    Example:
        >>> train, test = stroke_digits()  # doctest: +SKIP
        >>> train  # doctest: +SKIP
        Dataset('stroke-digits', 60000 images of 28x28x1, 10 classes, synthetic)

    """
    arrays = cached(whole("stroke_digits", "seed", seed, least=0), generate)
    train_images, train_labels, test_images, test_labels = arrays
    names = tuple(str(digit) for digit in range(10))
    return (
        Dataset(as_floats(train_images), train_labels.astype(np.int64), names, NAME, synthetic=True),
        Dataset(as_floats(test_images), test_labels.astype(np.int64), names, NAME, synthetic=True),
    )


def cached(seed: int, draw: Callable[[int], _Arrays]) -> _Arrays:
    """The arrays that `draw(seed)` gives, from the cache, or drawn and put into it."""
    for path in cache_files(seed):
        arrays = read_cache(path)
        if arrays is not None:
            return arrays
        print(f"minidl: {path} is damaged: drawing it again", file=sys.stderr)
    folder = landing(NAME)
    what = f"drawing the {title_of(NAME, synthetic=True)}, seed {seed}, which takes some seconds"
    if folder is None:
        print(f"minidl: {what}; no folder is writable to keep them", file=sys.stderr)
        return draw(seed)
    path = folder / _file_name(seed)
    arrays = None
    try:
        with locked(folder):
            remove_leftovers(folder)
            arrays = read_cache(path) if path.is_file() else None  # another process may have been faster
            if arrays is None:
                print(f"minidl: {what}; kept in {path}", file=sys.stderr)
                arrays = draw(seed)
                with replacing(path) as file:
                    _save(file, arrays)
    except OSError as error:    # a full disk, say: only the next call has to do without
        print(f"minidl: {path} can't be kept ({error.strerror}): it goes without", file=sys.stderr)
    return draw(seed) if arrays is None else arrays


def cache_files(seed: int = 0) -> list[Path]:
    """Where the digits of a seed lie, of those drawn by this version."""
    paths = (place.path / NAME / _file_name(seed) for place in places())
    return [path for path in paths if path.is_file()]


def read_cache(path: Path) -> _Arrays | None:
    """The four arrays of a cache file, or None if it is damaged."""
    try:
        # np.load(path) would leave the file open where it is no zip.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = tuple(archive[key] for key in _KEYS)  # zip checks a CRC for each
    except Exception:   # zipfile, zlib and NumPy raise a dozen kinds for a damaged file
        return None
    train_images, train_labels, test_images, test_labels = arrays
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        if images.dtype != np.uint8 or images.ndim != 3 or labels.shape != images.shape[:1]:
            return None
    return train_images, train_labels, test_images, test_labels


def _save(file: BinaryIO, arrays: _Arrays) -> None:
    train_images, train_labels, test_images, test_labels = arrays
    np.savez(
        file,
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
    )


def _file_name(seed: int) -> str:
    return f"version{VERSION}-seed{seed}.npz"
