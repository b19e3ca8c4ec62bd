"""Gamma and beta: accuracy, how linear the network is, and where its inputs lie."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.gamma_beta import AFFINE, ARMS, NONE
from minidl.experiments.lab.jobs import Record
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Four panels, each seed a point."""
    figure, axes = panels.grid(2, 2)
    both = (AFFINE, NONE)
    for ax, name, factor, label, arms in (
        (axes[0, 0], "test", 1, "test accuracy (%)", ARMS),
        (axes[0, 1], "linear R2", 1, "R\u00b2 of the best linear map\nfrom pixels to logits", both),
        (axes[1, 0], "share of |x| < 1", 100, "inputs of the sigmoids with |x| < 1 (%)", both),
        (axes[1, 1], "gamma", 1, "mean |gamma| (1 where there is none)", both),
    ):
        def of(record: Record, name: str = name, factor: int = factor) -> float:
            return factor * record.values.get(name, float("nan"))

        panels.by_arm(result, ax, of, label, arms=arms)
    text = "BN with and without gamma and beta; each point a seed, the line their median"
    return {"gamma-beta": title(figure, result, text)}
