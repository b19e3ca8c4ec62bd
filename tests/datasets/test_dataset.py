from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from minidl.datasets import Dataset, as_pair

NAMES = tuple("0123456789")


def make(n=20, synthetic=False, name="mnist"):
    rng = np.random.default_rng(0)
    images = rng.random((n, 4, 4, 1), dtype=np.float32)
    images[:, 0, 0, 0] = np.arange(n) / n  # tells which example it is
    return Dataset(images, np.arange(n) % 10, NAMES, name, synthetic)


def test_frozen_and_read_only_but_the_callers_arrays_stay_writable():
    images, labels = np.zeros((3, 4, 4, 1), np.float32), np.array([0, 1, 2])
    data = Dataset(images, labels, NAMES, "x", False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.name = "y"
    with pytest.raises(ValueError, match="read-only"):
        data.images[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        data.labels += 1
    images[0], labels[0] = 1, 1


def test_labels_become_int64_and_names_a_tuple():
    data = Dataset(np.zeros((2, 4, 4, 1), np.float32), np.array([0, 1], np.uint8), list(NAMES), "x")
    assert data.labels.dtype == np.int64 and data.class_names == NAMES and data.synthetic is False


def test_length_slices_masks_indices_and_single_examples():
    data = make()
    assert len(data) == 20
    assert isinstance(data[5:15:3], Dataset) and data[5:15:3].labels.tolist() == [5, 8, 1, 4]
    assert len(data[data.labels == 3]) == 2
    assert data[[4, 2, 4]].labels.tolist() == [4, 2, 4]
    assert data[:0].labels.shape == (0,)
    image, label = data[-1]
    assert image.shape == (4, 4, 1) and label == 9 and type(label) is int
    assert [label for _, label in data] == data.labels.tolist()
    with pytest.raises(IndexError):
        data[20]
    with pytest.raises(TypeError, match="Dataset takes one index"):
        data[0, 1]
    part = make(synthetic=True)[:3]
    assert part.synthetic and part.name == "mnist" and part.class_names == NAMES


def test_split_is_a_partition_that_the_seed_decides():
    data = make()
    first, second = data.split(14, seed=3)
    assert (len(first), len(second)) == (14, 6)
    marks = np.concatenate([first.images, second.images])[:, 0, 0, 0]
    assert sorted(marks) == sorted(data.images[:, 0, 0, 0])
    assert (np.diff(first.images[:, 0, 0, 0]) > 0).all()  # the order is kept
    again, _ = data.split(14, seed=3)
    other, _ = data.split(14, seed=4)
    assert (again.images == first.images).all() and not (other.images == first.images).all()
    small, _ = data.split(5, seed=3)
    assert set(small.images[:, 0, 0, 0]) <= set(first.images[:, 0, 0, 0])
    for part in data.split(14, seed=3):  # each label belongs to its image still
        assert (part.labels == np.rint(part.images[:, 0, 0, 0] * 20) % 10).all()


@pytest.mark.parametrize(("n", "message"), [
    (20, "expects n below 20, the number of examples, got 20"),
    (21, "expects n below 20"),
    (0, "expects n to be a whole number of 1 or more, got 0"),
    (-1, "whole number of 1 or more, got -1"),
    (0.5, r"whole number of 1 or more, got 0\.5"),
])
def test_split_out_of_range(n, message):
    with pytest.raises(ValueError, match=rf"^Dataset\.split .*{message}"):
        make().split(n, seed=0)


def test_split_with_a_bad_seed():
    with pytest.raises(ValueError, match=r"Dataset\.split expects seed to be a whole .* got -1"):
        make().split(5, seed=-1)


def test_repr_and_title():
    assert repr(make()) == "Dataset('mnist', 20 images of 4x4x1, 10 classes)"
    assert repr(make(synthetic=True, name="a")) == "Dataset('a', 20 images of 4x4x1, 10 classes, synthetic)"
    assert make().title == "MNIST"
    assert make(name="fashion-mnist").title == "Fashion-MNIST"
    assert make(name="stroke-digits", synthetic=True).title == "stroke digits (synthetic)"
    assert make(name="letters").title == "letters"


def test_pickles():
    back = pickle.loads(pickle.dumps(make()))
    assert repr(back) == repr(make()) and (back.images == make().images).all()


FLOATS = np.zeros((3, 4, 4, 1), np.float32)
LABELS = np.array([0, 1, 2])


@pytest.mark.parametrize(
    ("images", "labels", "error", "words"),
    [
        (FLOATS, LABELS[:2], ValueError, "3 images but 2 labels"),
        (FLOATS.astype(np.uint8), LABELS, TypeError, r"got uint8: divide by np.float32\(255\)"),
        (FLOATS.astype(np.float64), LABELS, TypeError, r"got float64: use images.astype\(np.float32\)"),
        (FLOATS + 255, LABELS, ValueError, "got values from 255 to 255: divide pixels by 255"),
        (FLOATS - 1, LABELS, ValueError, "got values from -1 to -1"),
        (FLOATS * np.nan, LABELS, ValueError, r"expects images in \[0, 1\]"),
        (FLOATS[..., 0], LABELS, ValueError, r"got \(3, 4, 4\): add the channel axis"),
        (FLOATS.reshape(3, 16), LABELS, ValueError, r"got \(3, 16\)"),
        (FLOATS.tolist(), LABELS, TypeError, "images as an array, got a list of 3"),
        (None, LABELS, TypeError, "got a NoneType"),
        (FLOATS, np.eye(3, dtype=int), ValueError, r"labels.argmax\(axis=1\)"),
        (FLOATS, LABELS.astype(float), TypeError, "integer labels, got float64"),
        (FLOATS, LABELS + 8, ValueError, "labels must be 0 to 9, got 8 to 10"),
        (FLOATS, LABELS - 1, ValueError, "labels must be 0 to 9, got -1 to 1"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(images, labels, error, words):
    with pytest.raises(error, match=words) as caught:
        Dataset(images, labels, NAMES, "x", False)
    assert str(caught.value).startswith("Dataset ") and "\n" not in str(caught.value)


def test_as_pair_takes_a_dataset_or_two_arrays():
    data = make()
    images, labels = as_pair(data)
    assert images is data.images and labels is data.labels
    inputs, targets = np.zeros((5, 3)), np.ones((5, 2))
    assert as_pair((inputs, targets))[0] is inputs and as_pair([inputs, targets])[1] is targets
    assert as_pair(([1.0, 2.0], [0, 1]))[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (np.zeros((2, 3)), TypeError, r"got an array \(2, 3\) of float64"),
        ((1, 2, 3), TypeError, "got a tuple of 3"),
        (None, TypeError, "got a NoneType"),
        ((np.zeros(3), np.zeros(4)), ValueError, "3 inputs but 4 targets"),
        ((np.zeros((0, 3)), np.zeros(0)), ValueError, "no examples"),
        ((np.zeros(3), 5), TypeError, "targets as an array"),
        (({}, np.zeros(3)), TypeError, "inputs as an array"),
        ((make(), make()), TypeError, "got a pair of Datasets: unpack it first"),
    ],
)
def test_as_pair_refuses_the_rest(data, error, words):
    with pytest.raises(error, match=words) as caught:
        as_pair(data, "fit")
    assert str(caught.value).startswith("fit ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])
def test_a_copy_is_as_frozen(duplicate):
    data = make()
    other = duplicate(data)
    assert repr(other) == repr(data)
    assert (other.images == data.images).all() and (other.labels == data.labels).all()
    for array in (other.images, other.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
