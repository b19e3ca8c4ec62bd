"""MNIST and Fashion-MNIST, data sets by name, and what stands in for MNIST where it can't be had."""

from __future__ import annotations

from collections.abc import Callable

from minidl.datasets.dataset import Dataset, DatasetUnavailable
from minidl.datasets.stroke_cache import stroke_digits


def mnist() -> tuple[Dataset, Dataset]:
    """MNIST, handwritten digits: (train, test), 60,000 + 10,000 images of 28 x 28, in the original order.

    Images (N, 28, 28, 1) float32 in [0, 1], 0 = background; labels (N,) int64. Downloaded once if need be
    (11.6 MB) and verified by SHA-256 each time; `datasets/README.md` says where it is looked for.

    Raises:
        DatasetUnavailable: it is neither here nor to be had; the message says where to put the files.
        ValueError: a wrong file in the folder that MINIDL_DATASETS names.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".

    Example:
        >>> train, test = mnist()  # doctest: +SKIP
        >>> train  # doctest: +SKIP
        Dataset('mnist', 60000 images of 28x28x1, 10 classes)

    """
    return _read("mnist")


def fashion_mnist() -> tuple[Dataset, Dataset]:
    """Fashion-MNIST, pictures of clothing: (train, test), 60,000 + 10,000 images of 28 x 28, original order.

    As `mnist` in all else (30.9 MB).

    Source: Xiao, Rasul, Vollgraf 2017, "Fashion-MNIST", arXiv:1708.07747.

    Example:
        >>> train, test = fashion_mnist()  # doctest: +SKIP
        >>> train.class_names[:3]  # doctest: +SKIP
        ('T-shirt/top', 'Trouser', 'Pullover')

    """
    return _read("fashion-mnist")


def _read(name: str) -> tuple[Dataset, Dataset]:
    # Imported here, as `import minidl` shall not be slower for what it doesn't use.
    from minidl.datasets import local, manifest

    return local.read(manifest.sources()[name])


_LOADERS: dict[str, Callable[[], tuple[Dataset, Dataset]]] = {
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "stroke-digits": stroke_digits,
}

NAMES = tuple(_LOADERS)
"""The names that `load` knows."""


def load(name: str) -> tuple[Dataset, Dataset]:
    """(train, test) of the data set of that name, one of `NAMES`.

    Raises:
        ValueError: any other name; else as `mnist`.

    Example:
        >>> load("mnits")
        Traceback (most recent call last):
        ...
        ValueError: unknown data set 'mnits': use one of mnist, fashion-mnist, stroke-digits

    """
    return _LOADERS[known(name)]()


def known(name: str) -> str:
    """The name itself, if `load` knows it; else ValueError, with the names that it does know."""
    if name not in _LOADERS:
        raise ValueError(f"unknown data set {name!r}: use one of {', '.join(NAMES)}")
    return name


# Filled by the first failure in this process: the wait for the mirrors is paid once.
_failures: list[str] = []


def mnist_or_stroke_digits() -> tuple[Dataset, Dataset, str | None]:
    """(train, test, notice): MNIST and None, or the stroke digits and a line that says so, to be printed.

    For work that should start on any machine. The stroke digits come only where MNIST is neither present nor
    reachable. After a failure the mirrors aren't asked again in this process.

    Raises:
        ValueError: a wrong file in the folder that MINIDL_DATASETS names.

    """
    from minidl.datasets import local, manifest

    if not _failures or all(finding.raw for finding in local.inspect(manifest.sources()["mnist"])):
        try:
            return *mnist(), None
        except DatasetUnavailable as error:
            _failures.append(str(error))
    train, test = stroke_digits()
    return train, test, (
        f"MNIST is neither on this machine nor reachable, so this runs on {train.title} instead "
        f"(minidl datasets fetch mnist tells the reason)"
    )
