from __future__ import annotations

import argparse
import shutil

import pytest

from minidl.cli import datasets as command
from minidl.datasets import DatasetUnavailable, manifest
from tests.datasets.conftest import home, mirror, served, tiny  # noqa: F401  (fixtures)
from tests.datasets.test_stroke_cache import draw_few

DEAD = "http://127.0.0.1:9/"


@pytest.fixture
def minidl(home, monkeypatch):  # noqa: F811
    """Run `minidl datasets ...`; the exit code."""
    monkeypatch.setattr("minidl.datasets.stroke_cache.generate", draw_few)

    def run(*arguments, sources=None):
        if sources:
            both = {name: sources(name) for name in ("mnist", "fashion-mnist")}
            monkeypatch.setattr(manifest, "sources", lambda: both)
        parser = argparse.ArgumentParser(prog="minidl")
        command.add_parser(parser.add_subparsers())
        args = parser.parse_args(["datasets", *arguments])
        return args.run(args)

    return run


def test_list_when_nothing_is_there(minidl, home, capsys):  # noqa: F811
    assert minidl() == 0
    out = capsys.readouterr().out
    rows = {line.split()[0]: line for line in out.splitlines()[1:4]}
    assert "missing" in rows["mnist"] and "11.6" in rows["mnist"]
    assert "missing" in rows["fashion-mnist"] and "30.9" in rows["fashion-mnist"]
    assert "not drawn" in rows["stroke-digits"]
    assert "Yann LeCun" in out and "licence: MIT" in out and "synthetic" in out and str(home) in out
    assert out.isascii()


def test_fetch_then_list_then_verify(minidl, home, tiny, mirror, capsys):  # noqa: F811
    def sources(name):
        return tiny(mirror.url("good"), name=name)

    assert minidl("fetch", "mnist", "stroke-digits", sources=sources) == 0
    out = capsys.readouterr().out
    assert f"mnist: here and verified, in {home / 'mnist'}" in out
    assert f"stroke-digits: here and verified, in {home / 'stroke-digits'}" in out
    assert minidl() == 0
    states = [line.split()[1] for line in capsys.readouterr().out.splitlines()[1:4]]
    assert states == ["verified", "missing", "drawn"]
    assert minidl("verify") == 0
    out = capsys.readouterr().out
    assert out.count("is right") == 5 and "fashion-mnist: not here" in out
    assert minidl("verify", "mnist") == 0
    assert minidl("verify", "fashion-mnist") == 1
    assert len(mirror.requests) == 4


def test_verify_finds_what_is_wrong(minidl, home, tiny, served, capsys):  # noqa: F811
    def sources(name):
        return tiny(DEAD, name=name)

    shutil.copytree(served, home / "mnist")
    (home / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>")
    assert minidl("verify", sources=sources) == 1
    out = capsys.readouterr().out
    assert "train-labels-idx1-ubyte.gz is an HTML page" in out and out.count("is right") == 3
    minidl()
    assert "damaged" in capsys.readouterr().out
    (home / "mnist" / "train-labels-idx1-ubyte.gz").unlink()
    assert minidl("verify") == 1
    assert "train-labels-idx1-ubyte.gz is missing" in capsys.readouterr().out
    minidl()
    assert "incomplete" in capsys.readouterr().out
    minidl("fetch", "stroke-digits")
    (path,) = (home / "stroke-digits").iterdir()
    path.write_bytes(b"")
    assert minidl("verify", "stroke-digits") == 1
    assert minidl() == 0
    assert capsys.readouterr().out.count("damaged") == 2


def test_unknown_name_and_unreachable_mirrors_raise_for_the_frame(minidl, tiny):  # noqa: F811
    def sources(name):
        return tiny(DEAD, name=name)

    for action in ("fetch", "verify"):
        with pytest.raises(ValueError, match="unknown data set 'mnits': use one of mnist, "):
            minidl(action, "mnits")
    with pytest.raises(DatasetUnavailable, match="MINIDL_DATASETS"):
        minidl("fetch", "mnist", sources=sources)


def test_fetch_needs_a_name(minidl, capsys):
    with pytest.raises(SystemExit) as caught:
        minidl("fetch")
    assert caught.value.code == 2 and "NAME" in capsys.readouterr().err


def test_help_shows_an_example(minidl, capsys):
    for arguments in (["--help"], ["fetch", "--help"], ["verify", "--help"]):
        with pytest.raises(SystemExit) as caught:
            minidl(*arguments)
        out = capsys.readouterr().out
        assert caught.value.code == 0 and "example" in out and "minidl datasets" in out and out.isascii()


def test_folders_with_letters_that_the_console_lacks(minidl, tmp_path, monkeypatch, capsysbinary):
    import io
    import sys

    folder = tmp_path / "Daten-\u00fc-\u4e2d"
    folder.mkdir()
    monkeypatch.setenv("MINIDL_DATASETS", str(folder))
    console = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", console)
    assert minidl() == 0
    console.flush()
    assert b"Daten-\xfc-\\u4e2d" in console.buffer.getvalue()


def test_without_a_stdout(minidl, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)     # as after `>&-`, or under pythonw on Windows
    assert minidl() == 0
