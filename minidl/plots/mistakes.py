"""The most confident mistakes of a classifier, as a mosaic of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from minidl.plots.axes import axes_or_new
from minidl.plots.mosaic import mosaic

_MOST, _COLUMNS = 24, 6
_COLUMN_INCHES = 1.17


def mistakes(
    images: ArrayLike,
    labels: ArrayLike,
    predictions: ArrayLike,
    confidences: ArrayLike,
    class_names: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    r"""The up to 24 mistakes of which the model was surest, surest first, each with "true 4, said 9 (98 %)".

    Args:
        images: (N, height, width) or (N, height, width, 1), with a background of 0.
        labels: (N,), numbers of the true classes.
        predictions: (N,), numbers of the predicted classes.
        confidences: (N,), the probability (0 to 1) that the model gave to its prediction; one that isn't
            finite comes last.
        class_names: the name of each class.
        ax: where to draw; None makes a figure.

    Raises:
        ValueError: shapes that don't fit, or a class without a name.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure(layout="constrained").subplots()
        >>> ax = mistakes(np.zeros((3, 28, 28)), [0, 1, 1], [0, 0, 1], [0.9, 0.8, 0.7], ["cat", "dog"], ax)
        >>> ax.get_title(), ax.texts[0].get_text()
        ('1 mistake in 3 images', 'true dog\nsaid cat (80 %)')

    """
    pictures = np.asarray(images, dtype=np.float64)
    if pictures.ndim == 4 and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    true, said, sure = np.asarray(labels), np.asarray(predictions), np.asarray(confidences, dtype=np.float64)
    if pictures.ndim != 3 or not (true.shape == said.shape == sure.shape == pictures.shape[:1]):
        raise ValueError(
            "mistakes expects images (N, height, width) or (N, height, width, 1) and N labels, predictions "
            f"and confidences, got shapes {np.shape(images)}, {true.shape}, {said.shape} and {sure.shape}"
        )
    wrong = np.flatnonzero(true != said)
    shown = wrong[np.argsort(-np.where(np.isfinite(sure[wrong]), sure[wrong], -1.0), kind="stable")][:_MOST]
    named = range(len(class_names))
    if any(int(c) not in named for c in (*true[shown], *said[shown])):
        raise ValueError(f"mistakes expects a name for each class, got {len(class_names)}: add the others")
    columns, rows = min(shown.size, _COLUMNS), -(-shown.size // _COLUMNS)
    ax = axes_or_new(ax, (max(3.6, _COLUMN_INCHES * columns), 0.45 + 1.15 * _COLUMN_INCHES * rows))
    ax.set_axis_off()
    ax.set_title(_headline(wrong.size, shown.size, true.size), fontsize="medium")
    captions = [
        f"true {class_names[true[i]]}\nsaid {class_names[said[i]]} ({_percent(sure[i])})" for i in shown
    ]
    if captions:
        worst = pictures[shown]
        limits = {"vmin": min(0.0, worst.min()), "vmax": max(worst.max(), 1e-12)}
        mosaic(ax, worst, captions, columns, cmap="gray_r", **limits)
    return ax


def _headline(wrong: int, shown: int, total: int) -> str:
    if not wrong:
        return f"no mistake in {total:,} images"
    if shown == wrong:
        return f"{wrong:,} {'mistake' if wrong == 1 else 'mistakes'} in {total:,} images"
    return f"the {shown} most confident of {wrong:,} mistakes in {total:,} images"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if np.isfinite(share) else "not a number"
