"""A data set as a frozen record, and what else is accepted wherever data is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from minidl.checks import whole

_TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "stroke-digits": "stroke digits"}


class DatasetUnavailable(OSError):
    """A data set is neither here nor to be had from a mirror; the message says where to put its files."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled images; frozen, and its arrays are read-only views.

    `len(data)` is N. A slice, a boolean mask or an array of indices gives a Dataset; one integer gives the
    pair (image, label).

    Attributes:
        images: (N, height, width, channels), float32 in [0, 1].
        labels: (N,), integers, kept as int64; each an index into `class_names`.
        class_names: the name of each class.
        name: for programs, such as "mnist"; `title` is the one for people.
        synthetic: True where a program drew the images.

    Raises:
        TypeError: images that are no float32 array, or labels that are no integers.
        ValueError: shapes that don't fit, images outside [0, 1], or a label without a class.

    Example:
        >>> images = np.zeros((5, 28, 28, 1), np.float32)
        >>> data = Dataset(images, np.array([0, 1, 2, 1, 0]), ("a", "b", "c"), "blank", synthetic=True)
        >>> data[1:4]
        Dataset('blank', 3 images of 28x28x1, 3 classes, synthetic)
        >>> first, rest = data.split(2, seed=0)
        >>> len(first), len(rest)
        (2, 3)

    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    name: str
    synthetic: bool = False

    def __post_init__(self) -> None:
        names = tuple(self.class_names)
        images = _checked_images(self.images)
        labels = _checked_labels(self.labels, len(images), len(names))
        for attribute, value in (("images", images), ("labels", labels), ("class_names", names)):
            object.__setattr__(self, attribute, value)

    def __reduce__(self) -> tuple[Any, ...]:    # unpickled as it is made, with its arrays locked
        return Dataset, (self.images, self.labels, self.class_names, self.name, self.synthetic)

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> tuple[NDArray[np.float32], int]: ...

    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> Dataset: ...

    def __getitem__(self, index: Any) -> tuple[NDArray[np.float32], int] | Dataset:
        if isinstance(index, tuple):
            raise TypeError(f"Dataset takes one index, got {len(index)}: index data.images instead")
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            return self.images[index], int(self.labels[index])
        return Dataset(self.images[index], self.labels[index], self.class_names, self.name, self.synthetic)

    def __repr__(self) -> str:
        shape = "x".join(str(size) for size in self.images.shape[1:])
        note = ", synthetic" if self.synthetic else ""
        return f"Dataset({self.name!r}, {len(self)} images of {shape}, {len(self.class_names)} classes{note})"

    @property
    def title(self) -> str:
        """The name for people, for figures and tables: "MNIST", or "stroke digits (synthetic)"."""
        return title_of(self.name, self.synthetic)

    def split(self, n: int, seed: int) -> tuple[Dataset, Dataset]:
        """Two Datasets: `n` examples drawn at random from the seed, and all the others.

        Both keep the order that the examples had. The same n and seed give the same split, always.

        Raises:
            ValueError: an n that is no whole number or leaves one of both empty, or a bad seed.

        """
        if whole("Dataset.split", "n", n) >= len(self):
            raise ValueError(
                f"Dataset.split expects n below {len(self)}, the number of examples, got {n}: "
                f"both parts need at least one"
            )
        chosen = np.zeros(len(self), dtype=bool)
        chosen[generator(seed, "Dataset.split").permutation(len(self))[:n]] = True
        return self[chosen], self[~chosen]


Data: TypeAlias = Dataset | tuple[Any, Any]
"""What is accepted wherever data is taken: a Dataset, or a pair (inputs, targets) of arrays."""


def as_pair(data: Data, where: str = "data") -> tuple[NDArray[Any], NDArray[Any]]:
    """The arrays (inputs, targets) of a Dataset, or of a pair of arrays; `where` begins the error messages.

    Raises:
        TypeError: anything else.
        ValueError: inputs and targets that differ in number, or are empty.

    Example:
        >>> inputs, targets = as_pair(([[0.0, 1.0], [1.0, 0.0]], [1, 0]))
        >>> inputs.shape, targets.shape
        ((2, 2), (2,))

    """
    if isinstance(data, Dataset):
        return data.images, data.labels
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"{where} expects a Dataset or a pair (inputs, targets) of arrays, got {_kind(data)}")
    if any(isinstance(part, Dataset) for part in data):
        raise TypeError(
            f"{where} expects one Dataset or a pair of arrays, got a pair of Datasets: "
            f"unpack it first (train, test = ...) and pass one of them"
        )
    inputs, targets = np.asarray(data[0]), np.asarray(data[1])
    for part, array in (("inputs", inputs), ("targets", targets)):
        if array.ndim == 0 or array.dtype == object:
            raise TypeError(f"{where} expects {part} as an array with one row an example, got {array!r:.60}")
    if len(inputs) != len(targets):
        raise ValueError(f"{where} has {len(inputs)} inputs but {len(targets)} targets: use as many of each")
    if len(inputs) == 0:
        raise ValueError(f"{where} has no examples: it needs at least one")
    return inputs, targets


def generator(seed: int | None, where: str) -> np.random.Generator:
    """A random generator from a seed (None: fresh entropy); ValueError, naming `where`, for a bad one."""
    return np.random.default_rng(None if seed is None else whole(where, "seed", seed, least=0))


def title_of(name: str, synthetic: bool) -> str:
    """The name of a data set for people, from the name for programs; says so where the data is synthetic."""
    return _TITLES.get(name, name) + (" (synthetic)" if synthetic else "")


def _checked_images(images: Any) -> NDArray[np.float32]:
    if not isinstance(images, np.ndarray):
        raise TypeError(f"Dataset expects images as an array, got {_kind(images)}: use np.asarray")
    if images.dtype != np.float32:
        fix = "divide by np.float32(255)" if images.dtype.kind in "iu" else "use images.astype(np.float32)"
        raise TypeError(f"Dataset expects float32 images in [0, 1], got {images.dtype}: {fix}")
    if images.ndim != 4:
        fix = ": add the channel axis with images[..., np.newaxis]" if images.ndim == 3 else ""
        raise ValueError(f"Dataset expects images (N, height, width, channels), got {images.shape}{fix}")
    # A sample is enough to catch the usual mistakes (pixels left in 0-255, standardised images), and reading
    # every pixel of MNIST again would cost as much as a fifth of loading it.
    sample = images[:1000]
    if sample.size and not (sample.min() >= 0 and sample.max() <= 1):
        raise ValueError(
            f"Dataset expects images in [0, 1], got values from {sample.min():.4g} to {sample.max():.4g}: "
            f"divide pixels by 255, or pass standardised inputs as a pair (inputs, targets)"
        )
    return _locked(images)


def _checked_labels(labels: Any, images: int, classes: int) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.ndim != 1:
        fix = ": turn one-hot rows into integers with labels.argmax(axis=1)" if array.ndim == 2 else ""
        raise ValueError(f"Dataset expects labels (N,), got {array.shape}{fix}")
    if len(array) != images:
        raise ValueError(f"Dataset has {images} images but {len(array)} labels: use as many of each")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"Dataset expects integer labels, got {array.dtype}: use labels.astype(np.int64)")
    if array.size and not (array.min() >= 0 and array.max() < classes):
        raise ValueError(
            f"Dataset has {classes} class names, so labels must be 0 to {classes - 1}, "
            f"got {array.min()} to {array.max()}"
        )
    return _locked(array.astype(np.int64, copy=False))


def _locked(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view: the caller's own array stays writable."""
    view = array.view()
    view.flags.writeable = False
    return view


def _kind(value: object) -> str:
    """What a value is, in a few words for an error message."""
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} of {value.dtype}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
