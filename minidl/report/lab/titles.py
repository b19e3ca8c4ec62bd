"""What all figures of the laboratory have in common: their titles, and how arms look."""

from __future__ import annotations

from matplotlib.figure import Figure

from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import BN, CHOICE, PLAIN_PAPER, PLAIN_TUNED, REPORT

ARM_NAMES = {
    PLAIN_PAPER: "plain, N(0,\N{NO-BREAK SPACE}0.1^2)", PLAIN_TUNED: "plain, tuned", BN: "batch norm",
}


def title(figure: Figure, result: LabResult, text: str) -> Figure:
    """Give a figure its title, with data, scale and number of seeds below; returns the figure."""
    seeds = len({r.job.seed for r in result.records if r.job.purpose == REPORT})
    preview = "PREVIEW, no verdict: " if result.scale.is_preview else ""
    below = f"{preview}{result.data}, {result.scale.name} scale, {seeds} seeds"
    figure.suptitle(f"{text}\n{below}", fontsize="medium")
    return figure


def name_of(result: LabResult, arm: str) -> str:
    """The arm's name in a legend; where each arm was tuned once, with its learning rate and initial weights.

    Of arms that are each tuned for themselves a reader must see what is compared.
    """
    name = ARM_NAMES.get(arm, arm)
    tuned = any(r.job.purpose == CHOICE for r in result.records)
    chosen = {one: _chosen(result, one) for one in arms_of(result)} if tuned else {}
    if arm in chosen and all(len(of_one) == 1 for of_one in chosen.values()):
        lr, init = chosen[arm].pop()
        return f"{name}: lr {lr:g}" + (f", {init}" if init and arm != PLAIN_PAPER else "")
    return name


def _chosen(result: LabResult, arm: str) -> set[tuple[float, str]]:
    """The learning rates and initial weights of an arm's reported runs."""
    runs = [r.job.settings for r in result.records if r.job.arm == arm and r.job.purpose == REPORT]
    return {(s["lr"], s.get("init", "")) for s in runs if "lr" in s}


def arms_of(result: LabResult) -> list[str]:
    """The arms that are reported, in order."""
    return list(dict.fromkeys(r.job.arm for r in result.records if r.job.purpose == REPORT))
