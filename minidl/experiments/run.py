"""One run: a RunConfig goes in; the network is trained and measured on the way; a plain record comes out."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from minidl import instruments
from minidl.datasets import Dataset, load
from minidl.engine.tape import Tape
from minidl.experiments.config import RunConfig
from minidl.experiments.models import build, build_optimizer
from minidl.experiments.outcome import outcome, steps_to
from minidl.instruments import Saturation
from minidl.layers import Sequential
from minidl.training import Callback, TrainingState, evaluate, fit, recalibrated
from minidl.training.evaluate import POPULATION

VALIDATION = 5_000  # the last training images: curves and choices; the test images are read once, at the end
PROBE = 1_000       # the first training images: saturation and percentiles
POINTS = 12         # evaluations a run, log-spaced
UNIT = 0            # the unit whose input is followed, fixed before any training


@dataclass(frozen=True)
class Measurement:
    """What was measured after one step.

    Attributes:
        step: number of training steps so far.
        train_loss: mean over the batches since the previous measurement.
        loss: on the validation images, with population statistics.
        accuracy: likewise.
        saturation: of each sigmoid layer, dead and deciding apart; empty for other activations.
        percentiles: 15th, 50th and 85th of the input to unit 0 of the last activation, over the probe.

    """

    step: int
    train_loss: float
    loss: float
    accuracy: float
    saturation: tuple[Saturation, ...]
    percentiles: tuple[float, float, float]


@dataclass(frozen=True)
class RunResult:
    """The record of one run.

    Attributes:
        config: what was run.
        data: the data set as a reader should see it, "MNIST" or "stroke digits (synthetic)".
        outcome: "trained", "unfinished", "stuck" or "non-finite".
        test_loss: after the last step, with population statistics.
        test_accuracy: likewise.
        steps_to_90: first of two validations in a row at 90 %; infinity if it never came.
        steps_to_95: likewise.
        measurements: in the order of their steps.
        seconds: how long it took.

    """

    config: RunConfig
    data: str
    outcome: str
    test_loss: float
    test_accuracy: float
    steps_to_90: float
    steps_to_95: float
    measurements: tuple[Measurement, ...]
    seconds: float


def run(config: RunConfig) -> RunResult:
    """Train one network; measure it at log-spaced steps on held-out images, at the end on the test set.

    Raises:
        DatasetUnavailable: if the data can be neither found nor fetched.

    """
    begin = time.perf_counter()
    train, validation, test = split(config.data)
    model = build(config)
    measure = _Measure(config, train, validation)
    optimizer = build_optimizer(config, model)
    # A network that diverges overflows before its loss does; the outcome "non-finite" reports it.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        history = fit(
            model,
            train,
            optimizer=optimizer,
            batch_size=config.batch_size,
            steps=config.steps,
            seed=config.seed,
            callbacks=[measure],
            progress=False,
            drop_last=True,
        )
        if history.stopped == "interrupted":  # fit ends quietly then, but half a run is no result
            raise KeyboardInterrupt
        final = evaluate(model, test, statistics="population", training_data=train)
    finite = bool(np.isfinite([*history.train.loss, final.loss]).all())
    points = measure.points
    steps, accuracies = [p.step for p in points], [p.accuracy for p in points]
    return RunResult(
        config=config,
        data=train.title,
        outcome=outcome(final.accuracy, finite),
        test_loss=final.loss,
        test_accuracy=final.accuracy,
        steps_to_90=steps_to(0.90, steps, accuracies),
        steps_to_95=steps_to(0.95, steps, accuracies),
        measurements=tuple(points),
        seconds=time.perf_counter() - begin,
    )


@lru_cache(maxsize=1)
def split(data: str) -> tuple[Dataset, Dataset, Dataset]:
    """Training, validation and test set of a name; kept, since a worker runs many configurations of one."""
    train, test = load(data)
    return train[:-VALIDATION], train[-VALIDATION:], test


def measuring_points(steps: int) -> list[int]:
    """The steps after which a run is measured: log-spaced, at most POINTS, the last one among them.

    Example:
        >>> measuring_points(1500)
        [10, 16, 25, 39, 62, 98, 154, 243, 382, 603, 951, 1500]

    """
    return sorted({round(s) for s in np.geomspace(min(10, steps), steps, POINTS)})


class _Measure(Callback):
    """Measures the network after certain steps; changes nothing in the training."""

    def __init__(self, config: RunConfig, train: Dataset, validation: Dataset) -> None:
        self.config = config
        self.train = train
        self.validation = validation
        self.due = set(measuring_points(config.steps))
        self.points: list[Measurement] = []
        self.losses: list[float] = []

    def on_step(self, state: TrainingState) -> None:
        """Measure if this step is due."""
        self.losses.append(state.history.train.loss[-1])
        if state.step not in self.due:
            return
        model = state.model
        assert isinstance(model, Sequential)
        with recalibrated(model, self.train[:POPULATION]):
            result = evaluate(model, self.validation)
            tape = instruments.probe(model, self.train[:PROBE].images)
        self.points.append(
            Measurement(
                step=state.step,
                train_loss=float(np.mean(self.losses)),
                loss=result.loss,
                accuracy=result.accuracy,
                saturation=_saturation(tape),
                percentiles=_percentiles(tape, self.config.activation),
            )
        )
        self.losses.clear()


def _saturation(tape: Tape) -> tuple[Saturation, ...]:
    return tuple(instruments.saturation(tape)) if tape.find(op="sigmoid") else ()


def _percentiles(tape: Tape, activation: str) -> tuple[float, float, float]:
    inputs = tape.find(op=activation.replace("-", "_"))[-1].inputs[0].data[..., UNIT]
    if not np.isfinite(inputs).all():
        return (math.nan, math.nan, math.nan)
    low, middle, high = np.percentile(inputs, (15, 50, 85))
    return float(low), float(middle), float(high)
