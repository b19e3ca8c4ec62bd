from __future__ import annotations

import itertools

import numpy as np
import pytest

from minidl.datasets import Dataset, batches

DATA = (np.arange(40.0).reshape(10, 4), np.arange(10))


def labels(iterable):
    return [targets.tolist() for _, targets in iterable]


def test_in_order_without_shuffling():
    assert labels(batches(DATA, 4, shuffle=False)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert labels(batches(DATA, 4, shuffle=False, drop_last=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert labels(batches(DATA, 10, epochs=2, shuffle=False)) == [list(range(10))] * 2
    assert labels(batches(DATA, 99, shuffle=False)) == [list(range(10))]
    for inputs, _ in batches(DATA, 4, shuffle=False):
        assert np.shares_memory(inputs, DATA[0])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_each_epoch_is_a_new_permutation_and_pairs_stay_together(order, dtype):
    inputs = np.asarray(DATA[0].reshape(10, 2, 2, 1), dtype, order=order)
    seen = list(batches((inputs, DATA[1]), 4, epochs=3, seed=0))
    for images, targets in seen:
        assert images.dtype == dtype and images.shape == (len(targets), 2, 2, 1)
        assert (images[:, 0, 0, 0] == 4 * targets).all()
        assert not np.shares_memory(images, inputs)
    epochs = [np.concatenate([targets for _, targets in seen[i : i + 3]]).tolist() for i in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_the_seed_decides():
    first = labels(batches(DATA, 3, epochs=2, seed=5))
    assert labels(batches(DATA, 3, epochs=2, seed=5)) == first
    assert labels(batches(DATA, 3, epochs=2, seed=6)) != first
    assert labels(batches(DATA, 3, epochs=20)) != labels(batches(DATA, 3, epochs=20))


def test_a_second_pass_is_the_next_epoch():
    once = batches(DATA, 5, seed=1)
    assert labels(once) + labels(once) == labels(batches(DATA, 5, epochs=2, seed=1))


def test_dropped_examples_change_from_epoch_to_epoch():
    dropped = set()
    seen = list(batches(DATA, 4, epochs=20, seed=0, drop_last=True))
    for epoch in zip(seen[::2], seen[1::2], strict=True):
        dropped |= set(range(10)) - {int(label) for _, targets in epoch for label in targets}
    assert len(dropped) > 5


def test_without_end():
    endless = batches(DATA, 4, epochs=None, seed=0)
    assert labels(itertools.islice(endless, 30)) == labels(batches(DATA, 4, epochs=10, seed=0))
    with pytest.raises(TypeError, match="never ends"):
        len(endless)


SIZES = [(4, False, 3), (4, True, 2), (5, True, 2), (99, False, 1)]


@pytest.mark.parametrize(("size", "drop_last", "expected"), SIZES)
def test_length(size, drop_last, expected):
    found = batches(DATA, size, epochs=2, drop_last=drop_last, seed=0)
    assert len(found) == len(list(found)) == 2 * expected


def test_dataset():
    data = Dataset(np.zeros((3, 2, 2, 1), np.float32), np.array([2, 0, 1]), ("a", "b", "c"), "x")
    (images, targets), = batches(data, 3, seed=0)
    assert images.flags.writeable and sorted(targets) == [0, 1, 2] and targets.dtype == np.int64


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"size": 0}, ValueError, "batches expects size to be a whole number of 1 or more, got 0"),
        ({"size": 2.5}, ValueError, "size .* got 2.5"),
        ({"size": True}, ValueError, "size .* got True"),
        ({"size": 4, "epochs": 0}, ValueError, "epochs .* got 0"),
        ({"size": 4, "seed": -1}, ValueError, "batches expects seed to be .* got -1"),
        ({"size": 4, "seed": "a"}, ValueError, "got 'a'"),
        ({"size": 11, "drop_last": True}, ValueError, "nothing of 10 examples: use a size of at most 10"),
        ({"size": 4, "data": (DATA[0], DATA[1][:9])}, ValueError, "batches has 10 inputs but 9 targets"),
        ({"size": 4, "data": DATA[0]}, TypeError, "batches expects a Dataset or a pair"),
    ],
)
def test_bad_arguments_raise_at_once(arguments, error, words):
    with pytest.raises(error, match=words):
        batches(**{"data": DATA, **arguments})


def test_numpy_integers_are_fine():
    assert labels(batches(DATA, np.int64(4), seed=np.int64(3))) == labels(batches(DATA, 4, seed=3))
