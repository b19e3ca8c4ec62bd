"""Writes the measured tables into README.md from the runs in results/:  python -m tests.benchmarks.page"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- begin: written by tests.benchmarks.page -->", "<!-- end -->"


def page(folder: Path = HERE / "results") -> str:
    """The tables of all runs in a folder as Markdown: one line a row of work, one column a run."""
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("run-*.json"))]
    about = runs[-1]
    versions = ", ".join(about["versions"].values())
    lines = [
        f"{about['date']}, {about['processor']}, {about['cores']} cores, {about['system']}, "
        f"Python {about['python']}; {versions}. Times are of the last run; "
        f"figures are the ratios of all {len(runs)}.",
        "",
        "| work | minidl | against | its setting | " + " | ".join(f"run {i + 1}" for i in range(len(runs)))
        + " | target | same allocator |",
        "|---|---|---|---|" + "---|" * len(runs) + "---|---|",
    ]
    for i, row in enumerate(about["rows"]):
        same = [run["rows"][i] for run in runs]
        assert len({(r["work"], r["against"]) for r in same}) == 1
        figures = " | ".join(_figure(r) for r in same)
        lines.append(
            f"| {row['work']} | {row['ours']} | {row['against']} {row['theirs']} | {row['setting']} | "
            f"{figures} | {_target(row)} | {_allocator(row)} |"
        )
    return "\n".join(lines)


def _figure(row: dict[str, Any]) -> str:
    text = f"{row['figure']:.2f}x" if row["unit"] == "x" else f"{row['figure']:.0f} {row['unit']}"
    return text if row["reached"] is None or row["reached"] else f"**{text}**"


def _target(row: dict[str, Any]) -> str:
    if row["target"] is None:
        return ""
    return f"{'>=' if row['at_least'] else '<='} {row['target']:g}"


def _allocator(row: dict[str, Any]) -> str:
    return f"{row['allocator']['value']:.2f}x" if row["allocator"] else ""


def insert(text: str, table: str) -> str:
    """A page with the table between the two marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main() -> None:
    """Rewrite README.md."""
    readme = HERE / "README.md"
    readme.write_text(insert(readme.read_text(encoding="utf-8"), page()), encoding="utf-8")


if __name__ == "__main__":
    main()
