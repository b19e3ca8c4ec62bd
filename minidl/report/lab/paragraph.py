"""What an experiment found, in words: what was claimed, what was measured, the verdict."""

from __future__ import annotations

from minidl.experiments.lab.claims import Contrast
from minidl.experiments.lab.experiment import LabResult
from minidl.experiments.lab.jobs import PLAIN_PAPER, REPORT
from minidl.experiments.lab.statistics import Interval, paired_interval


def paragraph(result: LabResult) -> str:
    """The result as plain text, for the console and for a file.

    All characters are ASCII: consoles differ.
    """
    claim, scale = result.claim, result.scale
    reported = {r.job.seed for r in result.records if r.job.purpose == REPORT}
    lines = [
        f"{claim.experiment}: {result.verdict.upper()}" + (f" ({result.remark})" if result.remark else ""),
        "",
        f"Claimed: {claim.claim} ({claim.source})",
        f"Measured on {result.data}, scale {scale.name}, {len(reported)} seeds, {len(result.records)} runs:",
    ]
    for contrast in claim.contrasts:
        lines.append(f"  {contrast.name}: {contrast.question}: {_interval(contrast, result.intervals)}")
        if contrast.name in result.analysis.against_paper:
            beside = paired_interval(result.analysis.against_paper[contrast.name])
            lines[-1] += "; against {}: {:+.3g}, {:+.3g} to {:+.3g}".format(
                PLAIN_PAPER, beside.mean, *beside.decisive
            )
    if result.analysis.numbers:
        lines.append("Medians over the seeds:")
        numbers = result.analysis.numbers.items()
        lines += [f"  {name}: {short_number(value)} {unit}".rstrip() for name, (value, unit) in numbers]
    lines += [f"Note: {note}." for note in result.analysis.notes]
    return "\n".join(lines).encode("ascii", "replace").decode() + "\n"


def _interval(contrast: Contrast, intervals: dict[str, Interval]) -> str:
    interval = intervals[contrast.name]
    (low, high), kind = interval.decisive, "t" if interval.decisive == interval.t else "bootstrap"
    return (
        f"{interval.mean:+.3g} {contrast.unit}, 95 % interval {low:+.3g} to {high:+.3g} ({kind}); "
        f"smallest that matters {contrast.smallest:+.3g}"
    )


def short_number(value: float) -> str:
    """A number of a list of medians: 4 digits that count, commas from a thousand on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
