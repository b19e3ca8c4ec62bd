"""What a reader must know beside a verdict: close choices, lost runs, against which network it holds."""

from __future__ import annotations

import numpy as np
import pytest

from minidl.experiments.lab import Analysis, claims, judge, scale_of
from minidl.experiments.lab.arms import choice_notes, lost_note
from minidl.experiments.lab.jobs import CHOICE, PLAIN_PAPER, PLAIN_TUNED, Job, Record

PAPER, TUNED = "N(0, 0.1^2)", "Glorot x 4"


def choice(arm, init, lr, score):
    return Record(Job("figure1", arm, 1000, CHOICE, {"lr": lr, "init": init}), {"validation": score}, {}, 0.0)


@pytest.mark.parametrize(("lead", "told"), [(0.05, True), (0.5, False)])
def test_a_choice_by_next_to_nothing_is_told(lead, told):
    records = [choice(PLAIN_PAPER, PAPER, lr, 90.0 + (lr == 2)) for lr in (1, 2, 3)]
    records += [choice(PLAIN_TUNED, PAPER, lr, 90.0 + (lr == 2)) for lr in (1, 2, 3)]
    records += [choice(PLAIN_TUNED, TUNED, lr, 90.0 + (lr == 2) * (1 + lead)) for lr in (1, 2, 3)]
    notes = choice_notes(records, (PLAIN_PAPER, PLAIN_TUNED))
    assert [f"chosen by {lead:.2f} points over {PAPER}" in note for note in notes] == [True] * told


def test_a_tuned_network_that_is_the_papers_is_told():
    arms = (PLAIN_PAPER, PLAIN_TUNED)
    records = [choice(arm, PAPER, lr, 90.0 + (lr == 2)) for arm in arms for lr in (1, 2, 3)]
    notes = choice_notes(records, arms)
    assert notes == [f"{PLAIN_TUNED}: the paper's initial weights were the best of those tried"]


def test_lost_runs_are_counted():
    assert lost_note("dropout", np.array([9.8, 95.0, 11.0])) == ["dropout: 2 of 3 runs end below 20 %"]
    assert lost_note("dropout", np.array([95.0, 96.0])) == []


@pytest.mark.parametrize(("paper", "remark"), [
    ([2.0, 2.1, 1.9], ""), ([-2.0, -2.1, -1.9], "but not against the paper's initialisation"),
])
def test_support_that_does_not_hold_against_the_papers_weights_is_remarked(paper, remark):
    claim = claims()["learning-rates"]
    contrasts = {name: [2.0, 2.1, 1.9] for name in claim.smallest}
    against = dict.fromkeys(claim.smallest, paper)
    found = judge(claim, Analysis(contrasts, against), scale_of("default"))
    assert found[1:] == ("supported", remark)
