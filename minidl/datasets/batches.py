"""Mini-batches: which examples come next, in an order that a seed decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from minidl.checks import whole
from minidl.datasets.dataset import Data, as_pair, generator


class Batches:
    """What `batches` returns: iterate over it for (images, labels); `len()` is the number of batches.

    Each pass over it goes on with the same generator, so a second `for` loop over one object draws new
    orders: it is the next epoch, never a repetition of the first.
    """

    def __init__(
        self, data: Data, size: int, epochs: int | None, shuffle: bool, seed: int | None, drop_last: bool
    ) -> None:
        self._inputs, self._targets = as_pair(data, "batches")
        self._size = whole("batches", "size", size)
        self._epochs = None if epochs is None else whole("batches", "epochs", epochs)
        self._shuffle = shuffle
        self._generator = generator(seed, "batches")
        self._per_epoch, rest = divmod(len(self._inputs), self._size)
        if rest and not drop_last:
            self._per_epoch += 1
        if self._per_epoch == 0:
            raise ValueError(
                f"batches of {self._size} with drop_last=True leave nothing of {len(self._inputs)} examples: "
                f"use a size of at most {len(self._inputs)}"
            )

    def __len__(self) -> int:
        if self._epochs is None:
            raise TypeError("batches(..., epochs=None) has no length: it never ends")
        return self._epochs * self._per_epoch

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        epoch = 0
        while self._epochs is None or epoch < self._epochs:
            yield from self._epoch()
            epoch += 1

    def _epoch(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        inputs, targets, size = self._inputs, self._targets, self._size
        starts = range(0, self._per_epoch * size, size)
        if not self._shuffle:
            for start in starts:
                yield inputs[start : start + size], targets[start : start + size]
            return
        order = self._generator.permutation(len(inputs))
        # take() gathers rows up to twice as fast as inputs[rows], but copies the whole array first, each
        # time, where it isn't contiguous. mode="clip" saves it a buffer; the rows are in range anyway.
        contiguous = inputs.flags.c_contiguous
        for start in starts:
            rows = order[start : start + size]
            yield inputs.take(rows, axis=0, mode="clip") if contiguous else inputs[rows], targets[rows]


def batches(
    data: Data,
    size: int,
    epochs: int | None = 1,
    shuffle: bool = True,
    seed: int | None = None,
    drop_last: bool = False,
) -> Batches:
    """Mini-batches (images, labels) of `size` examples, `epochs` times through the data (None: without end).

    Shuffled batches are copies, others are views of the data.

    Args:
        data: a Dataset, or a pair (inputs, targets) of arrays.
        size: examples in a batch.
        epochs: passes through the data.
        shuffle: draw a new order for each epoch, all from one generator.
        seed: starts that generator; None for fresh entropy.
        drop_last: leave out the last batch of an epoch where it is short, as batch normalization needs more
            than one value per feature.

    Returns:
        An iterable of batches, with a length unless epochs is None.

    Raises:
        ValueError: sizes, epochs or seeds out of range, or no batch at all; at once, not at the first batch.
        TypeError: data that is neither a Dataset nor a pair.

    Example:
        >>> import numpy as np
        >>> inputs, targets = np.arange(10.0).reshape(5, 2), np.arange(5)
        >>> [labels.tolist() for _, labels in batches((inputs, targets), 2, shuffle=False)]
        [[0, 1], [2, 3], [4]]
        >>> len(batches((inputs, targets), 2, epochs=3, drop_last=True, seed=0))
        6

    """
    return Batches(data, size, epochs, shuffle, seed, drop_last)
