"""Writes an experiment to a folder: results.json, the paragraph, its figures and the page."""

from __future__ import annotations

from pathlib import Path

from minidl.experiments.lab.experiment import LabResult
from minidl.report.lab.figures import lab_figures
from minidl.report.lab.paragraph import paragraph
from minidl.report.run_folder import write_run


def write_lab(result: LabResult, folder: Path) -> list[Path]:
    """Write everything; the folder appears when it is complete.

    Returns:
        The files, in order.

    Raises:
        NotDrawn: an error while drawing; the rest is written then.

    """
    def verdict(path: Path) -> None:
        path.write_text(paragraph(result), encoding="ascii")

    return write_run(folder, result, lambda: lab_figures(result), {"verdict.txt": verdict})
