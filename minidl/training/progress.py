"""The progress bar of a training: one line on stderr that is drawn over, and none where nobody watches."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from minidl.training.callbacks import TrainingState

_EVERY = 0.1    # seconds between two drawings


class Progress:
    """A tqdm bar of 80 columns: the time that is left, steps/s, loss and accuracy.

    Loss and accuracy are means over the steps since it was last drawn; once there is a validation, its last
    accuracy (its loss, where targets are no class labels) stands instead of the training's.
    """

    def __init__(self, state: TrainingState) -> None:
        from tqdm import tqdm  # type: ignore[import-untyped]  # here: `import minidl` must not wait for it

        # ASCII: a Windows console may know no other characters. Drawn when told to, by our own clock.
        self._bar = tqdm(
            total=state.steps,
            unit="step",
            ascii=True,
            ncols=min(80, shutil.get_terminal_size().columns) - 1,
            bar_format="{desc} |{bar}| {n_fmt}/{total_fmt} [{remaining}, {rate_fmt}{postfix}]",
            mininterval=0,
            miniters=1,
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
            text = f"loss={sum(losses) / len(losses):.3g}"
            # One number more, as 80 columns hold no others: that of the validation, once there is one.
            if (validation := state.evaluation) is not None:
                has_classes = not math.isnan(validation.accuracy)
                text += f", validation={validation.accuracy if has_classes else validation.loss:.3g}"
            elif not math.isnan(state.accuracy):
                text += f", accuracy={sum(accuracies) / len(accuracies):.3g}"
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
