"""An experiment's part of a page: the verdict with its intervals first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minidl.experiments.lab import Contrast, LabResult, Record, paired_interval
from minidl.experiments.lab.experiment import PREVIEW
from minidl.experiments.lab.jobs import CHOICE, REPORT
from minidl.report.commands import command_of_lab
from minidl.report.description import number
from minidl.report.page.html import Html, joined, table, tag
from minidl.report.page.intervals import interval_chart
from minidl.report.page.section import Section, badge, plain, settings_table, spans

MANY = 8        # values of a setting from which on only the ends are shown
RULE = (
    "An effect is a mean over the seeds of differences between two arms that share seed and batches; a "
    "positive one speaks for the claim. Of the two 95 % intervals the wider one decides. Supported: its "
    "lower bound reaches the smallest effect that matters, in every contrast. Not supported: the upper "
    "bound stays below it in every one. Mixed: some each way, all decided. Inconclusive: anything else."
)


def lab_section(result: LabResult) -> Section:
    """All parts of an experiment."""
    verdict = _verdict(result)
    seeds = {purpose: _seeds(result, purpose) for purpose in (REPORT, CHOICE)}
    chosen = f"; chosen on {spans(seeds[CHOICE])}, which are not reported" if seeds[CHOICE] else ""
    return Section(
        title=result.claim.experiment,
        summary=joined((verdict, " ", result.claim.claim)),
        headline=joined((
            tag("p", verdict, class_="verdict"),
            tag("p", tag("strong", "Claim: "), result.claim.claim, f" ({result.claim.source})"),
            *(_contrast(result, contrast) for contrast in result.claim.contrasts),
            tag("p", RULE, class_="small"),
        )),
        data=result.data,
        numbers=(_numbers(result),) if result.analysis.numbers else (),
        notes=tuple(f"{note[:1].upper()}{note[1:]}." for note in result.analysis.notes),
        settings=_settings(result),
        seeds=f"{spans(seeds[REPORT])}, in every arm{chosen}",
        environment=result.environment,
        seconds=result.seconds,
        command=command_of_lab(result),
    )


def _verdict(result: LabResult) -> Html:
    if result.verdict == PREVIEW:
        return badge(PREVIEW, "preview")
    words = badge(result.verdict.upper(), result.verdict.replace(" ", "-"))
    return joined((words, f" ({result.remark})")) if result.remark else words


def _contrast(result: LabResult, contrast: Contrast) -> Html:
    interval = result.intervals[contrast.name]
    t, bootstrap = (_bounds(bounds) for bounds in (interval.t, interval.bootstrap))
    decides = "t" if interval.decisive == interval.t else "bootstrap"
    found = interval.against(contrast.smallest)
    text = (
        f"Mean {interval.mean:+.3g} {contrast.unit}; 95 % interval {t} (t), {bootstrap} (bootstrap); the "
        f"{decides} interval is the wider one and decides. Smallest effect that matters: "
        f"{contrast.smallest:+.3g}."
    )
    against = result.analysis.against_paper.get(contrast.name)
    beside = []
    if against:
        other = paired_interval(against)
        words = f"Against the paper's initial weights: {other.mean:+.3g}, {_bounds(other.decisive)}."
        beside.append(tag("p", f"{words} This doesn't decide.", class_="small"))
    return tag(
        "section",
        tag(
            "div",
            tag("p", tag("strong", contrast.name), ": ", contrast.question, " ", badge(found, found)),
            tag("p", text),
            *beside,
        ),
        interval_chart(interval, contrast.smallest, f"{contrast.name}, {found}. {text}"),
        class_="contrast",
    )


def _bounds(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:+.3g} to {bounds[1]:+.3g}"


def _numbers(result: LabResult) -> Html:
    rows = [(name, number(value) or "-", unit) for name, (value, unit) in result.analysis.numbers.items()]
    return table("Medians over the seeds", ["quantity", "median", "unit"], rows)


def _seeds(result: LabResult, purpose: str) -> list[int]:
    return [record.job.seed for record in result.records if record.job.purpose == purpose]


def _settings(result: LabResult) -> Html:
    """The scale, and what the reported runs were told, arm by arm where that differs."""
    scale = result.scale
    rows: list[tuple[str, Any]] = [
        ("scale", scale.name), ("data", result.data), ("runs", len(result.records)),
        ("training steps of an MLP, a CNN", (scale.mlp_steps, scale.cnn_steps)),
        ("a CNN's images and feature maps", f"{scale.image} x {scale.image}, {plain(scale.channels)}"),
    ]
    reported = [record for record in result.records if record.job.purpose == REPORT]
    names = dict.fromkeys(name for record in reported for name in record.job.settings)
    arms = list(dict.fromkeys(record.job.arm for record in reported))
    rows.append(("arms", arms))
    for name in names:
        if name == "data":
            continue        # above, by its title
        told = {arm: _told([r for r in reported if r.job.arm == arm], name) for arm in arms}
        if len(set(told.values())) == 1:
            rows.append((name, told[arms[0]]))
        else:
            rows += [(f"{name}, {arm}", value) for arm, value in told.items()]
    return settings_table(rows)


def _told(records: Sequence[Record], name: str) -> str:
    values = list(dict.fromkeys(r.job.settings[name] for r in records if name in r.job.settings))
    if len(values) > MANY:
        numbers = all(isinstance(value, int | float) for value in values)
        ends = (min(values), max(values)) if numbers else (values[0], values[-1])
        return f"{plain(ends[0])} to {plain(ends[1])} ({len(values)} values)"
    texts = [f"({plain(value)})" if isinstance(value, tuple) else plain(value) for value in values]
    return ", ".join(texts) or "-"
