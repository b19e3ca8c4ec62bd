"""What fit refuses or protects the user from."""

from __future__ import annotations

import numpy as np
import pytest

from minidl.layers import Dense, Flatten, Layer, Sequential
from minidl.optim import SGD
from minidl.training import evaluate, fit, predict, recalibrate


def test_one_bad_example_damages_nothing(build, data, same):
    inputs, targets = data[0].copy(), data[1]
    inputs[30, 1] = np.nan
    model, before = build(), build()
    optimizer = SGD(model.parameters(), lr=0.1)
    history = fit(model, (inputs, targets), optimizer=optimizer, batch_size=64, steps=3, seed=0)
    assert history.stopped == "non-finite loss"
    assert same(model, before)


class Listed(Layer):
    """A layer whose hidden layers lie in a plain list, where nobody finds them."""

    def __init__(self):
        super().__init__()
        self.hidden = [Dense(4, 5), Dense(5, 5)]
        self.last = Dense(5, 3)

    def forward(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.last(x)


def test_layers_in_a_plain_list_are_noticed_before_anything_changes(data):
    model = Listed()
    before = model.last.weight.data.copy()
    message = r"^fit: dense \(layer Dense\) uses a Parameter \(4, 5\) that neither .* not in a list"
    with pytest.raises(ValueError, match=message):
        fit(model, data, optimizer=SGD(model.parameters(), lr=0.1))
    assert (model.last.weight.data == before).all()


def test_what_the_optimizer_knows_or_what_is_frozen_may_lie_anywhere(data):
    model = Listed()
    hidden = [parameter for layer in model.hidden for parameter in layer.parameters()]
    for parameter in hidden:
        parameter.requires_grad = False
    assert fit(model, data, optimizer=SGD(model.parameters(), lr=0.1), steps=2).stopped == "finished"
    for parameter in hidden:
        parameter.requires_grad = True
    optimizer = SGD([*model.parameters(), *hidden], lr=0.1)
    before = hidden[0].data.copy()
    assert fit(model, data, optimizer=optimizer, steps=2).stopped == "finished"
    assert (hidden[0].data != before).any()


def test_a_model_without_parameters_has_nothing_to_optimize():
    model = Listed()
    del model.last
    with pytest.raises(ValueError, match="SGD expects at least one parameter, got none: keep layers in attr"):
        SGD(model.parameters(), lr=0.1)


@pytest.mark.parametrize(("loss", "error", "message"), [
    (lambda y, t: 0.5, TypeError, "expects loss to return a scalar tensor, got float 0.5: use minidl.ops"),
    (lambda y, t: y.data.mean(), TypeError, "expects loss to return a scalar tensor, got shape"),
    (lambda y, t: None, TypeError, "expects loss to return a scalar tensor, got NoneType None"),
    (lambda y, t: y * y, ValueError, r"expects loss to return a scalar, got shape \(64, 3\): use its"),
])
def test_a_loss_returns_a_scalar_tensor(loss, error, message, build, data):
    model = build()
    with pytest.raises(error, match=f"^fit {message}"):
        fit(model, data, optimizer=SGD(model.parameters(), lr=0.1), loss=loss, batch_size=64)
    with pytest.raises(error, match=f"^evaluate {message}"):
        evaluate(model, data, loss=loss)


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64])
def test_pixels_left_in_0_to_255_are_refused(dtype):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1)).astype(dtype)
    labels = np.arange(20) % 2
    model = Sequential(Flatten(), Dense(64, 2))
    message = rf"expects images in \[0, 1\], got shape .* of {np.dtype(dtype)} with whole .*: divide by 255"
    with pytest.raises(ValueError, match=f"^fit {message}"):
        fit(model, (images, labels), optimizer=SGD(model.parameters(), lr=0.1))
    with pytest.raises(ValueError, match=f"^evaluate {message}"):
        evaluate(model, (images, labels))
    with pytest.raises(ValueError, match=f"^predict {message}"):
        predict(model, images)


@pytest.mark.parametrize("change", [
    lambda a: a / 255, lambda a: a - 128, lambda a: a * 2, lambda a: a + 0.5, lambda a: a % 100,
    lambda a: a.reshape(-1, 8),
])
def test_what_looks_like_no_pixels_is_taken(change):
    inputs = change(np.random.default_rng(0).integers(0, 256, (20, 64)).astype(np.float64))
    assert predict(Dense(inputs.shape[1], 2), inputs).shape == (len(inputs), 2)


def test_a_loss_is_a_function(build, data):
    model = build()
    for where, call in (
        ("fit", lambda: fit(model, data, optimizer=SGD(model.parameters(), lr=0.1), loss="mse")),
        ("evaluate", lambda: evaluate(model, data, loss="mse")),
    ):
        with pytest.raises(TypeError, match=rf"^{where} expects loss as a function .* got 'mse'"):
            call()


def test_the_model_comes_first(build, data):
    model = build()
    optimizer = SGD(model.parameters(), lr=0.1)
    for where, call in (
        ("fit", lambda: fit(data, model, optimizer=optimizer)),
        ("evaluate", lambda: evaluate(data, model)),
        ("predict", lambda: predict(data[0], model)),
        ("recalibrate", lambda: recalibrate(data, model)),
    ):
        with pytest.raises(TypeError, match=f"^{where} expects a model first, got "):
            call()
