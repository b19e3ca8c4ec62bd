"""A comparison's part of a page: what each arm reached, in a sentence and in a table."""

from __future__ import annotations

from dataclasses import asdict
from statistics import median

from minidl.experiments import Cell, Comparison, summarize
from minidl.report.commands import command_of_comparison
from minidl.report.comparison_figures import headline
from minidl.report.page.html import joined, table, tag
from minidl.report.page.section import Section, settings_table, spans
from minidl.report.table import comparison_legend, comparison_rows


def compare_section(comparison: Comparison) -> Section:
    """All parts of a comparison."""
    cells = summarize(comparison)
    head, rows = comparison_rows(cells)
    words = comparison_sentence(comparison)
    legend = " ".join(comparison_legend(cells).split())
    notes = []
    if comparison.interrupted:
        notes.append("The comparison was interrupted: it holds the runs that were done by then.")
    varied = ("batch_norm", "init", "lr", "seed")
    settings = {k: v for k, v in asdict(comparison.results[0].config).items() if k not in varied}
    return Section(
        title=headline(comparison),
        summary=joined((words,)),
        headline=joined((
            tag("p", words, class_="lead"),
            tag("p", _trained(comparison, cells)),
            table("Each arm at each learning rate", head, rows, row_heads=False),
            tag("p", legend, class_="small"),
        )),
        data=comparison.results[0].data,
        numbers=(),
        notes=tuple(notes),
        settings=settings_table([
            *settings.items(), ("arms", "; ".join(comparison.arms)), ("learning rates", comparison.rates),
        ]),
        seeds=f"{spans([r.config.seed for r in comparison.results])}, in every arm at every learning rate",
        environment=comparison.environment,
        seconds=comparison.seconds,
        command=command_of_comparison(comparison),
    )


def comparison_sentence(comparison: Comparison) -> str:
    """What each arm reached at the learning rate that was best for it on the validation images."""
    cells = summarize(comparison)
    best = [max(own, key=lambda cell: _validated(comparison, cell)) for own in _by_arm(comparison, cells)]
    told = [
        f"{cell.arm} {100 * cell.accuracy[0]:.1f} % (lr {cell.lr:g})"
        for cell in sorted(best, key=lambda cell: cell.accuracy[0], reverse=True)
    ]
    return (
        f"Median test accuracy after {max(cell.steps for cell in cells):,} steps, each arm at the learning "
        f"rate that was best for it on the validation images: {'; '.join(told)}."
    )


def _trained(comparison: Comparison, cells: list[Cell]) -> str:
    """At which rates each arm trains, whatever the seed."""
    told = []
    for own in _by_arm(comparison, cells):
        rates = [f"{cell.lr:g}" for cell in own if cell.outcomes["trained"] == sum(cell.outcomes.values())]
        told.append(f"{own[0].arm}: {', '.join(rates) or 'none'}")
    return f"Learning rates at which every seed ended at 90 % or more: {'; '.join(told)}."


def _by_arm(comparison: Comparison, cells: list[Cell]) -> list[list[Cell]]:
    return [[cell for cell in cells if cell.arm == arm] for arm in comparison.arms]


def _validated(comparison: Comparison, cell: Cell) -> float:
    """Median of the last validation accuracies; a run that has none is at 0."""
    runs = comparison.runs(cell.arm, cell.lr)
    return median(
        r.measurements[-1].accuracy if r.measurements and r.outcome != "non-finite" else 0.0 for r in runs
    )
