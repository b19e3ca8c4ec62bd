"""What one trained network says: its learning curve, its confusion matrix and its worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.datasets import Dataset
from minidl.engine.array import Array
from minidl.ops import softmax
from minidl.training import History


def confusion_counts(labels: Array, predictions: Array, classes: int) -> Array:
    """(classes, classes) counts: row = true class, column = predicted class.

    Example:
        >>> confusion_counts(np.array([0, 1, 1]), np.array([0, 1, 0]), 2)
        array([[1, 0],
               [1, 1]])

    """
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def confusion_table(counts: Array, class_names: Sequence[str]) -> str:
    """The counts as text: a row a true class, a column a predicted class, and the share that was right.

    Example:
        >>> print(confusion_table(np.array([[9, 1], [0, 4]]), ("cat", "dog")))
        true     0    1  right %
        0 cat    9    1     90.0
        1 dog    0    4    100.0

    """
    names = [name if name == str(i) else f"{i} {name}" for i, name in enumerate(class_names)]
    wide = max(4, *(len(name) for name in names))
    cell = max(3, len(str(counts.max()))) + 1
    lines = ["true".ljust(wide) + " " + " ".join(f"{i:>{cell}}" for i in range(len(names))) + "  right %"]
    for name, i in zip(names, range(len(names)), strict=True):
        right = 100 * counts[i, i] / max(1, counts[i].sum())
        lines.append(name.ljust(wide) + " " + " ".join(f"{n:>{cell}}" for n in counts[i]) + f"{right:9.1f}")
    return "\n".join(lines)


def training_figures(
    history: History, title: str, test: Dataset, logits: Array, counts: Array
) -> dict[str, Figure]:
    """Learning curve, confusion matrix and most confident mistakes, by the names of their files.

    Args:
        history: of the training.
        title: network and data.
        test: the images that were classified.
        logits: (n, classes), the network's outputs for them.
        counts: `confusion_counts` of them.

    """
    figures: dict[str, Figure] = {}
    ax = _new(figures, "curves", f"Validation accuracy: {title}", (7.0, 4.2))
    plots.curves({"validation": history}, ax=ax)
    ax = _new(figures, "confusion", f"Confusion matrix: {title}", (7.0, 6.4))
    plots.confusion_matrix(counts, test.class_names, ax)
    probabilities = softmax(logits).data
    predictions = logits.argmax(1)
    ax = _new(figures, "mistakes", f"Most confident mistakes: {title}", (8.0, 7.0))
    plots.mistakes(test.images, test.labels, predictions, probabilities.max(1), test.class_names, ax)
    return figures


def _new(figures: dict[str, Figure], name: str, title: str, size: tuple[float, float]) -> Axes:
    figure = figures[name] = Figure(figsize=size, layout="constrained")
    figure.suptitle(title)
    return figure.subplots()
