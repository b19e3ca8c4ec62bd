"""Mini-batch statistics: their noise, accuracy against the batch, companions, and detached statistics."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import of_arm
from minidl.experiments.lab.mini_batch_statistics import BATCH, DETACHED, PAPERS
from minidl.report.lab import panels
from minidl.report.lab.titles import title


def figures(result: LabResult) -> dict[str, Figure]:
    """Against the batch size; and the two arms at the paper's."""
    return {"batch-size": _against_size(result), "detached": _detached(result)}


def _against_size(result: LabResult) -> Figure:
    figure, axes = panels.grid(1, 3)
    sizes = sorted({r.job.settings["batch_size"] for r in of_arm(result.records, BATCH)})
    labels = ("batch size", "noise of a batch's mean (units of the spread)")
    panels.against(result, axes[0, 0], "noise", "batch_size", labels, arms=(BATCH,), xscale="log")
    axes[0, 0].plot(sizes, 1 / np.sqrt(sizes), ":", color=plots.style.GREY, label="1/√m")
    axes[0, 0].set_yscale("log")
    axes[0, 0].legend(fontsize="small")
    lines = {
        text: (sizes, np.array([
            [r.values[name] for r in of_arm(result.records, BATCH, batch_size=size)] for size in sizes
        ]).T)
        for name, text in (("test", "population statistics"), ("own batch", "the test batch's own"))
    }
    plots.bands(lines, axes[0, 1], ylabel="test accuracy (%)", xlabel="batch size", xscale="log")
    panels.against(
        result, axes[0, 2], "companions", "batch_size", ("batch size", "predictions that depend on company (%)"),
        arms=(BATCH,), xscale="log",
    )
    return title(figure, result, "Batch statistics against the size of the batch, at equal numbers of examples")


def _detached(result: LabResult) -> Figure:
    figure, axes = panels.grid(1, 2)
    arms = (BATCH, DETACHED)
    panels.by_arm(result, axes[0, 0], lambda r: r.values["test"], "test accuracy (%)", arms=arms, batch_size=PAPERS)
    panels.over_steps(
        result, axes[0, 1], lambda r: r.series["bias"], "largest |bias| in front of BN", arms=arms, batch_size=PAPERS
    )
    axes[0, 1].set_yscale("log")
    return title(figure, result, "Statistics of the batch, in the gradient, and of the training set, detached")
