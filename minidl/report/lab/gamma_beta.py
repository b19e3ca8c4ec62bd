"""Gamma and beta: accuracy, how linear the network is, and where its inputs lie."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.gamma_beta import AFFINE, NONE
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Three panels, each seed a point."""
    figure, axes = panels.grid(1, 3)
    panels.by_arm(result, axes[0, 0], lambda r: r.values["test"], "test accuracy (%)")
    both = (AFFINE, NONE)
    panels.by_arm(
        result, axes[0, 1], lambda r: r.values["linear R2"], "R² of the best linear map to the logits", arms=both
    )
    panels.by_arm(
        result, axes[0, 2], lambda r: 100 * r.values["share of |x| < 1"], "inputs with |x| < 1 (%)", arms=both
    )
    return {"gamma-beta": title(figure, result, "With and without gamma and beta")}
