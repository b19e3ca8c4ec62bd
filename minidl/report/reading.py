"""Reading the folder of a run back: its record and its figures."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minidl import __version__
from minidl.experiments import Comparison, Environment, RunConfig, comparison_from_plain
from minidl.experiments.lab import LabResult
from minidl.experiments.lab.stored import lab_from_plain
from minidl.report.comparison_figures import comparison_figures
from minidl.report.figure_records import FigureData, figure_from_plain
from minidl.report.lab.figures import lab_figures
from minidl.report.page import Drawn, Run, TrainingRecord
from minidl.report.run_folder import FIGURES, RESULTS, write_figures
from minidl.training import Evaluation


def read_run(folder: Path) -> Run:
    """What a folder of `compare`, `train` or `lab` holds; figures that it lacks are drawn anew.

    Raises:
        ValueError: no such folder, or one that holds something else, or comes from another version.

    """
    record = read_record(folder)
    return Run(folder.resolve().name, record, _read_figures(folder, record))


def read_record(folder: Path) -> Comparison | TrainingRecord | LabResult:
    """The record alone; it raises as `read_run` does."""
    path = folder / RESULTS
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected the folder of a run, got {_what(folder)}")
    if not path.is_file():
        raise ValueError(f"{folder}: no {RESULTS} in it: name a folder that compare, train or lab wrote")
    return _record(_json(path), path)


def run_folders(folder: Path) -> list[Path]:
    """The folder itself; or those in it, where it is no run but holds some, as that of `lab all` does."""
    inside = sorted(path.parent for path in folder.glob(f"*/{RESULTS}"))
    return inside if inside and not (folder / RESULTS).exists() else [folder]


def _read_figures(folder: Path, record: Comparison | TrainingRecord | LabResult) -> tuple[Drawn, ...]:
    path = folder / FIGURES
    if not path.exists():
        return _drawn_anew(record)
    kept = _json(path)
    try:
        if not isinstance(kept, list):
            raise TypeError(f"a {type(kept).__name__} in place of a list")
        found = [figure_from_plain(plain) for plain in kept]
        return tuple(Drawn(data, _svg(folder, data)) for data in found)
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        raise ValueError(f"{path}: expected the figures of a run, got {_reason(error)}") from error


def _svg(folder: Path, data: FigureData) -> str:
    return (folder / f"{data.name}.svg").read_text(encoding="utf-8")


def _drawn_anew(record: Comparison | TrainingRecord | LabResult) -> tuple[Drawn, ...]:
    """Of a trained network nothing can be: its folder doesn't hold the test images."""
    if isinstance(record, TrainingRecord):
        return ()
    figures = comparison_figures(record) if isinstance(record, Comparison) else lab_figures(record)
    with tempfile.TemporaryDirectory() as folder:
        return write_figures(Path(folder), figures)


def _record(plain: Any, path: Path) -> Comparison | TrainingRecord | LabResult:
    kinds: dict[str, Callable[[dict[str, Any]], Comparison | TrainingRecord | LabResult]] = {
        "claim": lab_from_plain, "results": comparison_from_plain, "confusion": _training_from_plain
    }
    read = next((kinds[key] for key in kinds if isinstance(plain, dict) and key in plain), None)
    if read is None:
        raise ValueError(f"{path}: neither of compare, nor of train, nor of lab: name a folder of these")
    try:
        return read(plain)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError) as error:
        environment = plain.get("environment")
        version = environment.get("minidl", "unknown") if isinstance(environment, dict) else "unknown"
        raise ValueError(
            f"{path}: written by minidl {version}, and this is {__version__}, which expects other content "
            f"({_reason(error)}): use the version that wrote it"
        ) from error


def _training_from_plain(plain: dict[str, Any]) -> TrainingRecord:
    test = Evaluation(*(float(plain["test"][name]) for name in ("loss", "accuracy")))
    return TrainingRecord(**{
        **plain, "config": RunConfig(**plain["config"]), "test": test,
        "class_names": tuple(plain["class_names"]), "environment": Environment(**plain["environment"]),
    })


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:     # of JSON and of UTF-8
        raise ValueError(f"{path}: not JSON, or cut off ({error}): run it again") from error


def _what(path: Path) -> str:
    return "a file" if path.exists() else "nothing by that name"


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
