"""Callbacks: what a user hangs into a training, the state that they see, and early stopping."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from minidl.checks import whole
from minidl.engine.array import Array
from minidl.engine.tape import Tape
from minidl.layers import Layer
from minidl.optim import Optimizer
from minidl.training.evaluate import Evaluation
from minidl.training.history import History


@dataclass(repr=False)
class TrainingState:
    """The state of a training, as callbacks see it; always the same object.

    Attributes:
        model: what is trained.
        optimizer: what trains it.
        history: what happened so far.
        steps: how many steps are planned.
        steps_per_epoch: how many of them make an epoch.
        step: the step under way, or the last one done; from 1, and 0 before the first.
        loss: of the last mini-batch, a plain number.
        accuracy: of the last mini-batch; nan where targets are no class labels.
        tape: of the step under way; None outside `on_gradients` and `on_step`.
        evaluation: the last one of the validation data; None before the first.
        validates: whether there are validation data.
        stop_reason: why the training is to end; None as long as it goes on.

    """

    model: Layer
    optimizer: Optimizer
    history: History
    steps: int
    steps_per_epoch: int
    validates: bool
    step: int = 0
    loss: float = math.nan
    accuracy: float = math.nan
    tape: Tape | None = None
    evaluation: Evaluation | None = None
    stop_reason: str | None = None

    @property
    def epoch(self) -> int:
        """The epoch under way, from 1; 0 before the first step."""
        return -(-self.step // self.steps_per_epoch)

    def stop(self, reason: str = "stopped by a callback") -> None:
        """End the training; the reason goes into `history.stopped`.

        Called in `on_gradients` it leaves out the step under way. The model is still validated once more,
        unless it just was, or the user interrupted it.
        """
        self.stop_reason = reason

    def __repr__(self) -> str:
        return f"TrainingState(step {self.step} of {self.steps}, epoch {self.epoch}, loss {self.loss:.4g})"


@runtime_checkable
class Callback(Protocol):
    """Subclass it and write the methods that you need; each gets the state of the training.

    Example:
        >>> class StopAt(Callback):
        ...     def __init__(self, loss):
        ...         self.loss = loss
        ...     def on_step(self, state):
        ...         if state.loss < self.loss:
        ...             state.stop("loss is low enough")

    """

    # `return` tells the type checker that these are methods that do nothing, and not abstract ones.
    def on_start(self, state: TrainingState) -> None:
        """Before anything else."""
        return

    def on_gradients(self, state: TrainingState) -> None:
        """After backward, before the optimizer's step: read, log or clip the gradients."""
        return

    def on_step(self, state: TrainingState) -> None:
        """After the optimizer's step."""
        return

    def on_validation(self, state: TrainingState) -> None:
        """After the validation data were evaluated; the result is `state.evaluation`."""
        return

    def on_end(self, state: TrainingState) -> None:
        """At the very end, after an interruption too, but not after an exception."""
        return


class EarlyStopping(Callback):
    """Stop when the validation hasn't improved for a while, and keep the best weights.

    Args:
        patience: end the training after this many evaluations in a row without a new best one.
        metric: "loss" or "accuracy", of the validation data.
        restore_best: at the end, put back the parameters and buffers of the best evaluation.

    Attributes:
        best: the best value; None before the first.
        best_step: the step after which it was reached.

    Example:
        >>> EarlyStopping(patience=3, metric="accuracy")
        EarlyStopping(patience=3, metric='accuracy', restore_best=True)

    """

    def __init__(
        self, patience: int, metric: Literal["loss", "accuracy"] = "loss", restore_best: bool = True
    ) -> None:
        if metric not in ("loss", "accuracy"):
            raise ValueError(f"EarlyStopping expects metric 'loss' or 'accuracy', got {metric!r}")
        self.patience = whole("EarlyStopping", "patience", patience)
        self.metric = metric
        self.restore_best = restore_best
        self.best: float | None = None
        self.best_step = 0
        self._since = 0
        self._best_state: dict[str, Array] = {}

    def on_start(self, state: TrainingState) -> None:
        """Begin anew."""
        if not state.validates:
            raise ValueError("EarlyStopping watches the validation data, got none: use fit(validation=...)")
        self.best, self.best_step, self._since, self._best_state = None, 0, 0, {}

    def on_validation(self, state: TrainingState) -> None:
        """Compare with the best one so far; nan is never better."""
        assert state.evaluation is not None
        value = state.evaluation.loss if self.metric == "loss" else state.evaluation.accuracy
        sign = 1 if self.metric == "loss" else -1
        if not math.isnan(value) and (self.best is None or sign * value < sign * self.best):
            self.best, self.best_step, self._since = value, state.step, 0
            if self.restore_best:
                self._best_state = state.model.state_dict()
            return
        self._since += 1
        if self._since >= self.patience and state.stop_reason is None:
            state.stop("early stopping")

    def on_end(self, state: TrainingState) -> None:
        """Put back the best weights."""
        if self._best_state and state.step != self.best_step:
            state.model.load_state_dict(self._best_state)
        self._best_state = {}

    def __repr__(self) -> str:
        options = f"patience={self.patience}, metric={self.metric!r}, restore_best={self.restore_best}"
        return f"EarlyStopping({options})"
