"""The progress bar of a training: one line on stderr that is drawn over, and none where nobody watches."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from minidl.training.callbacks import TrainingState

_EVERY = 0.1    # seconds between two drawings


class Progress:
    """A tqdm bar with loss, accuracy and steps/s: means over the steps since it was last drawn."""

    def __init__(self, state: TrainingState) -> None:
        from tqdm import tqdm  # type: ignore[import-untyped]  # here: `import minidl` must not wait for it

        # ASCII: a Windows console may know no other characters. Drawn when told to, by our own clock.
        self._bar = tqdm(
            total=state.steps, unit="step", ascii=True, dynamic_ncols=True, mininterval=0, miniters=1
        )
        self._next = 0.0

    def update(self, state: TrainingState) -> None:
        """Draw the bar if it wasn't just drawn."""
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + _EVERY
            self._draw(state)

    def close(self, state: TrainingState) -> None:
        """Draw it for the last time; say why, if the training ended early."""
        self._draw(state)
        self._bar.close()
        if state.stop_reason is not None:
            steps = f"{state.step} of {state.steps} steps"
            print(f"training stopped after {steps}: {state.stop_reason}", file=sys.stderr)

    def _draw(self, state: TrainingState) -> None:
        train, shown = state.history.train, self._bar.n
        if train:
            recent = slice(min(shown, len(train) - 1), None)
            losses, accuracies = train.loss[recent], train.accuracy[recent]
            text = f"loss={sum(losses) / len(losses):.3f}"
            if not math.isnan(state.accuracy):
                text += f", accuracy={sum(accuracies) / len(accuracies):.3f}"
            if (validation := state.evaluation) is not None:     # one number of it: the line is long enough
                has_classes = not math.isnan(validation.accuracy)
                name, value = ("accuracy", validation.accuracy) if has_classes else ("loss", validation.loss)
                text += f", validation {name}={value:.3f}"
            self._bar.set_postfix_str(text, refresh=False)
        self._bar.set_description_str(f"epoch {max(1, state.epoch)}", refresh=False)
        self._bar.update(state.step - shown)


@contextmanager
def progress_bar(state: TrainingState, progress: bool | None) -> Iterator[Progress | None]:
    """A bar; None where there is to be none: progress=False, or None and stderr is no terminal."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    bar = Progress(state) if progress else None
    try:
        yield bar
    finally:
        if bar is not None:
            bar.close(state)
