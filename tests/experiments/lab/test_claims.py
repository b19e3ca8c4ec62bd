"""claims.toml: every claim is complete, and every experiment has one."""

from __future__ import annotations

import math

import pytest

from minidl.experiments.lab import claims, experiments
from minidl.experiments.lab.experiment import Analysis, judge
from minidl.experiments.lab.jobs import module_of
from minidl.experiments.lab.scale import scale_of

ISSUE = [
    "figure1", "covariate-shift", "saturation", "learning-rates", "saturating-nonlinearities",
    "layer-dependence", "dropout", "placement", "gamma-beta", "epsilon", "mini-batch-statistics",
    "test-time", "cnn", "landscape",
]


def test_there_is_a_claim_for_every_line_of_the_laboratory():
    assert sorted(claims()) == sorted(ISSUE)
    assert all(module_of(name).__doc__ for name in experiments())      # its module is there


@pytest.mark.parametrize("name", ISSUE)
def test_a_claim_is_complete(name):
    claim = claims()[name]
    assert claim.experiment == name
    assert claim.claim.endswith(".")
    assert claim.contrasts
    assert len({contrast.name for contrast in claim.contrasts}) == len(claim.contrasts)
    for contrast in claim.contrasts:
        assert math.isfinite(contrast.smallest)
        assert contrast.question
        assert contrast.unit


def analysis(first, second, third, paper=()):
    names = ("faster", "more accurate", "steadier")
    return Analysis(
        dict(zip(names, (first, second, third), strict=True)),
        dict(zip(names, paper, strict=True)) if paper else {},
    )


def test_what_holds_against_the_papers_initialisation_only_is_said():
    yes, no = [5.0, 5.1, 4.9], [0.0, 0.01, -0.01]
    claim, scale = claims()["figure1"], scale_of("default")
    assert judge(claim, analysis(yes, yes, yes), scale)[1:] == ("supported", "")
    assert judge(claim, analysis(no, no, no, (yes, yes, yes)), scale)[1:] == (
        "not supported", "holds for the paper's initialisation only"
    )
    assert judge(claim, analysis(no, no, no, (no, yes, yes)), scale)[1:] == ("not supported", "")
    assert judge(claim, analysis(yes, yes, yes), scale_of("quick"))[1] == "preview: no verdict"
