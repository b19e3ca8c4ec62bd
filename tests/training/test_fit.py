"""fit: the same steps as a loop by hand, in the modes that it finds, stopped where it must stop."""

from __future__ import annotations

import math
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minidl as dl
from minidl.datasets import batches
from minidl.layers import BatchNorm, Conv2D, Dense, Flatten, Layer, Sequential, Sigmoid
from minidl.losses import cross_entropy, mse
from minidl.optim import SGD, Adam
from minidl.training import Callback, evaluate, fit


def train(model, data, **options):
    return fit(model, data, optimizer=SGD(model.parameters(), lr=0.5), batch_size=10, seed=0, **options)


def test_is_the_loop_by_hand_bit_for_bit(build, data, same):
    by_hand, fitted = build(dropout=0.3), build(dropout=0.3)
    optimizer = Adam(by_hand.parameters(), lr=0.01)
    losses, accuracies = [], []
    for images, labels in batches(data, 10, epochs=3, seed=5):
        with dl.Tape() as tape:
            logits = by_hand(images)
            loss = cross_entropy(logits, labels)
        losses.append(float(loss))
        accuracies.append(float(np.mean(logits.data.argmax(1) == labels)))
        tape.backward(loss)
        optimizer.step()
    history = fit(
        fitted, data, optimizer=Adam(fitted.parameters(), lr=0.01), batch_size=10, epochs=3, seed=5
    )
    assert same(by_hand, fitted)
    assert history.train.loss == losses and history.train.accuracy == accuracies
    assert history.train.step == list(range(1, 22)) and history.stopped == "finished"
    assert len(history.validation) == 0
    assert {type(v) for v in history.train.loss + history.train.accuracy} == {float}


@pytest.mark.parametrize("statistics", ["moving", "population"])
def test_validation_changes_no_bit(build, data, same, statistics):
    without, with_ = build(dropout=0.3), build(dropout=0.3)
    a = train(without, data, epochs=2)
    b = train(with_, data, epochs=2, validation=data, validate_every=1, statistics=statistics)
    assert same(without, with_)
    assert a.train == b.train and len(b.validation) == 14


def test_learns(build, data):
    model = build()
    history = train(
        model, data, epochs=30, validation=data, statistics="population", validate_every=[0]
    )
    assert history.validation.accuracy[-1] > 0.9 > history.validation.accuracy[0]
    last = evaluate(model, data, statistics="population", training_data=data)
    assert (history.validation.loss[-1], history.validation.accuracy[-1]) == (last.loss, last.accuracy)


@pytest.mark.parametrize(("options", "steps"), [
    ({"epochs": 3}, [7, 14, 21]),
    ({}, [7]),
    ({"steps": 3}, [1, 2, 3]),
    ({"steps": 40}, list(range(2, 41, 2))),
    ({"steps": 50, "validate_every": 20}, [20, 40, 50]),
    ({"steps": 20, "validate_every": [0, 1, 10]}, [0, 1, 10, 20]),
    ({"steps": 20, "validate_every": np.geomspace(1, 20, 4).astype(int)}, [1, 2, 7, 20]),
    ({"steps": 4, "validate_every": ()}, [4]),
    ({"epochs": 1, "validate_every": 100}, [7]),
])
def test_when_it_validates(build, data, options, steps):
    assert train(build(), data, validation=data, **options).validation.step == steps


def test_validation_at_step_0_is_of_the_untrained_model(build, data):
    model = build()
    before = evaluate(model, data)
    history = train(model, data, steps=2, validation=data, validate_every=[0])
    assert (history.validation.loss[0], history.validation.accuracy[0]) == (before.loss, before.accuracy)


def test_keeps_the_modes_that_it_finds(build, data):
    model = build()
    model[1].eval()
    model[1].running_mean = np.full(8, 0.5, np.float32)
    before = dict(model[1].named_buffers())
    train(model, data, epochs=2, validation=data, statistics="population")
    assert not model[1].training and model.training and model[0].training
    assert all(np.array_equal(before[k], v) for k, v in model[1].named_buffers())
    assert model[1].gamma.version > 0


def test_a_model_wholly_in_evaluation_mode_is_put_into_training(build, data):
    model = build().eval()
    train(model, data, steps=3)
    assert all(layer.training for _, layer in model.named_layers())
    assert int(model[1].batches_seen) == 3


def test_seed_orders_the_data_and_nothing_else(build, data, same):
    one, other, again = build(), build(), build()
    histories = [
        fit(m, data, optimizer=SGD(m.parameters(), lr=0.5), batch_size=10, steps=7, seed=seed)
        for m, seed in ((one, 0), (other, 1), (again, 0))
    ]
    assert same(one, again) and histories[0].train == histories[2].train
    assert not same(one, other)


class Sizes(Layer):
    """Notes the sizes of the batches."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(len(x))
        return x


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize(("n", "size", "options", "seen"), [
    (25, 10, {}, [10, 10, 5] * 2),
    (21, 10, {}, [10, 10] * 2),                     # a lone example is left out, with and without BatchNorm
    (25, 10, {"drop_last": True}, [10, 10] * 2),
    (7, 10, {}, [7] * 2),
])
def test_short_batches(data, norm, n, size, options, seen):
    sizes = Sizes()
    model = Sequential(sizes, *[BatchNorm(4)] * norm, Dense(4, 3), seed=0)
    few = data[0][:n], data[1][:n]
    fit(model, few, optimizer=SGD(model.parameters(), lr=0.1), batch_size=size, epochs=2, seed=0, **options)
    assert sizes.seen == seen


def test_batches_of_one_are_trained_on(data):
    model = Dense(4, 3)
    few = data[0][:3], data[1][:3]
    assert len(fit(model, few, optimizer=SGD(model.parameters(), lr=0.1), batch_size=1).train) == 3
    alone = data[0][:1], data[1][:1]
    assert len(fit(model, alone, optimizer=SGD(model.parameters(), lr=0.1)).train) == 1


def test_non_finite_loss_stops_at_once(build, data):
    model = build()
    state = {}

    class Poison(Callback):
        def on_step(self, training):
            if training.step == 5:
                weight = model[4 - 1].weight
                weight.data = np.full_like(weight.data, np.inf)
                state.update(model.state_dict())

        def on_gradients(self, training):
            assert training.step <= 5

    history = train(model, data, epochs=3, validation=data, validate_every=4, callbacks=[Poison()])
    assert history.stopped == "non-finite loss"
    assert history.train.step == [1, 2, 3, 4, 5, 6]
    assert math.isfinite(history.train.loss[4]) and not math.isfinite(history.train.loss[5])
    assert history.validation.step == [4, 5] and not math.isfinite(history.validation.loss[1])
    for name, p in model.named_parameters():       # the step with the broken loss was not done
        assert np.array_equal(p.data, state[name])
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("activation", [Sigmoid, dl.layers.ReLU, dl.layers.GELU])
def test_divergence_ends_without_warnings(data, activation):
    model = Sequential(Dense(4, 8), activation(), Dense(8, 3), seed=0)
    optimizer = SGD(model.parameters(), lr=1e38)
    history = fit(model, data, optimizer=optimizer, steps=50, batch_size=10, seed=0, validation=data)
    assert history.stopped == "non-finite loss" and len(history.train) < 50


def test_convolutional_divergence_ends_without_warnings():
    images = np.random.default_rng(0).random((16, 6, 6, 1)).astype(np.float32)
    model = Sequential(Conv2D(1, 2, 3), dl.layers.ReLU(), BatchNorm(2), Flatten(), Dense(32, 3), seed=0)
    labels = np.arange(16) % 3
    history = fit(
        model, (images, labels), optimizer=SGD(model.parameters(), lr=1e38), steps=50, batch_size=8, seed=0,
        validation=(images, labels), statistics="population",
    )
    assert history.stopped == "non-finite loss"


@pytest.mark.parametrize("moment", ["on_gradients", "on_step", "on_validation", "on_start"])
def test_interruption_returns_the_history(build, data, moment):
    model = build()

    def interrupt(self, state):
        if state.step >= 3 or moment == "on_start":
            raise KeyboardInterrupt

    ended = []
    hooks = {moment: interrupt, "on_end": lambda self, state: ended.append(state.step)}
    callback = type("Interrupt", (Callback,), hooks)()
    history = train(model, data, epochs=2, validation=data, validate_every=1, callbacks=[callback])
    assert history.stopped == "interrupted" and len(ended) == 1
    assert history.train.step == ([] if moment == "on_start" else [1, 2, 3])
    assert all(p.grad is None for p in model.parameters())
    assert train(model, data, steps=2).stopped == "finished"


@pytest.fixture(autouse=True)
def ctrl_c_interrupts():
    """As in a terminal: a shell that starts the tests in the background lets them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_ends_between_two_steps(build, data):
    class Press(Callback):
        def on_gradients(self, state):
            if state.step == 3:
                press_ctrl_c()

    class Steps(Callback):
        steps = 0

        def on_step(self, state):
            self.steps += 1

    model, steps, expected = build(), Steps(), build()
    history = train(model, data, validation=data, callbacks=[Press(), steps])
    # Interrupted between backward and step, it leaves that step out; nothing is validated any more.
    assert (history.stopped, steps.steps, history.train.step) == ("interrupted", 2, [1, 2, 3])
    assert not len(history.validation)
    train(expected, data, steps=2)
    for p, q in zip(model.parameters(), expected.parameters(), strict=True):
        assert np.array_equal(p.data, q.data) and p.grad is None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_lets_a_validation_finish(data):
    class Press(Layer):
        def forward(self, x):
            if not self.training:
                press_ctrl_c()
            return x

    model = Sequential(BatchNorm(4), Press(), Dense(4, 3), seed=0)
    history = train(model, data, steps=9, validation=data, validate_every=2)
    assert history.stopped == "interrupted" and history.validation.step == [2] and len(history.train) == 2
    assert all(layer.training for _, layer in model.named_layers())


def test_second_ctrl_c_strikes_at_once(build, data):
    class Press(Callback):
        def on_step(self, state):
            press_ctrl_c()
            press_ctrl_c()

    with pytest.raises(KeyboardInterrupt):
        train(build(), data, callbacks=[Press()])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_user_is_left_alone(build, data):
    presses = []

    class Press(Callback):
        def on_step(self, state):
            press_ctrl_c()

    before = signal.signal(signal.SIGINT, lambda *_: presses.append(1))
    try:
        history = train(build(), data, steps=3, callbacks=[Press()])
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.stopped == "finished" and len(presses) == 3


def test_trains_in_another_thread(build, data):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(train, build(), data, steps=3).result().stopped == "finished"


def test_interruption_in_the_middle_of_a_point(build, data):
    class Interrupt(Callback):
        def on_step(self, state):
            state.history.train.step.append(2)      # as if it had struck inside Series.append
            raise KeyboardInterrupt

    train_points = train(build(), data, callbacks=[Interrupt()]).train
    assert train_points.step == [1] and len(train_points.loss) == len(train_points.accuracy) == 1


def test_interruption_in_an_evaluation_puts_everything_back(build, data):
    class Interrupt(Layer):
        def forward(self, x):
            if not self.training:
                raise KeyboardInterrupt
            return x

    model = Sequential(BatchNorm(4), Interrupt(), Dense(4, 3), seed=0)
    history = train(model, data, steps=5, validation=data, validate_every=2, statistics="population")
    assert history.stopped == "interrupted" and history.train.step == [1, 2] and not len(history.validation)
    assert all(layer.training for _, layer in model.named_layers()) and int(model[0].batches_seen) == 2


def test_other_errors_come_through(build, data):
    class Break(Callback):
        def on_step(self, state):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(build(), data, callbacks=[Break()])


def test_left_over_gradients_are_forgotten(build, data, same):
    clean, dirty = build(), build()
    for p in dirty.parameters():
        p.grad = np.ones(p.shape, np.float32)
    train(clean, data, steps=2)
    train(dirty, data, steps=2)
    assert same(clean, dirty)


def test_parameters_outside_the_optimizer_keep_no_pile_of_gradients(build, data):
    model = build()
    norms = []

    class Look(Callback):
        def on_gradients(self, state):
            norms.append(np.abs(model[0].weight.grad).max())

    optimizer = SGD(model[1:].parameters(), lr=1e-9)
    before = model[0].weight.data.copy()
    fit(model, data, optimizer=optimizer, batch_size=64, steps=5, seed=0, callbacks=[Look()])
    assert np.array_equal(model[0].weight.data, before)
    np.testing.assert_allclose(norms, norms[0], rtol=1e-3)      # the same full batch each time


def test_regression_has_no_accuracy(data):
    model = Dense(4, 1)
    target = data[0].sum(1, keepdims=True)
    optimizer = SGD(model.parameters(), lr=0.01)
    history = fit(model, (data[0], target), optimizer=optimizer, loss=mse, epochs=30, seed=0)
    assert history.train.loss[-1] < history.train.loss[0]
    assert all(math.isnan(a) for a in history.train.accuracy)


def test_wrong_arguments(build, data):
    model = build()
    for options, message in [
        ({"epochs": 1, "steps": 1}, "epochs or steps, got both"),
        ({"epochs": 0}, "epochs to be a whole number of 1 or more, got 0"),
        ({"steps": 2.0}, r"steps to be a whole number of 1 or more, got 2\.0"),
        ({"steps": 5, "validate_every": 1}, "without data to validate on: add validation="),
        ({"steps": 5, "validation": data, "validate_every": 0}, "whole number of 1 or more"),
        ({"steps": 5, "validation": data, "validate_every": [9]}, r"step 9, but does 5 steps"),
        ({"steps": 5, "validation": data, "validate_every": [-1]}, "whole number of 0 or more"),
        ({"statistics": "exact"}, "fit expects statistics 'moving' or 'population'"),
        ({"validation": (data[0], data[1][:3])}, r"fit\(validation=...\) has 64 inputs but 3 targets"),
    ]:
        with pytest.raises(ValueError, match=message):
            train(model, data, **options)
    with pytest.raises(ValueError, match="trains none of this model's parameters"):
        fit(model, data, optimizer=SGD(build().parameters(), lr=1))
    with pytest.raises(TypeError, match="write its parentheses"):
        train(model, data, callbacks=[Callback])
    with pytest.raises(TypeError, match=r"subclass minidl\.training\.Callback"):
        train(model, data, callbacks=[print])
    with pytest.raises(TypeError, match="fit expects a Dataset or a pair"):
        fit(model, data[0], optimizer=SGD(model.parameters(), lr=1))
    with pytest.raises(ValueError, match="batch_size to be a whole number"):
        fit(model, data, optimizer=SGD(model.parameters(), lr=1), batch_size=0)


@pytest.mark.parametrize("optimizer", ["sgd", SGD, None])
def test_an_optimizer_that_is_none(build, data, optimizer):
    with pytest.raises(TypeError, match="expects an optimizer, got"):
        fit(build(), data, optimizer=optimizer, steps=1)


def test_a_single_callback_belongs_into_a_list(build, data):
    class Nothing(Callback):
        pass

    model = build()
    with pytest.raises(TypeError, match="a list of callbacks"):
        fit(model, data, optimizer=SGD(model.parameters(), lr=0.1), steps=1, callbacks=Nothing())
