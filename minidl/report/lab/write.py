"""Writes an experiment to a folder: results.json, the paragraph, and each figure as PNG and SVG."""

from __future__ import annotations

import importlib
from pathlib import Path

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments import to_plain
from minidl.experiments.lab.experiment import LabResult
from minidl.report.files import write_json, written_whole
from minidl.report.lab.paragraph import paragraph


def lab_figures(result: LabResult) -> dict[str, Figure]:
    """The figures of an experiment, by the names of their files; a preview says so in its title."""
    module = importlib.import_module(f"minidl.report.lab.{result.claim.experiment.replace('-', '_')}")
    figures: dict[str, Figure] = module.figures(result)
    return figures


def write_lab(result: LabResult, folder: Path) -> list[Path]:
    """Write everything; the folder appears when it is complete.

    Returns:
        The files, in order.

    """
    figures = lab_figures(result)
    with written_whole(folder) as unfinished:
        write_json(unfinished / "results.json", to_plain(result))
        (unfinished / "verdict.txt").write_text(paragraph(result), encoding="ascii")
        for name, figure in figures.items():
            plots.save(figure, unfinished / name)
    return sorted(folder.iterdir())
