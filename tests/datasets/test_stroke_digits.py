"""The synthetic digits: what a loader and a network may rely on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from minidl.datasets.stroke_digits import VERSION, _split, generate
from minidl.datasets.stroke_glyphs import GLYPHS, compile_styles

Arrays = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def drawn() -> Arrays:
    return generate(seed=0, train=2000, test=500)


def test_shapes_and_dtypes(drawn: Arrays) -> None:
    train_images, train_labels, test_images, test_labels = drawn
    assert train_images.shape == (2000, 28, 28)
    assert train_labels.shape == (2000,)
    assert test_images.shape == (500, 28, 28)
    assert test_labels.shape == (500,)
    assert all(array.dtype == np.uint8 for array in drawn)
    assert isinstance(VERSION, int)


def test_labels_are_balanced_and_shuffled(drawn: Arrays) -> None:
    for labels in (drawn[1], drawn[3]):
        counts = np.bincount(labels, minlength=10)
        assert counts.max() - counts.min() <= 1
        assert 0.05 < np.mean(labels[1:] == labels[:-1]) < 0.15


def test_same_seed_same_bytes(drawn: Arrays) -> None:
    again = generate(seed=0, train=2000, test=500)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, again, strict=True))


def test_seeds_and_splits_differ(drawn: Arrays) -> None:
    other = generate(seed=1, train=2000, test=500)
    assert not np.array_equal(drawn[0], other[0])
    assert not np.array_equal(drawn[1], other[1])
    train, test = (images.reshape(len(images), -1) for images in (drawn[0], drawn[2]))
    assert len(np.unique(np.concatenate([train, test]), axis=0)) == 2500


def test_splits_of_one_size_differ() -> None:
    train_images, train_labels, test_images, test_labels = generate(seed=0, train=300, test=300)
    assert not np.array_equal(train_images, test_images)
    assert not np.array_equal(train_labels, test_labels)


def test_one_split_does_not_depend_on_the_size_of_the_other(drawn: Arrays) -> None:
    _, _, images, labels = generate(seed=0, train=0, test=500)
    assert np.array_equal(images, drawn[2])
    assert np.array_equal(labels, drawn[3])


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_chunks_change_no_byte(chunk: int) -> None:
    child = np.random.SeedSequence(5)
    expected = _split(child, 300)
    got = _split(child, 300, chunk)
    assert np.array_equal(got[0], expected[0])
    assert np.array_equal(got[1], expected[1])


@pytest.mark.parametrize("train, test", [(0, 0), (1, 0), (0, 3), (7, 1)])
def test_small_counts(train: int, test: int) -> None:
    train_images, train_labels, test_images, test_labels = generate(seed=3, train=train, test=test)
    assert train_images.shape == (train, 28, 28)
    assert len(train_labels) == train
    assert test_images.shape == (test, 28, 28)
    assert len(test_labels) == test
    assert (train_images.reshape(train, 784).max(axis=1) > 128).all()


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="train=-1"):
        generate(train=-1)


def test_ink_is_centred_and_fits_the_box_as_in_mnist(drawn: Arrays) -> None:
    ink = drawn[0].astype(float)
    total = ink.sum(axis=(1, 2))
    middle = np.arange(28) + 0.5
    for axis in (1, 2):
        centre = ink.sum(axis=3 - axis) @ middle / total
        assert np.abs(centre - 14.5).max() < 1.2  # MNIST: 14 to 15, a whole-pixel shift
        assert abs(centre.mean() - 14.5) < 0.1
    rows, columns = ((ink > 127).any(axis=axis).sum(axis=1) for axis in (2, 1))
    longest = np.maximum(rows, columns)
    assert longest.max() <= 21
    assert longest.min() >= 17


def test_ink_statistics_are_near_mnist(drawn: Arrays) -> None:
    scaled = drawn[0] / 255
    assert 0.115 < scaled.mean() < 0.145  # MNIST 0.1307
    assert 0.29 < scaled.std() < 0.33  # MNIST 0.3081
    assert drawn[0].min() == 0
    assert drawn[0].max() == 255
    assert 0.70 < (drawn[0] == 0).mean() < 0.86  # MNIST 0.81
    for digit in range(10):
        assert 0.05 < scaled[drawn[1] == digit].mean() < 0.2


def test_digits_can_be_told_apart_but_not_trivially(drawn: Arrays) -> None:
    train, test = (images.reshape(len(images), -1) / 255 for images in (drawn[0], drawn[2]))
    means = np.stack([train[drawn[1] == digit].mean(axis=0) for digit in range(10)])
    distance = ((test[:, None] - means) ** 2).sum(axis=-1)
    accuracy = np.mean(distance.argmin(axis=1) == drawn[3])
    assert 0.6 < accuracy < 0.9  # MNIST 0.82


def test_each_style_is_cut_into_equal_pieces_through_its_points() -> None:
    styles = compile_styles(56)
    assert len(styles) == sum(len(ways) for ways in GLYPHS.values())
    assert {style.digit for style in styles} == set(range(10))
    for style in styles:
        np.testing.assert_allclose(style.spline.sum(axis=1), 1)  # so that moving the points moves the path
        path = style.spline @ style.points
        lengths = np.hypot(*(path[style.right] - path[style.left]).T)
        assert len(lengths) == 56
        assert lengths.max() < 2 * lengths.mean()
        for point in style.points:
            assert np.hypot(*(path - point).T).min() < lengths.max()
