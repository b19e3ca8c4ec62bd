"""The state of a training as it is printed, and its bar before the first step."""

from __future__ import annotations

from minidl.layers import Dense
from minidl.optim import SGD
from minidl.training import Callback, fit


def test_a_state_says_where_the_training_is(data):
    texts = []

    class Say(Callback):
        def on_step(self, state):
            texts.append(repr(state))

    model = Dense(4, 3)
    optimizer = SGD(model.parameters(), lr=0.1)
    history = fit(model, data, optimizer=optimizer, batch_size=32, epochs=2, seed=0, callbacks=[Say()])
    losses = history.train.loss
    assert texts[0] == f"TrainingState(step 1 of 4, epoch 1, loss {losses[0]:.4g})"
    assert texts[2] == f"TrainingState(step 3 of 4, epoch 2, loss {losses[2]:.4g})"


def test_a_bar_without_a_single_step_shows_no_loss(data, capsys):
    class Never(Callback):
        def on_start(self, state):
            state.stop("not today")

    model = Dense(4, 3)
    optimizer = SGD(model.parameters(), lr=0.1)
    fit(model, data, optimizer=optimizer, batch_size=32, steps=5, progress=True, callbacks=[Never()])
    text = capsys.readouterr().err
    assert "0/5" in text and "loss" not in text
    assert text.endswith("training stopped after 0 of 5 steps: not today\n")
