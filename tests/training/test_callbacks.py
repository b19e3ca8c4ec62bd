"""Callbacks: their order, what they see, how they stop a training; early stopping."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minidl.optim import SGD, clip_grad_norm
from minidl.training import Callback, EarlyStopping, Evaluation, History, TrainingState, evaluate, fit

HOOKS = ("on_start", "on_gradients", "on_step", "on_validation", "on_end")


class Log(Callback):
    def __init__(self, log, name):
        self.log, self.name = log, name

    def on_start(self, state):
        self.log.append((self.name, "start", state.step))

    def on_gradients(self, state):
        self.log.append((self.name, "gradients", state.step))

    def on_step(self, state):
        self.log.append((self.name, "step", state.step))

    def on_validation(self, state):
        self.log.append((self.name, "validation", state.step))

    def on_end(self, state):
        self.log.append((self.name, "end", state.step))


def run(model, data, *callbacks, **options):
    optimizer = SGD(model.parameters(), lr=0.5)
    return fit(model, data, optimizer=optimizer, batch_size=10, seed=0, callbacks=callbacks, **options)


def test_order(build, data):
    log = []
    run(build(), data, Log(log, "a"), Log(log, "b"), steps=3, validation=data, validate_every=[0, 2])
    events = [
        ("start", 0), ("validation", 0), ("gradients", 1), ("step", 1), ("gradients", 2), ("step", 2),
        ("validation", 2), ("gradients", 3), ("step", 3), ("validation", 3), ("end", 3),
    ]
    assert log == [(name, *event) for event in events for name in "ab"]


def test_what_they_see(build, data):
    model = build()
    seen = []

    class Look(Callback):
        def on_start(self, state):
            assert (state.model, state.steps, state.steps_per_epoch, state.epoch) == (model, 14, 7, 0)
            assert state.history.stopped == "running" and state.tape is None and math.isnan(state.loss)

        def on_gradients(self, state):
            assert all(p.grad is not None for p in state.optimizer.parameters)
            assert state.tape.find(op="sigmoid")[0].layer == "2"
            assert state.loss == float(state.tape.records[-1].output) == state.history.train.loss[-1]
            self.before = model[0].weight.data.copy()

        def on_step(self, state):
            assert all(p.grad is None for p in state.optimizer.parameters)
            assert not np.array_equal(model[0].weight.data, self.before)
            assert state.accuracy == state.history.train.accuracy[-1]
            seen.append((state.step, state.epoch))

        def on_validation(self, state):
            assert state.tape is None and isinstance(state.evaluation, Evaluation)
            assert state.evaluation == evaluate(model, data)

        def on_end(self, state):
            assert state.history.stopped == "finished" and state.tape is None

    run(model, data, Look(), epochs=2, validation=data)
    assert seen == [(i, 1 if i <= 7 else 2) for i in range(1, 15)]


def test_gradients_can_be_clipped(build, data):
    class Clip(Callback):
        def on_gradients(self, state):
            clip_grad_norm(state.optimizer.parameters, 1e-12)

    model = build()
    before = model.state_dict()
    run(model, data, Clip(), steps=3)
    assert all(np.allclose(before[name], p.data, atol=1e-9) for name, p in model.named_parameters())


@pytest.mark.parametrize(("hook", "trained", "done"), [
    ("on_start", 0, 0), ("on_gradients", 3, 2), ("on_step", 3, 3), ("on_validation", 4, 4),
])
def test_stop(build, data, hook, trained, done):
    def stop(self, state):
        if state.step >= 3 or hook == "on_start":
            state.stop("enough")

    callback = type("Stop", (Callback,), {hook: stop})()
    model, expected = build(), build()
    history = run(model, data, callback, steps=9, validation=data, validate_every=2)
    assert history.stopped == "enough" and len(history.train) == trained
    assert history.validation.step[-1] == done        # validated at the end, and once only
    assert all(p.grad is None for p in model.parameters())
    if done:
        run(expected, data, steps=done)
        for p, q in zip(model.parameters(), expected.parameters(), strict=True):
            assert np.array_equal(p.data, q.data)


def test_what_has_the_methods_is_a_callback(build, data):
    calls = []
    hooks = {hook: lambda self, state, hook=hook: calls.append(hook) for hook in HOOKS}
    run(build(), data, type("Live", (), hooks)(), steps=1)
    assert calls == ["on_start", "on_gradients", "on_step", "on_end"]


def feed(stopper, values, build, restore=True):
    """Let an EarlyStopping see made-up evaluations of a model whose bias is the step's number."""
    model = build()
    optimizer = SGD(model.parameters(), lr=1.0)
    state = TrainingState(model, optimizer, History(), len(values), len(values), validates=True)
    stopper.on_start(state)
    for step, value in enumerate(values, start=1):
        state.step = step
        model[3].bias.data = np.full(3, step, np.float32)
        state.evaluation = Evaluation(value, 1 - value)
        stopper.on_validation(state)
        if state.stop_reason is not None:
            break
    stopper.on_end(state)
    return state, float(model[3].bias.data[0])


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_early_stopping(build, metric):
    stopper = EarlyStopping(patience=2, metric=metric)
    state, weight = feed(stopper, [0.9, 0.5, 0.6, 0.4, 0.4, math.nan, 0.1], build)
    assert state.step == 6 and state.stop_reason == "early stopping"
    assert (stopper.best, stopper.best_step) == (0.4 if metric == "loss" else 0.6, 4)
    assert weight == 4


def test_early_stopping_without_restoring(build):
    assert feed(EarlyStopping(patience=1, restore_best=False), [0.5, 0.6, 0.1], build)[1] == 2


def test_early_stopping_restores_the_best_of_a_run_that_wasnt_stopped(build):
    state, weight = feed(EarlyStopping(patience=9), [0.5, 0.1, 0.6], build)
    assert state.stop_reason is None and weight == 2
    assert feed(EarlyStopping(patience=9), [0.5, 0.2, 0.1], build)[1] == 3
    assert feed(EarlyStopping(patience=9), [math.nan, math.nan], build)[1] == 2


def test_early_stopping_in_fit(build, data):
    model = build()
    stopper = EarlyStopping(patience=3)
    validation = data[0], (data[1] + 1) % 3         # what is learnt makes this worse
    history = run(model, data, stopper, epochs=50, validation=validation)
    assert history.stopped == "early stopping" and len(history.train) < 350
    assert history.validation.step[-1] == stopper.best_step + 21 == history.train.step[-1]
    assert evaluate(model, validation).loss == stopper.best == min(history.validation.loss)
    again = run(build(), data, stopper, epochs=50, validation=validation)
    assert again.validation == history.validation       # it begins anew


def test_early_stopping_errors(build, data):
    with pytest.raises(ValueError, match=r"use fit\(validation="):
        run(build(), data, EarlyStopping(patience=3), steps=1)
    with pytest.raises(ValueError, match="metric 'loss' or 'accuracy', got 'f1'"):
        EarlyStopping(3, metric="f1")
    with pytest.raises(ValueError, match="patience to be a whole number"):
        EarlyStopping(0)


def test_early_stopping_shows_its_options():
    stopping = EarlyStopping(3, "accuracy", restore_best=False)
    assert repr(stopping) == "EarlyStopping(patience=3, metric='accuracy', restore_best=False)"
