"""What all figures of the laboratory have in common: their titles, and how arms look."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import BN, PLAIN_PAPER, PLAIN_TUNED

ARM_NAMES = {
    PLAIN_PAPER: "plain, N(0,\N{NO-BREAK SPACE}0.1^2)", PLAIN_TUNED: "plain, tuned", BN: "batch norm",
}


def title(figure: Figure, result: LabResult, text: str) -> Figure:
    """Give a figure its title, with data, scale and number of seeds below; returns the figure."""
    seeds = len({r.job.seed for r in result.records if r.job.purpose == "report"})
    preview = "PREVIEW, no verdict: " if result.scale.is_preview else ""
    below = f"{preview}{result.data}, {result.scale.name} scale, {seeds} seeds"
    figure.suptitle(f"{text}\n{below}", fontsize="medium")
    return figure


def arms_of(result: LabResult) -> list[str]:
    """The arms that are reported, in order."""
    return list(dict.fromkeys(r.job.arm for r in result.records if r.job.purpose == "report"))
