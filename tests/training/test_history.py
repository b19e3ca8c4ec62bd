"""Histories: plain numbers, and files that give back what was put in."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import minidl as dl
from minidl.training import History, Series

ODD = [0.1 + 0.2, math.nan, math.inf, -math.inf, 1e-300]


def odd_history() -> History:
    return History(
        Series([1, 2, 3, 4, 5], ODD, [0.1, 1 / 3, math.nan, 0.0, 1.0]),
        Series([0, 4, 7], [2.5, math.nan, 1.0], [0.1, math.nan, 2 / 3]),
        stopped="non-finite loss",
    )


def assert_same(a: History, b: History) -> None:
    assert a.stopped == b.stopped
    for one, other in ((a.train, b.train), (a.validation, b.validation)):
        assert one.step == other.step
        # repr: nan equals itself, and all digits count.
        assert list(map(repr, one.loss)) == list(map(repr, other.loss))
        assert list(map(repr, one.accuracy)) == list(map(repr, other.accuracy))


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize("history", [
    odd_history(), History(), History(stopped="interrupted"), History(Series([1], [0.5], [math.nan])),
    History(validation=Series([0, 3], [1.0, 2.0], [0.0, 0.5]), stopped='a "reason", with commas\nand lines'),
], ids=["odd", "empty", "interrupted at once", "train only", "validation only"])
def test_files_give_back_what_was_put_in(tmp_path, history, kind):
    path = tmp_path / f"history.{kind}"
    getattr(history, f"to_{kind}")(path)
    assert_same(getattr(History, f"from_{kind}")(str(path)), history)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_json_is_strict(tmp_path):
    odd_history().to_json(tmp_path / "h.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    plain = json.loads((tmp_path / "h.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert plain["train"]["loss"] == [ODD[0], "nan", "inf", "-inf", 1e-300]


def test_csv_has_one_row_a_step(tmp_path):
    odd_history().to_csv(tmp_path / "h.csv")
    text = (tmp_path / "h.csv").read_bytes().decode("utf-8")
    assert "\r" not in text
    lines = text.splitlines()
    assert lines[0] == "step,loss,accuracy,validation_loss,validation_accuracy,stopped"
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "1", "2", "3", "4", "5", "7"]
    assert lines[1] == "0,,,2.5,0.1,"
    assert lines[-1].endswith(",non-finite loss")


def test_holds_plain_numbers():
    series = Series()
    series.append(np.int64(1), dl.Tensor(0.5), np.float32(0.25))
    assert [type(v) for v in (series.step[0], series.loss[0], series.accuracy[0])] == [int, float, float]
    assert type(Series([np.int64(1)], [np.float32(1)], [1]).loss[0]) is float


def test_series_refuses_uneven_lists_and_falling_steps():
    with pytest.raises(ValueError, match=r"one length, got 1, 2, 0"):
        Series([1], [1.0, 2.0], [])
    with pytest.raises(ValueError, match=r"rising steps, got 1 after 1"):
        Series([1, 1], [1.0, 2.0], [0.0, 0.0])


def test_series_share_nothing():
    a, b = History(), History()
    a.train.append(1, 1.0, 1.0)
    assert len(b.train) == 0 and len(a.validation) == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"train": 1, "validation": 2, "stopped": ""}',
                                  '{"stopped": "x", "train": {"step": [1], "loss": ["a"], "accuracy": [1]}}'])
def test_what_is_no_history_is_refused(tmp_path, text):
    path = tmp_path / "h"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="is no history"):
        History.from_json(path)
    with pytest.raises(ValueError, match="is no history"):
        History.from_csv(path)


@pytest.mark.parametrize("row", ["1,2", "1,a,b,,,", "1,1,1,,,\n1,1,1,,,x"])
def test_damaged_csv_is_refused(tmp_path, row):
    path = tmp_path / "h.csv"
    head = "step,loss,accuracy,validation_loss,validation_accuracy,stopped"
    path.write_text(f"{head}\n{row}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="is no history"):
        History.from_csv(path)


def test_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "h.json"
    History(stopped="old").to_json(path)

    def fail(*_):
        raise OSError("disk is full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk is full"):
        History(stopped="new").to_json(path)
    assert History.from_json(path).stopped == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["h.json"]


def test_repr_is_short():
    history = History(Series(list(range(1000)), [1.0] * 1000, [0.5] * 1000))
    assert repr(history) == "History(999 steps, stopped: finished; training loss 1, accuracy 50.0 %)"
    assert repr(history.train) == "Series(1000 points; step 999: loss 1, accuracy 50.0 %)"
    assert repr(Series()) == "Series(no points)"
