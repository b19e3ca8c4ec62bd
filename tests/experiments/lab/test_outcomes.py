"""Made-up records through each experiment's own analyse(): all four outcomes; and A/A never supports."""

from __future__ import annotations

import numpy as np
import pytest

from minidl.experiments.lab import claims, experiments, judge, scale_of
from minidl.experiments.lab.jobs import module_of
from tests.experiments.lab import made_up

DEFAULT = scale_of("default")


def outcome(name, sign):
    analysis = module_of(name).analyse(made_up.records(name, sign))
    assert list(analysis.contrasts) == [contrast.name for contrast in claims()[name].contrasts]
    return judge(claims()[name], analysis, DEFAULT)[1]


def test_every_experiment_has_made_up_records():
    assert set(made_up.MAKERS) == set(experiments()) == set(claims())


@pytest.mark.parametrize("name", made_up.MAKERS)
@pytest.mark.parametrize("expected", ["supported", "not supported", "mixed", "inconclusive"])
def test_the_four_outcomes(name, expected):
    first = claims()[name].contrasts[0].name
    signs = {
        "supported": lambda contrast, seed: 1,
        "not supported": lambda contrast, seed: -1,
        "mixed": lambda contrast, seed: 1 if contrast == first else -1,
        "inconclusive": lambda contrast, seed: 1 if seed % 2 else -1,
    }
    assert outcome(name, signs[expected]) == expected


@pytest.mark.parametrize("name", made_up.MAKERS)
@pytest.mark.parametrize("draw", range(5))
def test_the_same_model_in_all_arms_is_never_supported(name, draw):
    """A/A: the sign of every contrast is nothing but noise around zero, other in every seed."""
    rng = np.random.default_rng([draw, len(name)])
    noise = {}

    def sign(contrast, seed):
        return noise.setdefault((contrast, seed), 0.02 * rng.normal())

    assert outcome(name, sign) != "supported"


@pytest.mark.parametrize("name", made_up.MAKERS)
def test_a_preview_has_no_verdict(name):
    analysis = module_of(name).analyse(made_up.records(name, lambda contrast, seed: 1))
    assert judge(claims()[name], analysis, scale_of("quick"))[1:] == ("preview: no verdict", "")
