"""Records of experiments to JSON and back: all that was measured, in a file that any language can read."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from minidl.experiments.compare import Comparison
from minidl.experiments.config import RunConfig
from minidl.experiments.environment import Environment
from minidl.experiments.run import Measurement, RunResult
from minidl.instruments import Saturation


def to_plain(record: Any) -> Any:
    """A record as dictionaries, lists and numbers; what is no finite number becomes the string of its name.

    Example:
        >>> to_plain((1, float("inf")))
        [1, 'inf']

    """
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {field.name: to_plain(getattr(record, field.name)) for field in dataclasses.fields(record)}
    if isinstance(record, dict):
        return {key: to_plain(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [to_plain(value) for value in record]
    return str(record) if isinstance(record, float) and not math.isfinite(record) else record


def comparison_from_plain(plain: dict[str, Any]) -> Comparison:
    """A comparison from what `to_plain` made of it."""
    results = tuple(_result(r) for r in plain["results"])
    return Comparison(results, Environment(**plain["environment"]), plain["seconds"], plain["interrupted"])


def _result(plain: dict[str, Any]) -> RunResult:
    numbers = {
        key: float(plain[key])
        for key in ("test_loss", "test_accuracy", "steps_to_90", "steps_to_95", "seconds")
    }
    return RunResult(
        config=RunConfig(**plain["config"]),
        data=plain["data"],
        outcome=plain["outcome"],
        measurements=tuple(_measurement(m) for m in plain["measurements"]),
        **numbers,
    )


def _measurement(plain: dict[str, Any]) -> Measurement:
    low, middle, high = (float(p) for p in plain["percentiles"])
    return Measurement(
        plain["step"],
        float(plain["train_loss"]),
        float(plain["loss"]),
        float(plain["accuracy"]),
        tuple(Saturation(s["layer"], float(s["dead"]), float(s["deciding"])) for s in plain["saturation"]),
        (low, middle, high),
    )
