"""An experiment's record back from what `to_plain` made of it, so that figures and pages need no new run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minidl.experiments.environment import Environment
from minidl.experiments.lab.claims import Claim, Contrast
from minidl.experiments.lab.experiment import Analysis, LabResult
from minidl.experiments.lab.jobs import Job, Record
from minidl.experiments.lab.scale import Scale
from minidl.experiments.lab.statistics import Interval


def lab_from_plain(plain: Mapping[str, Any]) -> LabResult:
    """The record of an experiment from the content of its `results.json`.

    Raises:
        KeyError, TypeError, ValueError: content of another kind, or of another version.

    """
    claim, analysis = plain["claim"], plain["analysis"]
    return LabResult(
        claim=Claim(**{**claim, "contrasts": tuple(Contrast(**c) for c in claim["contrasts"])}),
        scale=Scale(**{**plain["scale"], "channels": tuple(plain["scale"]["channels"])}),
        data=plain["data"],
        records=tuple(_record(r) for r in plain["records"]),
        analysis=Analysis(
            {name: numbers(d) for name, d in analysis["contrasts"].items()},
            {name: numbers(d) for name, d in analysis["against_paper"].items()},
            {name: (float(value), unit) for name, (value, unit) in analysis["numbers"].items()},
            list(analysis["notes"]),
        ),
        intervals={name: interval_from_plain(i) for name, i in plain["intervals"].items()},
        verdict=plain["verdict"],
        remark=plain["remark"],
        environment=Environment(**plain["environment"]),
        seconds=plain["seconds"],
    )


def settings_from_plain(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a job; JSON has no tuples, and jobs no lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}


def numbers(plain: Any) -> Any:
    """Nested lists of numbers, in which "nan", "inf" and "-inf" are strings in JSON."""
    return [numbers(value) for value in plain] if isinstance(plain, list) else float(plain)


def _record(plain: Mapping[str, Any]) -> Record:
    job = Job(**{**plain["job"], "settings": settings_from_plain(plain["job"]["settings"])})
    values = {name: float(value) for name, value in plain["values"].items()}
    series = {name: numbers(value) for name, value in plain["series"].items()}
    return Record(job, values, series, plain["seconds"])


def interval_from_plain(plain: Mapping[str, Any]) -> Interval:
    """The intervals of a contrast; what else the mapping holds is left out."""
    (t_low, t_high), (low, high) = numbers(plain["t"]), numbers(plain["bootstrap"])
    return Interval(float(plain["mean"]), (t_low, t_high), (low, high), plain["n"])
