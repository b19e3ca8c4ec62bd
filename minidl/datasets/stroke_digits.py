"""Synthetic handwritten digits, drawn as pen strokes: the data set for machines where MNIST can't be had."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from minidl.datasets.stroke_glyphs import Style, compile_styles

VERSION = 2  # raised whenever the images change, so that an older cache isn't taken for these

_SIZE = 28  # pixels a side
_BOX = 20  # MNIST fits a digit's ink into this many pixels, then puts its centre of mass in the middle
_PIECES = 56  # a digit's path is about 60 pixels long
_BLUR = 0.75  # pixels; see _ink
_EDGE = 1.0  # pixels from paper to ink
_SHORTFALL = 0.5  # pixels that a stroke's ends lack, because blobs lie on one side of them only
# The pen's usual radius in pixels, by digit: writers make an 8 larger than a 0 with the same pen, and what
# was larger is reduced more. Chosen so that the strokes are as thick as those of MNIST's training images.
_PEN = (1.32, 1.30, 1.22, 1.18, 1.10, 1.10, 1.17, 1.22, 1.08, 1.08)
_CHUNK = 500  # images drawn at a time: the temporaries stay within the processor's cache

_Floats = NDArray[np.float64]
_Bytes = NDArray[np.uint8]
_Deal = Iterator[_Floats]


def generate(seed: int = 0, train: int = 60_000, test: int = 10_000) -> tuple[_Bytes, _Bytes, _Bytes, _Bytes]:
    """Draw the data set: training images, training labels, test images, test labels.

    Images are uint8 (n, 28, 28), 0 = paper and 255 = ink; labels uint8 (n,), the ten digits equally often
    (to one) and shuffled. The two splits come from different child seeds of `seed`. The same seed gives the
    same bytes on one machine.

    The images are synthetic. Each is a way of writing the digit (`stroke_glyphs`), bent, slanted and
    stretched at random, drawn with a round pen of random width, and normalised as MNIST's were: ink fitted
    into 20 x 20 pixels, centre of mass in the middle of 28 x 28 (LeCun et al. 1998, "Gradient-based learning
    applied to document recognition").

    Args:
        seed: whole number of 0 or more.
        train: number of training images.
        test: number of test images.

    Raises:
        ValueError: a negative count.

    Example:
        >>> images, labels, _, _ = generate(seed=0, train=20, test=0)
        >>> images.shape, images.dtype, labels.shape
        ((20, 28, 28), dtype('uint8'), (20,))

    """
    if train < 0 or test < 0:
        raise ValueError(f"stroke_digits.generate expects counts >= 0, got train={train}, test={test}")
    first, second = np.random.SeedSequence(seed).spawn(2)
    return *_split(first, train), *_split(second, test)


def _split(seed: np.random.SeedSequence, n: int, chunk: int = _CHUNK) -> tuple[_Bytes, _Bytes]:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 10).astype(np.uint8)
    styles = _styles()
    which = _choose(styles, labels, rng.random(n))
    # Everything random is drawn here, for all images at once: chunks and grouping can't change it.
    hand = rng.standard_normal((n, _HAND), dtype=np.float32)
    wobble = rng.standard_normal((n, max(len(style.points) for style in styles), 2), dtype=np.float32)
    images = np.zeros((n, _SIZE, _SIZE), np.uint8)
    for index, style in enumerate(styles):
        members = np.flatnonzero(which == index)
        for begin in range(0, len(members), chunk):
            some = members[begin : begin + chunk]
            images[some] = _draw(style, hand[some], wobble[some, : len(style.points)])
    return images, labels


@cache
def _styles() -> tuple[Style, ...]:
    return compile_styles(_PIECES)


def _choose(styles: tuple[Style, ...], labels: _Bytes, uniform: _Floats) -> NDArray[np.intp]:
    """For each image the index of a style of its digit, by the styles' shares."""
    which = np.zeros(len(labels), np.intp)
    for digit in range(10):
        own = [index for index, style in enumerate(styles) if style.digit == digit]
        shares = np.cumsum([styles[index].share for index in own])
        of_digit = labels == digit
        which[of_digit] = own[0] + np.searchsorted(shares / shares[-1], uniform[of_digit], side="right")
    return which


_HAND = 19  # random numbers that make one handwriting; _draw deals them out


def _draw(style: Style, hand: NDArray[np.float32], wobble: NDArray[np.float32]) -> _Bytes:
    """Images (n, 28, 28) of one style, from standard normal numbers (n, _HAND) and (n, K, 2)."""
    deal = iter(hand.T.astype(np.float64)[:, :, None])
    control = style.points + 0.04 * wobble
    path = np.matmul(style.spline, control)  # per image, so that the bits don't depend on how many there are
    path = _bend(path, deal)
    x, y = path[..., 0], path[..., 1]
    along = np.linspace(0, 1, path.shape[1])
    x += 0.008 * _wave(along, deal, 5.0)
    y += 0.008 * _wave(along, deal, 5.0)
    radius = _PEN[style.digit] * np.exp(0.27 * next(deal))
    pressure = np.exp(0.13 * _wave(along, deal, 1.5))[:, style.left]
    radius = np.clip(radius * pressure, 0.6, 2.8)
    ink = _centre(_ink(*_place(path, style, radius), radius))
    grey: _Bytes = np.rint(ink * 255).astype(np.uint8)
    return grey


def _bend(path: _Floats, deal: _Deal) -> _Floats:
    """Smooth deformations of the whole glyph; coordinates become about -1 ... 1 from top to bottom."""
    x, y = 2 * path[..., 0] - 0.7, 2 * path[..., 1] - 1
    y = y + 0.10 * next(deal) * (1 - y * y)  # moves the waist up or down
    x = x * np.exp(0.22 * next(deal) + 0.13 * next(deal) * y)  # aspect; taper
    x = x + (0.2 + 0.25 * next(deal)) * -y + 0.08 * next(deal) * y * y + 0.05 * next(deal) * y * y * y
    y = y + 0.10 * next(deal) * x + 0.06 * next(deal) * x * x
    turn = 0.06 * next(deal)
    return np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=-1)


def _wave(along: _Floats, deal: _Deal, frequency: float) -> _Floats:
    """A slow random oscillation along the pen's path, of variance about one."""
    pace = 2 * np.pi * frequency * np.exp(0.3 * next(deal))
    wave: _Floats = next(deal) * np.sin(pace * along) + next(deal) * np.cos(pace * along)
    return wave


def _place(path: _Floats, style: Style, radius: _Floats) -> tuple[_Floats, _Floats]:
    """Middles (n, S, 2) and lengths (n, S) of the path's pieces, in pixels of the box that the ink fits."""
    low, high = path.min(axis=1), path.max(axis=1)
    margin = radius.max(axis=1) - _SHORTFALL
    scale = (_BOX - 2 * margin) / (high - low).max(axis=1)
    path = (path - (low + high)[:, None] / 2) * scale[:, None, None] + _BOX / 2
    begin, end = path[:, style.left], path[:, style.right]
    step = end - begin
    return (begin + end) / 2, np.sqrt((step * step).sum(axis=-1))


def _ink(middle: _Floats, length: _Floats, radius: _Floats) -> NDArray[np.float32]:
    """Boxes (n, 20, 20) in 0 ... 1 of a round pen moved along a path.

    A line of Gaussian blobs of width s has the profile exp(-d^2 / 2 s^2), so sqrt(-2 s^2 log(sum of blobs))
    is the distance d from it, rounded off where lines meet, as ink is. A blob is the product of a row and a
    column, so one matrix product adds up all blobs of an image: no loop over pieces.
    A blob's weight moves the distance so that the pen is locally as wide as it should be.
    """
    pixel = np.arange(_BOX) + 0.5
    typical = radius.mean(axis=1, keepdims=True)
    weight = length / (math.sqrt(2 * math.pi) * _BLUR) * np.exp((radius**2 - typical**2) / (2 * _BLUR**2))
    offset = (middle[:, :, :, None] - pixel).astype(np.float32)
    spread = np.exp(offset * offset * np.float32(-0.5 / _BLUR**2))
    rows = spread[:, :, 1] * weight[:, :, None].astype(np.float32)
    blobs = np.matmul(rows.transpose(0, 2, 1), spread[:, :, 0])
    distance = np.sqrt(np.maximum(np.log(blobs + np.float32(1e-30)) * np.float32(-2 * _BLUR**2), 0))
    shade = (typical.astype(np.float32)[:, :, None] - distance) / np.float32(_EDGE) + np.float32(0.5)
    boxes: NDArray[np.float32] = np.clip(shade, 0, 1)
    return boxes


def _centre(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (n, 28, 28) with each box where, to the nearest pixel, its centre of mass is in the middle."""
    total = boxes.sum(axis=(1, 2))
    pixel = np.arange(_BOX, dtype=np.float32)
    images = np.zeros((len(boxes), _SIZE, _SIZE), np.float32)
    corners = []
    for axis in (2, 1):
        centre = boxes.sum(axis=axis) @ pixel / total
        # MNIST's middle is pixel 14, the one below and right of the exact middle at 13.5.
        corners.append(np.clip(_SIZE // 2 - np.rint(centre).astype(np.intp), 0, _SIZE - _BOX))
    whole = np.arange(_BOX)
    rows, columns = (corner[:, None] + whole for corner in corners)
    images[np.arange(len(boxes))[:, None, None], rows[:, :, None], columns[:, None, :]] = boxes
    return images
