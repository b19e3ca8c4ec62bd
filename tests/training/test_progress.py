"""The progress bar: quiet where nobody watches, plain ASCII where somebody does."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

from minidl.layers import Dense
from minidl.losses import mse
from minidl.optim import SGD
from minidl.training import Callback, fit


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def train(data, **options):
    model = Dense(4, 3)
    return fit(model, data, optimizer=SGD(model.parameters(), lr=0.1), batch_size=10, seed=0, **options)


def test_quiet_when_not_a_terminal(data, capsys):
    train(data, epochs=2, validation=data)
    assert capsys.readouterr() == ("", "")


def test_no_tqdm_is_loaded_when_quiet():
    code = (
        "import sys, numpy as np\n"
        "from minidl.training import fit\n"
        "from minidl.layers import Dense\n"
        "from minidl.optim import SGD\n"
        "m = Dense(2, 2)\n"
        "fit(m, (np.zeros((4, 2)), np.zeros(4, int)), optimizer=SGD(m.parameters(), lr=1), batch_size=2)\n"
        "assert 'tqdm' not in sys.modules and 'matplotlib' not in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("progress", [None, True, False])
def test_terminal(data, monkeypatch, capsys, progress):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    history = train(data, epochs=2, validation=data, progress=progress)
    text = terminal.getvalue()
    assert capsys.readouterr().out == ""
    if progress is False:
        assert text == ""
        return
    last = text.rstrip().split("\r")[-1]
    assert text.isascii() and "\n" not in text.rstrip()      # one line that is drawn over
    assert "14/14" in last and "step/s" in last and last.startswith("epoch 2 |###")
    assert f"validation={history.validation.accuracy[-1]:.3g}" in last


def test_forced_when_not_a_terminal(data, capsys):
    train(data, steps=2, progress=True)
    assert "2/2" in capsys.readouterr().err


def test_no_stderr_at_all(data, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)     # as under pythonw on Windows
    assert len(train(data, steps=2).train) == 2


def test_says_why_it_stopped(data, capsys):
    class Stop(Callback):
        def on_step(self, state):
            if state.step == 3:
                state.stop("enough")

    train(data, steps=9, callbacks=[Stop()], progress=True)
    assert capsys.readouterr().err.endswith("training stopped after 3 of 9 steps: enough\n")


def test_shows_means_since_the_last_drawing(data, capsys, monkeypatch):
    monkeypatch.setattr("minidl.training.progress._EVERY", 1e9)       # drawn at the first step and at the end
    history = train(data, steps=7, progress=True)
    last = capsys.readouterr().err.rstrip().split("\r")[-1]
    loss, accuracy = np.mean(history.train.loss[1:]), np.mean(history.train.accuracy[1:])
    assert f"loss={loss:.3g}, accuracy={accuracy:.3g}" in last


def test_regression_shows_no_accuracy(data, capsys):
    pair = data[0], np.zeros((64, 3))
    train(pair, loss=mse, steps=2, progress=True, validation=pair)
    text = capsys.readouterr().err
    assert "validation=" in text and "nan" not in text and "accuracy" not in text


def test_bar_is_closed_after_an_error(data, capsys):
    class Break(Callback):
        def on_step(self, state):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(data, steps=5, callbacks=[Break()], progress=True)
    assert capsys.readouterr().err.endswith("\n")


def test_it_fits_80_columns(data, capsys):
    inputs, targets = np.tile(data[0], (150, 1)), np.tile(data[1], 150)
    train((inputs, targets), epochs=11, validation=data, progress=True)
    lines = capsys.readouterr().err.rstrip().split("\r")
    last = lines[-1]
    assert last.startswith("epoch 11 |") and "| 10560/10560 [00:00, " in last and last.endswith("]")
    assert max(len(line) for line in lines) < 80


def test_regression_without_validation_shows_the_loss_alone(data, capsys):
    train((data[0], np.zeros((64, 3))), loss=mse, steps=2, progress=True)
    last = capsys.readouterr().err.rstrip().split("\r")[-1]
    assert "loss=" in last and "accuracy" not in last and "validation" not in last
