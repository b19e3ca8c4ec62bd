"""Writes a comparison to a folder: results.json, history.csv, its figures and the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minidl.experiments import Comparison
from minidl.report.comparison_figures import comparison_figures
from minidl.report.files import write_csv
from minidl.report.run_folder import write_run

_COLUMNS = (
    "data", "model", "activation", "placement", "arm", "lr", "seed",
    "step", "train_loss", "validation_loss", "validation_accuracy",
    "saturated_dead", "saturated_deciding", "percentile_15", "percentile_50", "percentile_85",
)


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write everything; the folder appears when it is complete.

    Returns:
        The files, in order.

    Raises:
        NotDrawn: an error while drawing; the rest is written then.

    """
    def history(path: Path) -> None:
        write_csv(path, _COLUMNS, _rows(comparison))

    return write_run(folder, comparison, lambda: comparison_figures(comparison), {"history.csv": history})


def _rows(comparison: Comparison) -> Iterator[tuple[Any, ...]]:
    for r in comparison.results:
        c = r.config
        for m in r.measurements:
            layers = len(m.saturation)
            shares = [
                sum(getattr(s, kind) for s in m.saturation) / layers if layers else ""
                for kind in ("dead", "deciding")
            ]
            yield (
                r.data, c.model, c.activation, c.placement, c.arm, c.lr, c.seed,
                m.step, m.train_loss, m.loss, m.accuracy,
                *shares, *m.percentiles,
            )
