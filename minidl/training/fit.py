"""fit: the training loop, with validation, callbacks and a progress bar around it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from minidl.checks import whole
from minidl.datasets import Data, as_pair, batches
from minidl.engine.array import Array
from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape
from minidl.layers import Layer
from minidl.losses import cross_entropy
from minidl.optim import Optimizer
from minidl.training.callbacks import Callback, TrainingState
from minidl.training.checks import (
    Loss,
    Statistics,
    check_model,
    check_pixels,
    check_statistics,
    mean_loss,
)
from minidl.training.evaluate import evaluate, hits
from minidl.training.history import FINISHED, INTERRUPTED, NON_FINITE, RUNNING, History
from minidl.training.interrupt import interruptible
from minidl.training.progress import progress_bar

VALIDATIONS = 20       # in a training of given steps, unless validate_every says otherwise


def fit(
    model: Layer,
    data: Data,
    *,
    optimizer: Optimizer,
    loss: Loss = cross_entropy,
    validation: Data | None = None,
    batch_size: int = 60,
    epochs: int | None = None,
    steps: int | None = None,
    validate_every: int | Iterable[int] | None = None,
    statistics: Statistics = "moving",
    seed: int | None = None,
    drop_last: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
) -> History:
    """Train a model: mini-batches, loss, gradients and steps, for some epochs or steps.

    Each layer keeps the mode that it has, so a frozen BatchNorm stays frozen; a model wholly in evaluation
    mode is put into training. The training ends at once when the loss is nan or infinite, before that step
    changes the weights. Ctrl-C, or a notebook's stop button, ends it after the step under way, and the
    history so far is returned; `history.stopped` tells. (A loop over several trainings has to look at it.) A
    second Ctrl-C raises KeyboardInterrupt at once.

    Args:
        model: any layer.
        data: a Dataset, or a pair (inputs, targets).
        optimizer: made from `model.parameters()`.
        loss: takes the outputs and the targets of a batch, returns their mean.
        validation: data to evaluate on the way and at the end; it changes nothing in the training.
        batch_size: examples a step. The last batch of an epoch may be shorter; a lone example that is left
            over is left out, with any model, as batch normalization needs more than one value per feature.
        epochs: how often to go through the data; 1 if neither this nor steps is given.
        steps: how many steps to do instead.
        validate_every: number of steps between two validations, or the steps after which to validate (0:
            before the first). None: after each epoch where epochs are given, 20 times where steps are.
        statistics: what BatchNorm normalises with in a validation, see `evaluate`.
        seed: orders the data, and nothing else; None for fresh entropy.
        drop_last: leave out the last batch of an epoch where it is short.
        callbacks: see `Callback`.
        progress: show a progress bar on stderr; None: if it is a terminal. (A notebook is none: use True
            there.)

    Returns:
        The history; loss and accuracy of every step and every validation.

    Raises:
        ValueError: arguments that contradict each other or are out of range; an optimizer of another model; a
            parameter that neither the model nor the optimizer knows; pixels from 0 to 255.

    Example:
        >>> from minidl.layers import Dense
        >>> from minidl.optim import SGD
        >>> inputs = np.random.default_rng(0).normal(size=(100, 2))
        >>> model = Dense(2, 2)
        >>> data = inputs, (inputs[:, 0] > inputs[:, 1]).astype(int)
        >>> optimizer = SGD(model.parameters(), lr=1.0)
        >>> history = fit(model, data, optimizer=optimizer, batch_size=10, epochs=5, seed=0)
        >>> len(history.train), history.stopped, evaluate(model, data).accuracy > 0.9
        (50, 'finished', True)

    """
    check_model("fit", model)
    inputs, targets = as_pair(data, "fit")
    check_pixels("fit", inputs)
    size = whole("fit", "batch_size", batch_size)
    drop_last = drop_last or (1 < size < len(inputs) and len(inputs) % size == 1)
    stream = batches((inputs, targets), size, epochs=None, seed=seed, drop_last=drop_last)
    per_epoch = len(inputs) // size if drop_last else math.ceil(len(inputs) / size)
    total = _total(epochs, steps, per_epoch)
    check_statistics("fit", statistics, data)
    if validation is not None:
        as_pair(validation, "fit(validation=...)")
    due = _due(validate_every, total, per_epoch if steps is None else max(1, total / VALIDATIONS))
    if validation is None and validate_every is not None:
        raise ValueError("fit got validate_every= without data to validate on: add validation=")
    _check_callbacks(callbacks)
    idle = _prepare(model, optimizer)
    history = History(stopped=RUNNING)
    state = TrainingState(model, optimizer, history, total, per_epoch, validates=validation is not None)

    def validate() -> None:
        points = history.validation
        up_to_date = points and points.step[-1] == state.step
        if validation is None or up_to_date or state.stop_reason == INTERRUPTED:
            return
        result = evaluate(model, validation, loss=loss, statistics=statistics, training_data=data)
        state.evaluation = result
        points.append(state.step, result.loss, result.accuracy)
        for callback in callbacks:
            callback.on_validation(state)

    # A network that diverges overflows before its loss does, and the loss ends the training.
    quiet = np.errstate(over="ignore", invalid="ignore")
    with quiet, progress_bar(state, progress) as bar, interruptible(state):
        try:
            for callback in callbacks:
                callback.on_start(state)
            if 0 in due:
                validate()
            for batch in islice(stream, total if state.stop_reason is None else 0):
                _step(state, loss, callbacks, idle, *batch)
                if state.step in due:
                    validate()
                if bar is not None:
                    bar.update(state)
                if state.stop_reason is not None:
                    break
            validate()
        except KeyboardInterrupt:
            if state.stop_reason == INTERRUPTED:
                raise
            state.stop(INTERRUPTED)
            state.tape = None
            history.train.even()
            history.validation.even()
            _forget_gradients(state)
        history.stopped = state.stop_reason or FINISHED
        for callback in callbacks:
            callback.on_end(state)
    return history


def _step(
    state: TrainingState,
    loss: Loss,
    callbacks: Sequence[Callback],
    idle: list[Parameter],
    inputs: Array,
    targets: Array,
) -> None:
    state.step += 1
    with Tape() as tape:
        outputs = state.model(inputs)
        objective = mean_loss("fit", loss, outputs, targets)
    if state.step == 1:
        _check_parameters(tape, state)
    state.loss = objective.item()
    state.accuracy = hits(outputs.data, targets) / len(targets)
    state.history.train.append(state.step, state.loss, state.accuracy)
    if not math.isfinite(state.loss):
        state.stop(NON_FINITE)
        state.step -= 1
        return
    for parameter in idle:
        parameter.grad = None
    tape.backward(objective)
    if callbacks:
        state.tape = tape
        for callback in callbacks:
            callback.on_gradients(state)
        if state.stop_reason is not None:
            _forget_gradients(state)
            state.tape = None
            state.step -= 1
            return
    state.optimizer.step()
    for callback in callbacks:
        callback.on_step(state)
    state.tape = None      # two tapes at a time would be twice the memory


def _prepare(model: Layer, optimizer: Optimizer) -> list[Parameter]:
    """Set modes and clear gradients; returns the parameters that the optimizer leaves out."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"fit expects an optimizer, got {optimizer!r}: use minidl.optim.SGD(model.parameters(), lr=0.5)"
        )
    trained = {id(parameter) for parameter in optimizer.parameters}
    parameters = model.parameters()
    if not any(id(parameter) in trained for parameter in parameters):
        raise ValueError(
            "fit got an optimizer that trains none of this model's parameters: "
            "make it from model.parameters(), after the model"
        )
    if not any(layer.training for _, layer in model.named_layers()):
        model.train()
    model.zero_grad()
    optimizer.zero_grad()
    return [parameter for parameter in parameters if id(parameter) not in trained]


def _check_parameters(tape: Tape, state: TrainingState) -> None:
    """Raise if something is used that would silently never train, such as a layer in a plain list."""
    known = {id(parameter) for parameter in [*state.model.parameters(), *state.optimizer.parameters]}
    for record in tape.records:
        for x in record.inputs:
            if isinstance(x, Parameter) and x.requires_grad and id(x) not in known:
                raise ValueError(
                    f"fit: {record.name()} uses a Parameter {x.shape} that neither the model nor the "
                    f"optimizer knows, so it would never train: keep layers in attributes or a Sequential, "
                    f"not in a list, or give the parameter to the optimizer"
                )


def _forget_gradients(state: TrainingState) -> None:
    state.model.zero_grad()
    state.optimizer.zero_grad()


def _total(epochs: int | None, steps: int | None, per_epoch: int) -> int:
    """The number of steps to do."""
    if epochs is not None and steps is not None:
        raise ValueError(f"fit expects epochs or steps, got both, {epochs!r} and {steps!r}: leave one out")
    if steps is not None:
        return whole("fit", "steps", steps)
    return per_epoch * whole("fit", "epochs", 1 if epochs is None else epochs)


def _due(validate_every: int | Iterable[int] | None, total: int, usual: float) -> frozenset[int]:
    """The steps after which to validate, besides the last one: so many apart, as given, or the usual."""
    if validate_every is None:
        return frozenset(round(i * usual) for i in range(1, int(total / usual) + 1))
    if isinstance(validate_every, Iterable):
        points = frozenset(whole("fit", "validate_every's steps", step, least=0) for step in validate_every)
        if points and max(points) > total:
            raise ValueError(f"fit got validate_every= with step {max(points)}, but does {total} steps")
        return points
    return frozenset(range(0, total + 1, whole("fit", "validate_every", validate_every))) - {0}


def _check_callbacks(callbacks: Sequence[Callback]) -> None:
    if isinstance(callbacks, Callback):
        raise TypeError(f"fit expects a list of callbacks, got {callbacks!r}: write callbacks=[...]")
    for callback in callbacks:
        is_class = isinstance(callback, type)
        if is_class or not isinstance(callback, Callback):
            fix = "write its parentheses" if is_class else "subclass minidl.training.Callback"
            raise TypeError(f"fit expects callbacks, got {callback!r}: {fix}")
