"""The whole page: verdicts or headlines first, then each run with its figures and all that repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from string import Template

from minidl import __version__
from minidl.experiments import Comparison
from minidl.experiments.lab import LabResult
from minidl.report.page.compare import compare_section
from minidl.report.page.figures import figure
from minidl.report.page.html import Html, joined, tag
from minidl.report.page.lab import lab_section
from minidl.report.page.run import Run
from minidl.report.page.section import SYNTHETIC, Section, badge, environment_table
from minidl.report.page.train import train_section

KINDS = {LabResult: "minidl lab", Comparison: "minidl compare"}


def run_page(runs: Sequence[Run]) -> str:
    """One HTML file of one or more runs: no network, no script, no other file.

    Args:
        runs: at least one.

    Raises:
        ValueError: no run, one whose record or figures hold something else than they should, or a figure that
            isn't Matplotlib's.

    """
    if not runs:
        raise ValueError("run_page expects at least one run, got none")
    several = len(runs) > 1
    level = 2 if several else 1
    sections, parts = [], []
    for number, run in enumerate(runs, 1):
        try:
            sections.append(_section(run))
            parts.append(_run(run, sections[-1], number, level))
        except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(
                f"{run.name}: its files hold something else than this version writes "
                f"({type(error).__name__}: {error}): use the version that wrote them, or run it again"
            ) from error
    title = f"{len(runs)} runs of minidl" if several else _title(runs[0], sections[0])
    if several:
        parts = [tag("header", tag("h1", title), _overview(runs, sections)), *parts]
    files = resources.files("minidl.report.page")
    return Template(files.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=joined((title,)),
        style=files.joinpath("page.css").read_text(encoding="utf-8"),
        body=joined(parts, "\n"),
        footer=joined((f"Made by minidl {__version__}",)),
    )


def _section(run: Run) -> Section:
    if isinstance(run.record, LabResult):
        return lab_section(run.record)
    return compare_section(run.record) if isinstance(run.record, Comparison) else train_section(run.record)


def _title(run: Run, section: Section) -> str:
    return f"{KINDS.get(type(run.record), 'minidl train')}: {section.title}"


def _overview(runs: Sequence[Run], sections: Sequence[Section]) -> Html:
    """One line for each run, and a link to it."""
    return tag("ol", *(
        tag(
            "li", tag("a", _title(run, section), href=f"#run-{i}"),
            f" ({run.name}) " if run.name != section.title else " ", _synthetic(section), section.summary,
        )
        for i, (run, section) in enumerate(zip(runs, sections, strict=True), start=1)
    ), class_="overview")


def _synthetic(section: Section) -> Html:
    return joined((badge("synthetic data", "synthetic"), " ")) if section.synthetic else Html("")


def _run(run: Run, section: Section, number: int, level: int) -> Html:
    def heading(text: str, below: int = 1) -> Html:
        return tag(f"h{level + below}", text)

    figures = [figure(one, f"r{number}f{i}-", level + 2) for i, one in enumerate(run.figures, start=1)]
    notes = tag("ul", *(tag("li", note) for note in section.notes))
    parts = [
        heading(_title(run, section), 0),
        tag("p", f"Data: {section.data}."),
        section.headline,
        tag("p", _synthetic(section), SYNTHETIC, class_="warning") if section.synthetic else Html(""),
        heading("Figures"),
        *(figures or [tag("p", "This folder has no figures.")]),
        *([heading("Numbers"), *section.numbers] if section.numbers else []),
        *([heading("Notes"), notes] if section.notes else []),
        heading("Settings"), section.settings,
        heading("Environment"), environment_table(section.environment, section.seconds),
        heading("Seeds"), tag("p", section.seeds),
        heading("The command that repeats it"), _command(section.command),
    ]
    return tag("section", *parts, id=f"run-{number}", class_="run")


def _command(command: str) -> Html:
    if not command:
        return tag("p", "No single command does these runs: they were chosen in Python, or interrupted.")
    promise = "Same machine, same number of threads: the same numbers."
    return joined((tag("pre", tag("code", command)), tag("p", promise, class_="small")))
