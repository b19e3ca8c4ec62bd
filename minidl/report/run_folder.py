"""Writing the folder of a run, whole: one way for every command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from minidl import plots
from minidl.experiments import Comparison, to_plain
from minidl.experiments.lab import LabResult
from minidl.report.figure_data import figure_data
from minidl.report.files import write_json, written_whole
from minidl.report.page import Drawn, Run, TrainingRecord, run_page

Draw = Callable[[], dict[str, Figure]]
RESULTS, FIGURES, PAGE = "results.json", "figures.json", "report.html"


class NotDrawn(RuntimeError):
    """The results are written, but not all of the figures and the page."""


def write_run(
    folder: Path,
    record: Comparison | TrainingRecord | LabResult,
    draw: Draw,
    others: Mapping[str, Callable[[Path], object]] | None = None,
) -> list[Path]:
    """Write a run's results, other files, figures and page; the folder appears when it is complete.

    Args:
        folder: new or empty.
        record: for results.json.
        draw: makes the figures, by the names of their files.
        others: name of a file -> what writes it to the path that it is given.

    Returns:
        The files, in order.

    Raises:
        NotDrawn: an error, or Ctrl-C, while drawing: results and other files are written nevertheless, since
            drawing takes seconds, and computing may have taken hours.

    """
    failure: BaseException | None = None
    with written_whole(folder) as unfinished:
        write_json(unfinished / RESULTS, to_plain(record))
        for name, write in (others or {}).items():
            write(unfinished / name)
        try:
            figures = write_figures(unfinished, draw())
            page = run_page([Run(folder.resolve().name, record, figures)])
            (unfinished / PAGE).write_text(page, encoding="utf-8")
        except (Exception, KeyboardInterrupt) as error:
            failure = error
    if failure is not None:
        reason = f"{type(failure).__name__}: {failure}".removesuffix(": ")
        raise NotDrawn(
            f"the results are in {folder}, but not all figures, nor the page ({reason}): "
            f"try `minidl report {folder}`"
        ) from failure
    return sorted(folder.iterdir())


def write_figures(folder: Path, figures: dict[str, Figure]) -> tuple[Drawn, ...]:
    """Save figures as PNG and SVG, and the data behind them all as figures.json."""
    drawn = []
    for name, figure in figures.items():
        _, svg = plots.save(figure, folder / name)
        drawn.append(Drawn(figure_data(name, figure), svg.read_text(encoding="utf-8")))
    write_json(folder / FIGURES, to_plain([one.data for one in drawn]), indent=None)
    return tuple(drawn)
