"""A figure that follows a training: loss and accuracy in a window, in a notebook, or in a PNG file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure

from minidl.plots.axes import percent_axis, share_legend
from minidl.plots.bands import bands
from minidl.plots.curves import Metric, Points, RunHistory, spans_decades
from minidl.plots.screens import Screen, WindowClosed, open_screen
from minidl.plots.seeds import Values

_IDLE_EVERY = 0.1       # seconds between two looks at the window's own events
_REST = 20              # drawings take no more than one part in so many of the time
_MOST_POINTS = 200      # of a curve; means over neighbouring steps where there are more


class Training(Protocol):
    """What is needed of a `minidl.training.TrainingState` (training lies above, so its shape stands here)."""

    @property
    def history(self) -> RunHistory:
        """What happened so far."""

    @property
    def step(self) -> int:
        """The last step done."""

    @property
    def steps(self) -> int:
        """How many are planned."""

    @property
    def stop_reason(self) -> str | None:
        """Why the training ends early; None if it doesn't."""


class Live:
    """A callback for `fit` that draws loss and accuracy while the training runs.

    With a display it draws into a window, of the backend that matplotlib has or finds by itself; in a
    notebook into the cell's output. Without a display it writes a PNG file: at most every five seconds and at
    the end, whole each time, so that a viewer never sees half a file. The path is said on the console.

    Drawing takes at most about a twentieth of the time. Nothing that goes wrong with it ends the training: a
    closed window, an error of the backend or a full disk is told once, on stderr. A window closes with the
    program: call `matplotlib.pyplot.show()` after `fit` to keep it.

    Args:
        path: the file that is written, and overwritten, where there is no display.
        title: above the figure.

    Example:
        >>> import tempfile
        >>> import minidl as dl
        >>> model = dl.layers.Dense(2, 2)
        >>> inputs = np.random.default_rng(0).normal(size=(100, 2))
        >>> data = inputs, (inputs[:, 0] > 0).astype(int)
        >>> optimizer = dl.optim.SGD(model.parameters(), lr=1.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     live = Live(Path(folder) / "live.png")
        ...     history = dl.fit(model, data, optimizer=optimizer, epochs=5, callbacks=[live])
        >>> history.stopped
        'finished'

    """

    def __init__(self, path: str | os.PathLike[str] = "live.png", title: str = "") -> None:
        self.path = Path(path)
        self.title = title
        self._screen: Screen | None = None
        self._failed = False
        self._next = self._next_idle = 0.0

    def on_start(self, state: Training) -> None:
        """Open the window, or find out that a file it must be."""
        self._failed = False
        self._next = self._next_idle = 0.0
        self._screen = open_screen(self.path, _say)

    def on_gradients(self, state: Training) -> None:
        """Nothing."""

    def on_step(self, state: Training) -> None:
        """Draw, if it is time."""
        if self._screen is None:
            return
        now = perf_counter()
        if now >= self._next:
            self._show(state)
        elif now >= self._next_idle:
            self._guarded(self._screen.idle)
            self._next_idle = now + _IDLE_EVERY

    def on_validation(self, state: Training) -> None:
        """Nothing: the next drawing shows it."""

    def on_end(self, state: Training) -> None:
        """Draw everything for the last time."""
        self._show(state)

    def _show(self, state: Training) -> None:
        screen = self._screen
        if screen is None or not len(state.history.train.step):
            return

        def show() -> None:
            draw_learning(screen.figure, state.history, state.steps, self._headline(state))
            screen.show()

        begin = perf_counter()
        self._guarded(show)
        end = perf_counter()
        self._next = end + max(screen.every, _REST * (end - begin))
        self._next_idle = end + _IDLE_EVERY

    def _headline(self, state: Training) -> str:
        reason = f": {state.stop_reason}" if state.stop_reason else ""
        return f"{self.title}\nstep {state.step:,} of {state.steps:,}{reason}".lstrip()

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do it; an error is told, and no reason to lose a training."""
        try:
            action()
        except WindowClosed:
            _say("its window was closed; the training goes on without it")
            self._screen = None
        except OSError as error:
            # A full disk may have room again, and on Windows a viewer may hold the file for a moment.
            if not self._failed:
                _say(f"it can't be written now ({error}); the training goes on, and later drawings are tried")
            self._failed = True
        except Exception as error:      # whatever a GUI may raise: hours of training are worth more
            _say(f"it can't be drawn ({type(error).__name__}: {error}); the training goes on without it")
            self._screen = None


def draw_learning(figure: Figure, history: RunHistory, steps: int, headline: str) -> None:
    """Draw loss, and accuracy where there is one, over all steps into an empty figure or one drawn before.

    Of more than 200 steps the curves of the training are means over neighbouring ones, as the legend says.
    """
    figure.clear()
    metrics: list[Metric] = ["loss"]
    if not np.isnan(np.asarray(history.train.accuracy, np.float64)).all():
        metrics.append("accuracy")
    for metric, ax in zip(metrics, figure.subplots(1, len(metrics), squeeze=False)[0], strict=True):
        every = -(-len(history.train.step) // _MOST_POINTS)
        name = "training, mini-batches" if every == 1 else f"training, means of {every} steps"
        arms = {name: _means(history.train, metric, every)}
        if len(history.validation.step):
            arms["validation"] = _means(history.validation, metric, 1)
        bands(arms, ax, ylabel="loss (mean per example)", xscale="linear")
        if metric == "accuracy":
            percent_axis(ax, "accuracy")
        elif spans_decades(values for _, values in arms.values()):
            ax.set_yscale("log")
        ax.set_xlim(0, steps)
    share_legend(figure)
    figure.suptitle(headline, fontsize="medium")


def _means(points: Points, metric: Metric, every: int) -> tuple[Values, Values]:
    """Steps and values, means over so many neighbours; where the loss isn't finite the worst there is."""
    worst = np.inf if metric == "loss" else -np.inf
    loss, values = (np.asarray(given, np.float64) for given in (points.loss, getattr(points, metric)))
    values = np.where(np.isfinite(loss), values, worst)
    begins = np.arange(0, len(values), every)
    counts = np.diff(np.append(begins, len(values)))
    steps = np.asarray(points.step, np.float64)
    return np.add.reduceat(steps, begins) / counts, np.add.reduceat(values, begins) / counts


def _say(text: str) -> None:
    """One line on stderr, which a progress bar there doesn't draw over."""
    if sys.stderr is not None:
        from tqdm import tqdm  # type: ignore[import-untyped]  # here: figures need no progress bar

        tqdm.write(f"live figure: {text}", file=sys.stderr)
