"""What is stored and published of an experiment: back whole, small, and enough to judge again."""

from __future__ import annotations

import dataclasses
import json

import pytest

from minidl.experiments import environment, to_plain
from minidl.experiments.lab import claims, judge, scale_of
from minidl.experiments.lab.experiment import concluded
from minidl.experiments.lab.jobs import Record
from minidl.experiments.lab.published import analysed, published, published_text, records_of
from minidl.experiments.lab.stored import lab_from_plain
from tests.experiments.lab import made_up


def made_up_result(name, sign=lambda contrast, seed: 1, scale="default"):
    return concluded(name, scale_of(scale), "made-up", made_up.records(name, sign), environment(), 1.0)


@pytest.mark.parametrize("name", made_up.MAKERS)
def test_a_stored_record_comes_back_whole(name):
    plain = json.loads(json.dumps(to_plain(made_up_result(name))))
    back = lab_from_plain(plain)
    assert to_plain(back) == plain
    assert back.records[0].job == made_up_result(name).records[0].job
    assert back.claim == claims()[name]


def test_numbers_that_are_not_finite_come_back():
    result = made_up_result("figure1")
    job = result.records[0].job
    lost = Record(job, {"validation": float("inf")}, {"curve": [[1.0], [float("-inf")]]}, 0.0)
    back = lab_from_plain(json.loads(json.dumps(to_plain(dataclasses.replace(result, records=(lost,))))))
    assert back.records == (lost,)


@pytest.mark.parametrize("name", made_up.MAKERS)
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_published_is_judged_as_before(name, sign):
    result = made_up_result(name, lambda contrast, seed: sign)
    content = json.loads(published_text(published([result])))
    analysis = analysed(name, content["experiments"][name])
    for contrast, differences in result.analysis.contrasts.items():
        # Six digits of each number are published: half of the last one, twice, of made-up 100 per cent.
        assert analysis.contrasts[contrast] == pytest.approx(differences, abs=1e-3)
    assert judge(result.claim, analysis, result.scale)[1:] == (result.verdict, result.remark)
    assert content["experiments"][name]["verdict"] == result.verdict


def test_every_run_is_published_with_its_settings_and_numbers():
    result = made_up_result("dropout")
    content = json.loads(published_text(published([result])))
    records = records_of("dropout", content["experiments"]["dropout"])
    found, expected = (
        {(r.job.arm, r.job.seed, r.job.purpose, repr(sorted(r.job.settings.items()))) for r in some}
        for some in (records, result.records)
    )
    assert found == expected
    assert len(records) == len(result.records)


def test_a_changed_number_changes_what_follows():
    content = json.loads(published_text(published([made_up_result("gamma-beta")])))
    experiment = content["experiments"]["gamma-beta"]
    before = analysed("gamma-beta", experiment).contrasts["affine is better"]
    run = next(r for r in experiment["runs"] if r["seeds"][0] == 0 and r["arm"] == "gamma and beta")
    run["values"]["test"][3] += 1
    after = analysed("gamma-beta", experiment).contrasts["affine is better"]
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx([0, 0, 0, 1] + [0] * 6)


def test_a_preview_is_not_published():
    with pytest.raises(ValueError, match="figure1: a preview has no verdict: run it without --quick"):
        published([made_up_result("figure1", scale="quick")])


def test_runs_that_were_made_differently_are_not_published_together():
    results = [made_up_result("figure1"), made_up_result("epsilon")]
    other = dataclasses.replace(results[1], data="other digits")
    with pytest.raises(ValueError, match="epsilon: expected data made-up as in figure1, got other digits"):
        published([results[0], other])
    published(results)
