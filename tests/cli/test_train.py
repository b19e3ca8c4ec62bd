"""`minidl train` on a small data set: every file, the table, and weights that can be loaded again."""

import json

import numpy as np
import pytest

from minidl import experiments
from minidl.cli import main
from minidl.training import History, evaluate, load_checkpoint
from tests.experiments.conftest import bars


@pytest.fixture
def small(monkeypatch):
    sets = bars(1000, 0), bars(200, 1), bars(200, 2)
    monkeypatch.setattr("minidl.cli.train.find_data", lambda name: ("bars", sets[0]))
    monkeypatch.setattr("minidl.experiments.split", lambda name: sets)
    monkeypatch.setattr("minidl.experiments.trained.split", lambda name: sets)
    return sets


def test_writes_everything_that_it_says(small, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["train", "--steps", "60", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    assert str(out / "mistakes.png") in text
    plain = json.loads((out / "results.json").read_text(encoding="utf-8"))
    confusion = np.array(plain["confusion"])
    assert confusion.sum() == 200
    assert np.trace(confusion) / 200 == plain["test"]["accuracy"] > 0.95
    assert f"test accuracy {100 * plain['test']['accuracy']:.2f} %" in text
    assert "bars (synthetic)" in plain["title"]
    history = History.from_json(out / "history.json")
    assert history.train.step[-1] == history.validation.step[-1] == 60

    model = experiments.build(experiments.RunConfig(**plain["config"]))
    load_checkpoint(out / "weights.npz", model)
    assert evaluate(model, small[2]).accuracy == plain["test"]["accuracy"]


def test_a_diverging_network_is_reported_not_hidden(small, tmp_path, capsys):
    arguments = ["--no-batch-norm", "--activation", "relu", "--lr", "1e30", "--steps", "30"]
    out = tmp_path / "out"
    assert main(["train", *arguments, "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "non-finite loss" in text
    assert "no confusion matrix" in text
    assert not (out / "confusion.png").exists()
    assert json.loads((out / "results.json").read_text(encoding="utf-8"))["confusion"] is None


@pytest.mark.parametrize(("model", "asked"), [("mlp", [1]), ("cnn", [])])
def test_one_blas_thread_for_the_mlp_alone(small, tmp_path, monkeypatch, model, asked):
    """A CNN's products are large enough for all threads."""
    seen = []
    monkeypatch.setattr("minidl.set_threads", seen.append)
    monkeypatch.setattr(experiments, "train_network", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["train", "--model", model, "--out", str(tmp_path / "out")])
    assert seen == asked


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [([], 5 * 16), (["--epochs", "2"], 2 * 16), (["--batch-size", "2000"], 5), (["--model", "cnn"], 16)],
)
def test_epochs_become_steps(small, tmp_path, monkeypatch, capsys, arguments, steps):
    monkeypatch.setattr("minidl.set_threads", lambda threads: None)
    monkeypatch.setattr(experiments, "train_network", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["train", *arguments, "--out", str(tmp_path / "out")])
    assert f"on bars (synthetic): {steps} steps" in capsys.readouterr().out
