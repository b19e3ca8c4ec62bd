"""Learning curves from the histories of runs: accuracy or loss against the training step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from matplotlib.axes import Axes

from minidl.plots.axes import Scale, percent_axis
from minidl.plots.bands import bands, spread
from minidl.plots.seeds import Values

Metric = Literal["accuracy", "loss"]
Split = Literal["train", "validation"]


class Points(Protocol):
    """Values at some steps of a run: three sequences of one length."""

    @property
    def step(self) -> Sequence[int]:
        """Steps, rising."""

    @property
    def loss(self) -> Sequence[float]:
        """Mean per example."""

    @property
    def accuracy(self) -> Sequence[float]:
        """From 0 to 1."""


@runtime_checkable
class RunHistory(Protocol):
    """What a curve needs of a `minidl.training.History`; training lies above, so its shape stands here."""

    @property
    def train(self) -> Points:
        """On the mini-batches."""

    @property
    def validation(self) -> Points:
        """On the validation data."""


def curves(
    histories: Mapping[str, RunHistory | Sequence[RunHistory]],
    metric: Metric = "accuracy",
    split: Split | None = None,
    ax: Axes | None = None,
    *,
    xscale: Scale | None = None,
    ylim: tuple[float, float] | None = None,
) -> Axes:
    """Learning curves: accuracy (in per cent) or loss against the training step, one for each label.

    Several seeds become their median as a line and their smallest to largest as a band. A loss that isn't
    finite is a diverged run: from there on it ranks last in the median, and a cross on the edge shows where
    it left.

    Args:
        histories: label -> a History, or the Histories of several seeds.
        metric: "accuracy" or "loss" (the mean per example).
        split: "train" or "validation"; None takes the validation where every history has one.
        ax: where to draw; None makes a figure.
        xscale: "log", "linear", or None to choose by the spacing of the steps.
        ylim: limits of the y axis in the metric's own unit: (0.7, 1) is the view of Figure 1a in Ioffe &
            Szegedy (2015), arXiv:1502.03167.

    Raises:
        ValueError: no history, one without points, or an unknown metric or split.

    Example:
        >>> from types import SimpleNamespace
        >>> from matplotlib.figure import Figure
        >>> points = SimpleNamespace(step=[1, 10, 100], loss=[2.3, 0.9, 0.3], accuracy=[0.1, 0.72, 0.91])
        >>> history = SimpleNamespace(train=points, validation=points)
        >>> ax = curves({"batch norm": history}, ax=Figure(layout="constrained").subplots())
        >>> ax.get_ylabel(), ax.get_lines()[0].get_ydata().tolist()
        ('validation accuracy (%)', [0.1, 0.72, 0.91])

    """
    if metric not in ("accuracy", "loss"):
        raise ValueError(f"curves draws 'accuracy' or 'loss', got metric={metric!r}")
    if split not in (None, "train", "validation"):
        raise ValueError(f"curves expects split='train', 'validation' or None, got {split!r}")
    if not isinstance(histories, Mapping):
        raise TypeError(
            f"curves expects a dictionary, got a {type(histories).__name__}: write {{'a label': history}}"
        )
    if not histories:
        raise ValueError("curves expects at least one history, got none: give {label: history}")
    runs = {label: _as_runs(label, given) for label, given in histories.items()}
    if split is None:
        validated = all(len(run.validation.step) for group in runs.values() for run in group)
        split = "validation" if validated else "train"
    arms = {label: _seeds(group, metric, split, label) for label, group in runs.items()}
    name = "training" if split == "train" else split
    ax = bands(arms, ax, ylabel=f"{name} loss (mean per example)", xscale=xscale)
    if metric == "accuracy":
        percent_axis(ax, f"{name} accuracy")
    elif spans_decades(values for _, values in arms.values()):
        ax.set_yscale("log")
    if ylim is not None:
        ax.set_ylim(*ylim)
    return ax


def _as_runs(label: str, given: RunHistory | Sequence[RunHistory]) -> list[RunHistory]:
    runs = [given] if isinstance(given, RunHistory) else list(given) if isinstance(given, Sequence) else []
    if not runs or not all(isinstance(run, RunHistory) for run in runs):
        raise ValueError(
            f"curves: {label!r} expects a History, or a list of the Histories of its seeds, "
            f"got {type(given).__name__}: pass what fit returned"
        )
    return runs


def _seeds(runs: list[RunHistory], metric: Metric, split: Split, label: str) -> tuple[Values, Values]:
    """Steps (T,) and values (S, T) of all seeds on the union of their steps."""
    series: list[Points] = [getattr(run, split) for run in runs]
    ends = [_divergence(run) for run in runs]
    union = {float(step) for points in series for step in points.step}
    if not union:
        raise ValueError(f"curves: {label!r} has no {split} points: record some, or draw the other split")
    # A run may diverge after the last point of all: the cross then needs a step of its own.
    late = [end for end in ends if end is not None and end > max(union)]
    if late:
        union.add(max(late))
    steps = np.array(sorted(union))
    worst = np.inf if metric == "loss" else -np.inf
    rows = []
    for points, end in zip(series, ends, strict=True):
        values = np.asarray(getattr(points, metric), dtype=np.float64)
        broken = ~np.isfinite(np.asarray(points.loss, dtype=np.float64))
        row = spread(points.step, np.where(broken, worst, values)[None], steps)
        if end is not None:
            # It was given up and has no later points; it must not drop out of the median for that.
            row[:, (steps >= end) & np.isnan(row[0])] = worst
        rows.append(row)
    return steps, np.concatenate(rows)


def _divergence(run: RunHistory) -> float | None:
    """The step at which a run was lost for good: the one of its last loss, if that isn't finite."""
    lost = [p.step[-1] for p in (run.train, run.validation) if len(p.step) and not np.isfinite(p.loss[-1])]
    return float(min(lost)) if lost else None


def spans_decades(seeds: Iterable[Values]) -> bool:
    """Whether all finite values are above 0, and span more than two powers of ten."""
    finite = np.concatenate([values[np.isfinite(values)] for values in seeds])
    return bool(finite.size and finite.min() > 0 and finite.max() / finite.min() > 100)
