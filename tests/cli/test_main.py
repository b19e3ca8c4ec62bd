"""The command line as a user meets it: one sentence and exit code 2 for bad input, nothing left over."""

import os
import runpy
import subprocess
import sys

import pytest

from minidl import __version__
from minidl.cli import main
from minidl.cli.options import ACTIVATIONS, find_data
from minidl.experiments.config import ACTIVATIONS as LAYERS


def sentence(capsys) -> str:
    """What stands on stderr, which must be one line of ASCII without a traceback."""
    text = capsys.readouterr().err.strip()
    assert "\n" not in text
    assert "Traceback" not in text
    assert text.isascii()
    return text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["compare", "--lr", "0"], "expected a learning rate above 0, got '0'"),
        (["compare", "--lr", "-1"], "expected a learning rate above 0, got '-1'"),
        (["compare", "--lr", "fast"], "expected a learning rate above 0, got 'fast'"),
        (["compare", "--lr", "nan"], "expected a learning rate above 0, got 'nan'"),
        (["compare", "--steps", "1.5"], "expected a whole number of 1 or more, got '1.5'"),
        (["compare", "--steps", "1" + 30 * "0"], "a whole number of 1 or more, got '10000000000000000...'"),
        (["compare", "--seeds", "100000000"], "expected a whole number from 1 to 1,000"),
        (["compare", "--batch-size", "3000000"], "expected a whole number from 2 to 60,000"),
        (["compare", "--model=--"], "argument --model: expected"),
        (["compare", "--workers", "0"], "expected a whole number of 1 or more, got '0'"),
        (["compare", "--model", "rnn"], "invalid choice: 'rnn'"),
        (["compare", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        ([], "required: COMMAND"),
    ],
)
def test_bad_options_end_with_code_2(capsys, arguments, expected):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert expected in sentence(capsys)


def test_python_m_minidl_is_the_command(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["minidl", "--version"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("minidl", run_name="__main__")
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"minidl {__version__}\n"


def test_importing_the_main_module_runs_nothing(capsys):
    runpy.run_module("minidl.__main__", run_name="minidl.__main__")
    assert capsys.readouterr() == ("", "")


def test_an_error_without_a_text_is_named_by_its_kind(capsys, tmp_path, monkeypatch):
    def out_of_memory(name):
        raise MemoryError

    monkeypatch.setattr("minidl.cli.train.find_data", out_of_memory)
    assert main(["train", "--out", str(tmp_path / "out")]) == 2
    assert sentence(capsys) == "minidl train: MemoryError"


@pytest.mark.parametrize("command", ["compare", "train"])
def test_unknown_data_set_names_the_known_ones(capsys, command, tmp_path):
    assert main([command, "--data", "cifar", "--out", str(tmp_path / "out")]) == 2
    assert "mnist, fashion-mnist, stroke-digits" in sentence(capsys)
    assert list(tmp_path.iterdir()) == []


def test_unknown_initial_weights(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("minidl.cli.train.find_data", lambda name: ("bars", None))
    monkeypatch.setattr("minidl.experiments.split", lambda name: ([0] * 100, [0], [0]))
    assert main(["train", "--init", "ones", "--out", str(tmp_path / "out")]) == 2
    assert "expects init to be one of" in sentence(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_in_it_is_refused_before_any_work(capsys, tmp_path):
    (tmp_path / "results.json").write_text("mine", encoding="utf-8")
    assert main(["compare", "--out", str(tmp_path)]) == 2
    assert "choose another" in sentence(capsys)
    assert (tmp_path / "results.json").read_text(encoding="utf-8") == "mine"


def test_an_unwritable_folder_is_refused_before_any_work(capsys, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    assert main(["compare", "--out", str(blocked / "inside")]) == 2
    assert "is a file" in sentence(capsys)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(capsys, tmp_path):
    tmp_path.chmod(0o500)
    assert main(["compare", "--out", str(tmp_path / "out")]) == 2
    assert "can't write" in sentence(capsys)


def test_data_that_was_asked_for_is_never_replaced(capsys, tmp_path, monkeypatch):
    def unavailable():
        raise OSError("MNIST can't be had: put the files here")

    monkeypatch.setattr("minidl.cli.options.load", lambda name: unavailable())
    assert main(["compare", "--data", "mnist", "--out", str(tmp_path / "out")]) == 2
    assert "put the files here" in sentence(capsys)


def test_the_fallback_says_that_it_is_synthetic(capsys, monkeypatch):
    class Train:
        name = "stroke-digits"

    monkeypatch.setattr(
        "minidl.cli.options.mnist_or_stroke_digits",
        lambda: (Train, None, "runs on stroke digits (synthetic) instead"),
    )
    assert find_data(None)[0] == "stroke-digits"
    assert "stroke digits (synthetic)" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["compare", "train", "datasets"])
def test_every_help_shows_an_example(capsys, command):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "example" in text
    assert text.isascii()


def test_compare_with_two_spawned_workers(tmp_path):
    """The real thing, small: spawned processes, every file, an ASCII console."""
    data = ["--data", "mnist"] if "MINIDL_DATASETS" in os.environ else ["--data", "stroke-digits"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "minidl",
            "compare",
            "--lr",
            "0.5",
            "--seeds",
            "1",
            "--steps",
            "20",
            "--workers",
            "2",
            *data,
            "--out",
            str(tmp_path / "out"),
        ],
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "BN, N(0, 0.1^2)" in done.stdout
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {
        "results.json",
        "history.csv",
        "curves.png",
        "curves.svg",
    }


def test_the_options_know_every_activation():
    """Written twice, so that `minidl --help` need not wait for the layers."""
    assert set(ACTIVATIONS) == set(LAYERS)
