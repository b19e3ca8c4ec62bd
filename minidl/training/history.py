"""What a training run leaves behind: its losses and accuracies as plain numbers, to and from JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from minidl.files import replacing

FINISHED = "finished"
RUNNING = "running"
NON_FINITE = "non-finite loss"
INTERRUPTED = "interrupted"

_COLUMNS = ["step", "loss", "accuracy", "validation_loss", "validation_accuracy", "stopped"]


@dataclass(repr=False)
class Series:
    """Loss and accuracy after some steps of a run: three lists of the same length.

    Attributes:
        step: whole numbers, rising.
        loss: floats, means over examples.
        accuracy: floats from 0 to 1; nan where targets are no class labels.

    Example:
        >>> series = Series()
        >>> series.append(1, 2.303, 0.1)
        >>> series.append(2, 1.5, 0.4)
        >>> series.loss
        [2.303, 1.5]

    """

    step: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        columns = self.step, self.loss, self.accuracy
        self.step, self.loss, self.accuracy = [], [], []
        if len({len(column) for column in columns}) != 1:
            raise ValueError(
                "Series expects step, loss and accuracy of one length, got "
                + ", ".join(str(len(column)) for column in columns)
            )
        for point in zip(*columns, strict=True):
            self.append(*point)

    def append(self, step: int, loss: float, accuracy: float) -> None:
        """Add a point, as plain numbers.

        Raises:
            ValueError: a step that isn't above the last one.

        """
        if self.step and step <= self.step[-1]:
            raise ValueError(f"Series expects rising steps, got {step} after {self.step[-1]}")
        self.step.append(int(step))
        self.loss.append(float(loss))
        self.accuracy.append(float(accuracy))

    def even(self) -> None:
        """Drop a point that an interruption left half written."""
        shortest = min(len(self.step), len(self.loss), len(self.accuracy))
        for column in (self.step, self.loss, self.accuracy):
            del column[shortest:]

    def __len__(self) -> int:
        return len(self.step)

    def __repr__(self) -> str:
        if not self.step:
            return "Series(no points)"
        last = _values(self.loss[-1], self.accuracy[-1])
        return f"Series({len(self)} points; step {self.step[-1]}: {last})"


@dataclass(repr=False)
class History:
    """What happened in a training run; it holds plain numbers, never tensors.

    Attributes:
        train: loss and accuracy of each step's mini-batch, before that step changed the weights; steps count
            from 1.
        validation: of the validation data, after that many steps.
        stopped: why the training ended: "finished", "early stopping", "non-finite loss", "interrupted", or
            what a callback gave as its reason; "running" while it goes on.

    Example:
        >>> history = History(Series([1, 2], [2.3, float("nan")], [0.1, 0.1]), stopped="non-finite loss")
        >>> history
        History(2 steps, stopped: non-finite loss; training loss nan, accuracy 10.0 %)
        >>> History.from_dict(history.to_dict()).train.loss
        [2.3, nan]

    """

    train: Series = field(default_factory=Series)
    validation: Series = field(default_factory=Series)
    stopped: str = FINISHED

    def to_dict(self) -> dict[str, Any]:
        """Dictionaries, lists and numbers that JSON can hold; nan and infinity become "nan" and "inf"."""
        return {"stopped": self.stopped, "train": _plain(self.train), "validation": _plain(self.validation)}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """A history from what `to_dict` gave.

        Raises:
            ValueError: if something is missing or is no number.

        """
        try:
            return cls(_series(plain["train"]), _series(plain["validation"]), str(plain["stopped"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"History.from_dict expects what to_dict gave, but {_reason(error)}") from error

    def to_json(self, path: str | Path) -> None:
        """Write a JSON file, whole or not at all."""
        _write(path, json.dumps(self.to_dict(), allow_nan=False) + "\n")

    @classmethod
    def from_json(cls, path: str | Path) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: if the file holds something else.

        """
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except ValueError as error:
            raise ValueError(f"{path} is no history: {error}") from error

    def to_csv(self, path: str | Path) -> None:
        """Write a CSV file, whole or not at all: one row a step.

        Its columns are step, loss, accuracy, validation_loss, validation_accuracy and stopped. A cell is
        empty where there is no such value; `stopped` stands in the last row. Floats keep all their digits.
        """
        rows: dict[int | str, list[str]] = {}
        for series, at in ((self.train, 1), (self.validation, 3)):
            for step, loss, accuracy in zip(series.step, series.loss, series.accuracy, strict=True):
                row = rows.setdefault(step, [str(step), "", "", "", "", ""])
                row[at : at + 2] = repr(loss), repr(accuracy)
        ordered = [rows[step] for step in sorted(rows)] or [[""] * len(_COLUMNS)]
        ordered[-1][-1] = self.stopped
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *ordered])
        _write(path, text.getvalue())

    @classmethod
    def from_csv(cls, path: str | Path) -> Self:
        """Read what `to_csv` wrote.

        Raises:
            ValueError: if the file holds something else.

        """
        with Path(path).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        if len(rows) < 2 or rows[0] != _COLUMNS:
            raise ValueError(f"{path} is no history: expected a line {','.join(_COLUMNS)} and rows below it")
        history = cls(stopped=rows[-1][-1])
        try:
            for step, *values in rows[1:]:
                for series, at in ((history.train, 0), (history.validation, 2)):
                    loss, accuracy = values[at : at + 2]
                    if loss:
                        series.append(int(step), float(loss), float(accuracy))
        except ValueError as error:
            raise ValueError(f"{path} is no history: {error}") from error
        return history

    def __repr__(self) -> str:
        parts = [
            f"{name} {_values(series.loss[-1], series.accuracy[-1])}"
            for name, series in (("training", self.train), ("validation", self.validation)) if series
        ]
        steps = self.train.step[-1] if self.train else 0
        return f"History({'; '.join([f'{steps} steps, stopped: {self.stopped}', *parts])})"


def _plain(series: Series) -> dict[str, list[Any]]:
    def numbers(values: list[float]) -> list[float | str]:
        return [value if math.isfinite(value) else str(value) for value in values]

    return {"step": list(series.step), "loss": numbers(series.loss), "accuracy": numbers(series.accuracy)}


def _series(plain: dict[str, Any]) -> Series:
    loss, accuracy = ([float(value) for value in plain[name]] for name in ("loss", "accuracy"))
    return Series([int(step) for step in plain["step"]], loss, accuracy)


def _values(loss: float, accuracy: float) -> str:
    return f"loss {loss:.4g}" + ("" if math.isnan(accuracy) else f", accuracy {100 * accuracy:.1f} %")


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _write(path: str | Path, text: str) -> None:
    with replacing(Path(path)) as file:
        file.write(text.encode("utf-8"))
