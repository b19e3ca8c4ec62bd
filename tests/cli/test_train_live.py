"""`minidl train --live` without a display: a PNG beside the results, and the results as always."""

from __future__ import annotations

import json

from matplotlib import image

from minidl.cli import main


def test_the_figure_is_a_file_beside_the_results(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("minidl.plots.screens._has_display", lambda: False)
    titles = []
    draw = "minidl.plots.live.draw_learning"
    from minidl.plots.live import draw_learning

    def watched(figure, history, steps, headline):
        titles.append(headline)
        draw_learning(figure, history, steps, headline)

    monkeypatch.setattr(draw, watched)
    out = tmp_path / "out"
    assert main(["train", "--live", "--data", "stroke-digits", "--steps", "40", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert f"live figure: {tmp_path / 'out-live.png'}, renewed every few seconds" in said.err
    assert image.imread(tmp_path / "out-live.png").shape[2] == 4
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "out-live.png"]
    assert json.loads((out / "results.json").read_text(encoding="utf-8"))["stopped"] == "finished"
    assert "(synthetic)" in titles[-1]
    assert titles[-1].endswith("step 40 of 40")


def test_without_the_option_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr("minidl.plots.Live", None)
    out = tmp_path / "out"
    assert main(["train", "--data", "stroke-digits", "--steps", "5", "--out", str(out)]) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
