"""A trained network's part of a page: its accuracy first."""

from __future__ import annotations

from dataclasses import asdict

from minidl.report.commands import command_of_training
from minidl.report.page.html import Html, joined, table, tag
from minidl.report.page.run import TrainingRecord
from minidl.report.page.section import Section, settings_table


def train_section(record: TrainingRecord) -> Section:
    """All parts of a trained network."""
    accuracy = f"Test accuracy {100 * record.test.accuracy:.2f} % of {record.images:,} images"
    words = accuracy if record.confusion else f"The network diverged: {record.stopped}"
    return Section(
        title=record.title,
        summary=joined((words,)),
        headline=joined((
            tag("p", words, class_="lead"),
            tag("p", f"Test loss {record.test.loss:.4f}. Training: {record.stopped}."),
        )),
        data=record.data,
        numbers=(_classes(record.confusion, record.class_names),) if record.confusion else (),
        notes=(),
        settings=settings_table(asdict(record.config).items()),
        seeds=str(record.config.seed),
        environment=record.environment,
        seconds=None,
        command=command_of_training(record.config),
    )


def _classes(confusion: list[list[int]], names: tuple[str, ...]) -> Html:
    rows = []
    for i, (name, counts) in enumerate(zip(names, confusion, strict=True)):
        right, total = counts[i], sum(counts)
        rows.append((name, f"{total:,}", f"{right:,}", f"{100 * right / max(1, total):.1f}"))
    return table("Each class of the test images", ["class", "images", "right", "right %"], rows)
