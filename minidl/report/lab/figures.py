"""The figures of an experiment: those that its module here draws."""

from __future__ import annotations

import importlib

from matplotlib.figure import Figure

from minidl.experiments.lab.experiment import LabResult


def lab_figures(result: LabResult) -> dict[str, Figure]:
    """The figures of an experiment, by the names of their files; a preview says so in its title."""
    module = importlib.import_module(f"minidl.report.lab.{result.claim.experiment.replace('-', '_')}")
    figures: dict[str, Figure] = module.figures(result)
    return figures
