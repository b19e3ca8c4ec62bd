"""What one trained network says: its learning curve, its confusion matrix and its worst mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.engine.array import Array
from minidl.experiments import TrainedNetwork, environment
from minidl.ops import softmax
from minidl.report.page import TrainingRecord
from minidl.report.run_folder import write_run
from minidl.training import save_checkpoint


def confusion_counts(trained: TrainedNetwork) -> Array:
    """(classes, classes) counts of the test images: row = true class, column = predicted class."""
    classes = len(trained.test.class_names)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (trained.test.labels, trained.logits.argmax(1)), 1)
    return counts


def confusion_table(trained: TrainedNetwork) -> str:
    """The confusion matrix as ASCII: a row a true class, a column a predicted one, and the share right."""
    if _diverged(trained):
        return "no confusion matrix: the network diverged, its outputs are infinite or NaN"
    counts, names = confusion_counts(trained), trained.test.class_names
    rows = [name if name == str(i) else f"{i} {name}" for i, name in enumerate(names)]
    wide = max(4, *(len(row) for row in rows))
    cell = max(3, len(str(counts.max()))) + 1
    lines = ["true".ljust(wide) + " " + " ".join(f"{i:>{cell}}" for i in range(len(rows))) + "  right %"]
    for i, row in enumerate(rows):
        right = 100 * counts[i, i] / max(1, counts[i].sum())
        lines.append(row.ljust(wide) + " " + " ".join(f"{n:>{cell}}" for n in counts[i]) + f"{right:9.1f}")
    return "\n".join(lines)


def training_figures(trained: TrainedNetwork) -> dict[str, Figure]:
    """Learning curve, confusion matrix and most confident mistakes, by the names of their files."""
    figures: dict[str, Figure] = {}
    test, predictions = trained.test, trained.logits.argmax(1)
    ax = _new(figures, "curves", f"Validation accuracy: {trained.title}", (7.5, 4.2))
    plots.curves({"validation": trained.history}, ax=ax)
    if _diverged(trained):
        return figures
    ax = _new(figures, "confusion", f"Confusion matrix: {trained.title}", (7.5, 6.8))
    plots.confusion_matrix(confusion_counts(trained), test.class_names, ax)
    ax = _new(figures, "mistakes", f"Most confident mistakes: {trained.title}", (8.0, 7.0))
    confidences = softmax(trained.logits).data.max(1)
    plots.mistakes(test.images, test.labels, predictions, confidences, test.class_names, ax)
    return figures


def write_training(trained: TrainedNetwork, folder: Path) -> list[Path]:
    """Write results.json, the history as JSON and CSV, the weights, the figures and the page; all or nothing.

    Returns:
        The files, in order.

    Raises:
        NotDrawn: an error while drawing; the rest is written then.

    """
    record = TrainingRecord(
        title=trained.title,
        config=trained.config,
        data=trained.test.title,
        images=len(trained.test),
        test=trained.evaluation,
        stopped=trained.history.stopped,
        class_names=trained.test.class_names,
        confusion=None if _diverged(trained) else confusion_counts(trained).tolist(),
        environment=environment(),
    )
    return write_run(folder, record, lambda: training_figures(trained), {
        "history.json": trained.history.to_json,
        "history.csv": trained.history.to_csv,
        "weights.npz": lambda path: save_checkpoint(path, trained.model),
    })


def _diverged(trained: TrainedNetwork) -> bool:
    """Whether its outputs are infinite or NaN: whatever it says then is no classification."""
    return not np.isfinite(trained.logits).all()


def _new(figures: dict[str, Figure], name: str, title: str, size: tuple[float, float]) -> Axes:
    figure = figures[name] = Figure(figsize=size, layout="constrained")
    figure.suptitle(title, fontsize="medium")
    return figure.subplots()
