"""The page of all verdicts, from what is published of the laboratory: Markdown, made by a command alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from minidl.experiments.lab.experiment import LabResult, concluded
from minidl.experiments.lab.published import Published, merged, published, published_text
from minidl.experiments.lab.stored import interval_from_plain
from minidl.files import replacing
from minidl.report.lab.figures import lab_figures
from minidl.report.lab.paragraph import short_number
from minidl.report.reading import read_record

PICTURES = "figures/lab"    # beside the page
DOTS = 100                  # per inch: a page shows them small


def read_lab(folder: Path) -> LabResult:
    """The record of an experiment from its folder.

    Raises:
        ValueError: a folder that isn't the laboratory's.

    """
    kept = read_record(folder)
    if not isinstance(kept, LabResult):
        raise ValueError(f"{folder}: expected a run of `minidl lab`, got one of another command")
    # Its runs are what counts: what they say is worked out anew, as this version does it.
    name = kept.claim.experiment
    try:
        return concluded(name, kept.scale, kept.data, kept.records, kept.environment, kept.seconds)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ValueError(
            f"{folder}: its runs can't be judged ({type(error).__name__}: {error}): run it again"
        ) from error


def publish(results: Iterable[LabResult], path: Path) -> list[Path]:
    """Write what is published of these experiments, the page and a figure for each.

    A file that is there keeps its other experiments.

    Args:
        results: one an experiment, all made alike.
        path: of the JSON file; the page and figures/lab/ stand beside it.

    Returns:
        The files.

    """
    results = list(results)
    content = published(results)
    if path.exists():
        content = merged(_read(path), content)
    files = [_write(path, published_text(content).encode())]
    for result in results:
        figure = next(iter(lab_figures(result).values()))
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=DOTS)
        files.append(_write(path.parent / PICTURES / f"{result.claim.experiment}.png", buffer.getvalue()))
    return [*files, write_page(path)]


def write_page(path: Path) -> Path:
    """Write the page beside a JSON file of `publish`, from that file alone."""
    return _write(path.with_suffix(".md"), results_page(_read(path)).encode())


def _read(path: Path) -> Published:
    """What is published, if a page can be made of it."""
    try:
        content: Published = json.loads(path.read_text(encoding="utf-8"))
        results_page(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: expected what `minidl results` of this version writes, "
            f"got {type(error).__name__}: {error}"
        ) from error
    return content


def results_page(content: Mapping[str, Any]) -> str:
    """The page: all verdicts in a table, then a section an experiment."""
    header, experiments = content["header"], content["experiments"]
    scale, seeds, versions = header["scale"], header["seeds"], header["versions"]
    lines = [
        "# What the laboratory found",
        "",
        "Each claim about batch normalization, what was measured, and the verdict that follows from it. This",
        "page is made from [results.json](results.json), which has the numbers of every run, by a command:",
        "",
        "```",
        f"minidl lab all{'' if scale['name'] == 'default' else ' --' + scale['name']} --out runs/lab",
        "minidl results tutorials/results.json runs/lab",
        "```",
        "",
        f"Data: {header['data']}. Scale: {scale['name']}. Seeds: {seeds['MLP']} for an MLP, "
        f"{seeds['CNN']} for a CNN; rates and scales were chosen on {seeds['choice']} others, by validation "
        f"images. minidl {versions['minidl']}, Python {versions['python']}, NumPy {versions['numpy']}, "
        f"{versions['blas']}.",
        "",
        "An effect is a mean over the seeds of differences between two arms that share seed and batches (and",
        "weights, where they chose the same); a positive one speaks for the claim. Its interval is the wider",
        "one of two 95 %",
        "intervals, Student's and the bootstrap's. *Supported*: its lower bound reaches the smallest effect",
        "that matters, in every contrast. *Not supported*: the upper bound stays below it in every one.",
        "*Mixed*: some each way, all decided. *Inconclusive*: anything else. The smallest effects were",
        "written down before, in [claims.toml](../minidl/experiments/claims.toml); a log2 ratio of 1 means",
        "twice as much.",
        "",
        "| experiment | claim | verdict | contrasts |",
        "|---|---|---|---|",
        *(
            f"| [{name}](#{name}) | {_cell(e['claim'])} | {_verdict(e)} | {contrasts_in_words(e)} |"
            for name, e in experiments.items()
        ),
        "",
    ]
    for name, experiment in experiments.items():
        lines += _section(name, experiment)
    return "\n".join(lines)


def contrasts_in_words(experiment: Mapping[str, Any]) -> str:
    """How each contrast of a published experiment came out: "faster: missed; steadier: reached"."""
    contrasts = experiment["contrasts"].items()
    return "; ".join(f"{name}: {interval_from_plain(c).against(c['smallest'])}" for name, c in contrasts)


def _section(name: str, experiment: Mapping[str, Any]) -> list[str]:
    lines = [
        f"## {name}",
        "",
        f"{experiment['claim']} ({experiment['source']})",
        "",
        f"Verdict: {_verdict(experiment)}",
        "",
        "| contrast | effect | 95 % interval | smallest that matters | | against the paper's weights |",
        "|---|---|---|---|---|---|",
    ]
    for contrast, c in experiment["contrasts"].items():
        interval, paper = interval_from_plain(c), c["against plain-paper"]
        low, high = interval.decisive
        beside = ""
        if paper:
            other = interval_from_plain(paper)
            beside = "{:+.3g} ({:+.3g} to {:+.3g})".format(other.mean, *other.decisive)
        lines.append(
            f"| {contrast}: {_cell(c['question'])} | {interval.mean:+.3g} {c['unit']} | {low:+.3g} to "
            f"{high:+.3g} | {c['smallest']:+.3g} | {interval.against(c['smallest'])} | {beside} |"
        )
    lines += ["", f"![The figure of {name}]({PICTURES}/{name}.png)", ""]
    lines += [f"- {note[0].upper()}{note[1:]}." for note in experiment["notes"]]
    if experiment["notes"]:
        lines.append("")
    lines += ["<details><summary>Medians over the seeds</summary>", "", "| | |", "|---|---|"]
    for what, (value, unit) in experiment["numbers"].items():
        lines.append(f"| {_cell(what)} | {short_number(float(value))} {unit} |")
    return [*lines, "", "</details>", ""]


def _verdict(experiment: Mapping[str, Any]) -> str:
    return f"**{experiment['verdict']}**" + (f" ({experiment['remark']})" if experiment["remark"] else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")     # |x| would end a cell


def _write(path: Path, content: bytes) -> Path:
    with replacing(path) as file:
        file.write(content)
    return path
