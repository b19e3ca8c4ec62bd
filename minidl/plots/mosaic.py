"""Many small pictures of one size in one Axes: mistakes, filters, feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from minidl.plots.axes import size_in_points
from minidl.plots.seeds import Values

_LEAST = 24     # pixels of a side: the gaps of a filter of 3 x 3 are narrower than its cells


def mosaic(ax: Axes, pictures: Values, captions: Sequence[str], columns: int, **look: Any) -> AxesImage:
    """Draw pictures (N, height, width) row by row, each with its caption below, as one image with gaps.

    An Axes for each would take seconds to draw. `look` is what `Axes.imshow` takes.
    """
    enlarged = max(1, -(-_LEAST // min(pictures.shape[1:])))
    pictures = pictures.repeat(enlarged, axis=1).repeat(enlarged, axis=2)
    _, height, width = pictures.shape
    lines = max(caption.count("\n") + 1 for caption in captions)
    across, down = width + width // 4, height + int((0.04 + 0.18 * lines) * height)
    rows = -(-len(pictures) // columns)
    paper = np.full((rows * down, columns * across), np.nan)
    size = _font_size(ax, captions, paper.shape, (across, height / 5))
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        top, left = (number // columns) * down, (number % columns) * across + width // 8
        paper[top : top + height, left : left + width] = picture
        below = top + height + height / 28
        ax.text(left + width / 2, below, caption, ha="center", va="top", fontsize=size)
    ax.set_axis_off()
    return ax.imshow(paper, interpolation="nearest", **look)


def _font_size(
    ax: Axes, captions: Sequence[str], paper: tuple[int, ...], room: tuple[float, float]
) -> float:
    """The font size, 8 at most, at which a caption's line fits into its room, (width, height) in pixels."""
    width, height = size_in_points(ax)
    scale = min(width / paper[1], height / paper[0])    # points a pixel
    longest = max(len(line) for caption in captions for line in caption.split("\n"))
    # A letter is about 0.55 of the font size wide, a line 1.2 of it high.
    return float(min(8.0, scale * room[0] / (0.58 * longest), scale * room[1] / 1.2))
