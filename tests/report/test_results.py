"""The page of all verdicts: from the file alone, and the committed one computed again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minidl import cli
from minidl.experiments import Comparison, environment, to_plain
from minidl.experiments.lab import claims, experiments, judge, scale_of
from minidl.experiments.lab.published import analysed, published
from minidl.report.results import contrasts_in_words, read_lab, results_page
from tests.experiments.lab.test_published import made_up_result

TUTORIALS = Path(__file__).parents[2] / "tutorials"
RESULTS = TUTORIALS / "results.json"


@pytest.fixture(scope="module")
def committed():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_every_experiment_was_run_at_the_default_scale_with_enough_seeds(committed):
    assert list(committed["experiments"]) == experiments()
    assert RESULTS.stat().st_size < 300_000
    header = committed["header"]
    assert header["data"] == "MNIST"
    assert header["scale"]["name"] == "default"
    assert header["seeds"]["MLP"] >= 10
    assert header["seeds"]["CNN"] >= 5
    assert header["versions"].keys() >= {"minidl", "python", "numpy"}


@pytest.mark.parametrize("name", experiments())
def test_every_committed_verdict_follows_from_its_runs(name, committed):
    experiment = committed["experiments"][name]
    claim = claims()[name]
    assert experiment["claim"] == claim.claim
    analysis = analysed(name, experiment)
    intervals, verdict, remark = judge(claim, analysis, scale_of(committed["header"]["scale"]["name"]))
    assert (verdict, remark) == (experiment["verdict"], experiment["remark"])
    for contrast in claim.contrasts:
        stored = experiment["contrasts"][contrast.name]
        assert (stored["smallest"], stored["unit"]) == (contrast.smallest, contrast.unit)
        assert stored["differences"] == pytest.approx(analysis.contrasts[contrast.name], abs=1e-3)
        assert stored["n"] == len(stored["differences"])
        assert stored["n"] >= (5 if name == "cnn" or "CNN" in contrast.name else 10)
        assert stored["mean"] == pytest.approx(intervals[contrast.name].mean, abs=1e-3)
        assert stored["t"] == pytest.approx(intervals[contrast.name].t, abs=1e-2)
        assert stored["bootstrap"] == pytest.approx(intervals[contrast.name].bootstrap, abs=1e-2)


def test_the_committed_page_is_what_the_command_makes_of_the_file(committed):
    assert (TUTORIALS / "results.md").read_text(encoding="utf-8") == results_page(committed)
    for name in experiments():
        figure = TUTORIALS / "figures" / "lab" / f"{name}.png"
        assert 10_000 < figure.stat().st_size < 300_000, name


def test_the_readme_has_the_committed_verdicts(committed):
    text = (TUTORIALS.parent / "README.md").read_text(encoding="utf-8")
    for name, e in committed["experiments"].items():
        found = e["verdict"] + (f" ({e['remark']})" if e["remark"] else "")
        claim = e["claim"].replace("|", r"\|")
        assert f"| {name} | {claim} | {found} | {contrasts_in_words(e)} |" in text


def write_run(folder, name, **options):
    folder.mkdir(parents=True)
    result = made_up_result(name, **options)
    (folder / "results.json").write_text(json.dumps(to_plain(result)), encoding="utf-8")


def test_the_page_says_which_way_each_contrast_came_out():
    content = published([made_up_result("gamma-beta", lambda c, seed: 1 if c == "affine is better" else -1)])
    page = results_page(json.loads(json.dumps(content)))
    assert "**mixed**" in page
    rows = [line for line in page.splitlines() if line.startswith(("| affine", "| without them"))]
    assert [row.split("|")[5].strip() for row in rows] == ["reached", "missed"]
    assert "share of \\|x\\| < 1" in page


def test_the_command_takes_runs_and_writes_file_page_and_figures(tmp_path, capsys, monkeypatch):
    from matplotlib.figure import Figure

    from minidl.report import results

    monkeypatch.setattr(results, "lab_figures", lambda result: {"first": Figure(), "second": Figure()})
    for name in ("gamma-beta", "figure1"):
        write_run(tmp_path / "runs" / name, name)
    path = tmp_path / "page" / "results.json"
    assert cli.main(["results", str(path), str(tmp_path / "runs")]) == 0
    content = json.loads(path.read_text(encoding="utf-8"))
    assert list(content["experiments"]) == ["figure1", "gamma-beta"]
    assert "no run of covariate-shift, " in capsys.readouterr().out
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    assert page == results_page(content)
    assert sorted(p.name for p in (path.parent / "figures" / "lab").iterdir()) == [
        "figure1.png", "gamma-beta.png"
    ]
    write_run(tmp_path / "epsilon", "epsilon")
    assert cli.main(["results", str(path), str(tmp_path / "epsilon")]) == 0
    content = json.loads(path.read_text(encoding="utf-8"))
    assert list(content["experiments"]) == ["figure1", "gamma-beta", "epsilon"]
    page = results_page(content)
    path.with_suffix(".md").write_text("old", encoding="utf-8")
    assert cli.main(["results", str(path)]) == 0
    assert path.with_suffix(".md").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["page.txt"], "expected the name of a .json file, got 'page.txt'"),
    (["no.json"], "no.json: no such file: name the runs to take it from"),
    (["new.json", "empty"], "empty: no results.json in it: name a folder that compare, train or lab wrote"),
    (["new.json", "run", "run"], "a second run of epsilon: name one run for each experiment"),
    (["run/results.json", "run"], "it would stand among the files of the run run: name another"),
    (["new.json", "damaged"], "damaged: its runs can't be judged (ValueError: chosen expects records of"),
    (["new.json", "preview"], "epsilon: a preview has no verdict: run it without --quick"),
])
def test_what_cannot_be_published_is_said(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "run", "epsilon")
    write_run(tmp_path / "preview", "epsilon", scale="quick")
    write_run(tmp_path / "damaged", "epsilon")
    damaged = tmp_path / "damaged" / "results.json"
    content = json.loads(damaged.read_text(encoding="utf-8"))
    content["records"] = [r for r in content["records"] if r["job"]["purpose"] == "report"]
    damaged.write_text(json.dumps(content), encoding="utf-8")
    before = (tmp_path / "run" / "results.json").read_bytes()
    assert cli.main(["results", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new.json").exists()
    assert (tmp_path / "run" / "results.json").read_bytes() == before


def test_runs_on_other_data_never_stand_beside_those_in_the_file(tmp_path, monkeypatch, capsys):
    from matplotlib.figure import Figure

    from minidl.report import results

    monkeypatch.setattr(results, "lab_figures", lambda result: {"first": Figure()})
    write_run(tmp_path / "run", "epsilon")
    path = tmp_path / "results.json"
    content = published([made_up_result("gamma-beta")])
    content["header"]["data"] = "MNIST"
    path.write_text(json.dumps(content), encoding="utf-8")
    before = path.read_bytes()
    assert cli.main(["results", str(path), str(tmp_path / "run")]) == 2
    assert "expected data MNIST as in the file, got made-up: name another file" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"header": {}, "experiments": {}}'])
def test_a_file_of_another_kind_is_refused(text, tmp_path, capsys):
    (tmp_path / "other.json").write_text(text, encoding="utf-8")
    assert cli.main(["results", str(tmp_path / "other.json")]) == 2
    assert "other.json: expected what `minidl results` of this version writes" in capsys.readouterr().err
    assert not (tmp_path / "other.md").exists()


def test_a_run_of_another_kind_is_refused(tmp_path):
    comparison = Comparison((), environment(), 1.0, False)
    (tmp_path / "results.json").write_text(json.dumps(to_plain(comparison)), encoding="utf-8")
    with pytest.raises(ValueError, match="expected a run of `minidl lab`, got one of another command"):
        read_lab(tmp_path)


def test_the_full_figure_1_gave_what_the_readme_says():
    full = json.loads((TUTORIALS / "figure1-full.json").read_text(encoding="utf-8"))
    assert full["header"]["scale"]["name"] == "full"
    numbers = full["experiments"]["figure1"]["numbers"]
    text = " ".join((TUTORIALS.parent / "README.md").read_text(encoding="utf-8").split())
    plain, bn = (
        next(value for name, (value, _) in numbers.items() if name.startswith(f"test accuracy, {arm}"))
        for arm in ("plain-tuned", "BN")
    )
    assert f"it ends at {plain:.2f} %, batch normalization at {bn:.2f} %" in text
