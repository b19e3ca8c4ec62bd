"""The confusion matrix: what was taken for what, as counts, coloured by the share of each true class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike, NDArray

from minidl.plots.axes import axes_or_new
from minidl.plots.seeds import Values

# With more classes the cells have no room for numbers.
_MOST_WITH_NUMBERS = 20


def confusion_matrix(matrix: ArrayLike, class_names: Sequence[str], ax: Axes | None = None) -> Axes:
    """Confusion matrix: the counts as numbers, the share of the true class (of the row) as colour.

    The colour scale is stretched at its lower end (a square root): otherwise a good model's mistakes would
    all be white. Cells without an example are empty.

    Args:
        matrix: (C, C), how many examples of class `row` were taken for class `column`.
        class_names: C names.
        ax: where to draw; None makes a figure. The colour bar takes its room from it.

    Raises:
        ValueError: a matrix that isn't (C, C), or holds something else than counts.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = confusion_matrix([[48, 2], [0, 50]], ["cat", "dog"], Figure(layout="constrained").subplots())
        >>> ax.get_title(), [text.get_text() for text in ax.texts]
        ('98 of 100 right (98.0 %)', ['48', '2', '50'])

    """
    counts, classes = np.asarray(matrix), len(class_names)
    if counts.shape != (classes, classes) or not classes:
        raise ValueError(
            f"confusion_matrix expects ({classes}, {classes}) counts for {classes} names, got {counts.shape}"
        )
    if not ((counts >= 0) & (counts == np.floor(counts))).all():
        raise ValueError("confusion_matrix expects whole numbers from 0 up, got others: give the counts")
    counts = counts.astype(np.int64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = axes_or_new(ax, (6.4, 5.4))
    image = ax.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1))
    percent = PercentFormatter(1, decimals=0, symbol="")
    bar = ax.figure.colorbar(image, ax=ax, ticks=[0, 0.01, 0.05, 0.2, 0.5, 1], format=percent)
    bar.set_label("share of the true class (%)")
    bar.ax.spines[:].set_visible(False)
    _name_classes(ax, class_names)
    total, right = int(counts.sum()), int(np.trace(counts))
    ax.set_title(f"{right:,} of {total:,} right ({100 * right / max(total, 1):.1f} %)", fontsize="medium")
    if classes <= _MOST_WITH_NUMBERS:
        _write_counts(ax, counts, shares)
    return ax


def _name_classes(ax: Axes, class_names: Sequence[str]) -> None:
    long: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(range(len(class_names)), class_names, **(long if max(map(len, class_names)) > 2 else {}))
    ax.set_yticks(range(len(class_names)), class_names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")


def _write_counts(ax: Axes, counts: NDArray[np.int64], shares: Values) -> None:
    size = 8 if len(counts) <= 10 and counts.max() < 10_000 else 6
    for row, column in np.argwhere(counts):
        # Blue is dark from the middle of the scale on, which is a share of 0.5 squared.
        color = "white" if shares[row, column] > 0.3 else "black"
        ax.text(column, row, str(counts[row, column]), ha="center", va="center", color=color, fontsize=size)
