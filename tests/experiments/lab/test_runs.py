"""Every experiment from its jobs to its files, on synthetic digits and in a dozen steps."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from minidl.experiments.environment import environment
from minidl.experiments.lab import SCALES, LabResult, Record, claims, experiments, judge, planned
from minidl.experiments.lab.jobs import CHOICE, REPORT, module_of, run_job
from minidl.experiments.lab.training import points
from minidl.report.lab import lab_figures, paragraph, write_lab
from minidl.training import Evaluation

TINY = replace(SCALES["quick"], mlp_steps=12, cnn_steps=6)
DATA = "stroke-digits"


@cache
def tiny(name: str) -> LabResult:
    """One job of each arm is run, with few steps; the other records of the arm are its copies."""
    module = module_of(name)
    choice = module.choices(TINY, DATA)
    records = [Record(job, {"validation": 50.0}, {}, 0.0) for job in choice]
    ran = {}
    for job in module.reports(TINY, DATA, records):
        if job.arm not in ran:
            steps = min(12, job.settings["steps"])
            ran[job.arm] = run_job(replace(job, settings={**job.settings, "steps": steps}))
        records.append(replace(ran[job.arm], job=job))
    analysis = module.analyse(records)
    intervals, verdict, remark = judge(claims()[name], analysis, TINY)
    return LabResult(
        claims()[name], TINY, "stroke digits (synthetic)", tuple(records), analysis, intervals, verdict,
        remark, environment(), 1.0,
    )


@pytest.mark.parametrize("name", experiments())
def test_the_jobs_give_numbers(name):
    result = tiny(name)
    for record in result.records:
        if record.job.purpose == REPORT:
            assert record.values
            assert all(type(value) is float for value in record.values.values())
    assert set(result.intervals) == {contrast.name for contrast in result.claim.contrasts}
    assert len(planned(name, TINY, DATA)) == len(result.records)


@pytest.mark.parametrize("name", [name for name in experiments() if name != "test-time"])
def test_a_run_of_the_choice_gives_its_score(name):
    job = module_of(name).choices(TINY, DATA)[-1]
    record = run_job(replace(job, settings={**job.settings, "steps": 5}))
    assert record.job.purpose == CHOICE
    assert set(record.values) <= {"validation", "finite"}
    assert 0 <= record.values["validation"] <= 100


@pytest.mark.parametrize("name", experiments())
def test_all_arms_start_from_the_same_seeds(name):
    reported = [r.job for r in tiny(name).records if r.job.purpose == REPORT]
    seeds = {arm: {job.seed for job in reported if job.arm == arm} for arm in {job.arm for job in reported}}
    assert len(set(map(frozenset, seeds.values()))) == 1
    chose = {r.job.seed for r in tiny(name).records if r.job.purpose == CHOICE}
    assert not chose & set.union(*seeds.values())       # what is chosen on isn't reported


@pytest.mark.parametrize("name", experiments())
def test_figures_and_paragraph(name, tmp_path):
    result = tiny(name)
    for figure in lab_figures(result).values():
        assert "PREVIEW" in figure.get_suptitle()
        assert "synthetic" in figure.get_suptitle()
        for ax in figure.axes:
            assert ax.get_ylabel() or ax.get_title() or ax.get_yticks().size
    text = paragraph(result)
    assert text.startswith(f"{name}: PREVIEW: NO VERDICT")
    for contrast in result.claim.contrasts:
        assert contrast.name in text
    if name in ("figure1", "cnn"):
        files = write_lab(result, tmp_path / "run")
        assert {"results.json", "verdict.txt"} <= {file.name for file in files}
        plain = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
        assert plain["claim"]["experiment"] == name
        assert len(plain["records"]) == len(result.records)


def test_a_network_that_is_lost_guesses():
    assert points(Evaluation(loss=float("nan"), accuracy=0.9)) == 10.0
    assert points(Evaluation(loss=1.0, accuracy=0.9), finite=False) == 10.0
    assert points(Evaluation(loss=1.0, accuracy=0.9)) == 90.0


@pytest.mark.parametrize("name", ["figure1", "covariate-shift", "saturation", "landscape"])
def test_a_run_that_is_lost_at_once_ends_with_a_record(name):
    job = next(job for job in planned(name, TINY, DATA) if job.purpose == REPORT)
    record = run_job(replace(job, settings={**job.settings, "lr": 1e38, "steps": 12}))
    assert record.values["test"] == 10.0


def test_records_hold_plain_numbers():
    for record in tiny("figure1").records:
        for series in record.series.values():
            assert isinstance(series, list)
        assert not any(isinstance(value, np.generic) for value in record.values.values())
