"""Dependence between layers: changes above a disturbed first layer, with batch and with frozen statistics."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.experiments.lab.layer_dependence import SIZES
from minidl.report.lab import panels
from minidl.report.lab.titles import ARM_NAMES, arms_of, title


def figures(result: LabResult) -> dict[str, Figure]:
    """Rows: batch and frozen statistics; columns: activations, gradients, loss."""
    figure, axes = panels.grid(2, 3)
    for i, mode in enumerate(("batch", "frozen")):
        for j, (name, label) in enumerate((
            ("activations", "change of the last hidden layer"), ("gradients", "change of the later gradients"),
            ("loss change", "change of the loss (nats)"),
        )):
            lines = {
                ARM_NAMES[arm]: (SIZES, [
                    [r.values[f"{name}, noise {size:g}, {mode}"] for size in SIZES] for r in of_arm(result.records, arm)
                ])
                for arm in arms_of(result)
            }
            ax = plots.bands(lines, axes[i, j], ylabel=label, xlabel="noise / weights", xscale="log")
            ax.set_title(f"{mode} statistics", fontsize="medium")
    plots.share_legend(figure)
    return {"noise": title(figure, result, "Relative changes when noise is added to the first layer's weights")}
