"""Data sets: MNIST, Fashion-MNIST, the synthetic stroke digits, and mini-batches of any data."""

from minidl.datasets.batches import batches
from minidl.datasets.dataset import Data, Dataset, DatasetUnavailable, as_pair
from minidl.datasets.idx import read_idx, write_idx
from minidl.datasets.mnist import NAMES, fashion_mnist, load, mnist, mnist_or_stroke_digits

# The function has the name of the module that draws the digits. stroke_cache imports that module first, so
# this name ends as the function, and no later import can change that.
from minidl.datasets.stroke_cache import stroke_digits

__all__ = [
    "NAMES",
    "Data",
    "Dataset",
    "DatasetUnavailable",
    "as_pair",
    "batches",
    "fashion_mnist",
    "load",
    "mnist",
    "mnist_or_stroke_digits",
    "read_idx",
    "stroke_digits",
    "write_idx",
]
