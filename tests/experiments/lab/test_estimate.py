"""Estimates of an experiment's time: each network counts, and what is measured beside its training."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

import minidl.experiments.lab.estimate  # noqa: F401  (the package has a function of this name)
from minidl.experiments.lab import estimate, experiments, measure_speed, planned, scale_of
from minidl.experiments.lab.jobs import CHOICE, REPORT, Job, module_of
from minidl.experiments.lab.networks import Network

ROOM = sys.modules["minidl.experiments.lab.estimate"]


@pytest.fixture
def timed(monkeypatch):
    """The kinds of networks that were timed; a step takes a second, an image a millisecond."""
    kinds = []

    def times(network, batch):
        kinds.append((network, batch))
        return 1.0, 0.001

    monkeypatch.setattr(ROOM, "_times", times)
    return kinds


def job_of(experiment, purpose=REPORT, **settings):
    job = next(j for j in planned(experiment, scale_of("default")) if j.purpose == purpose)
    return replace(job, settings={**job.settings, **settings})


@pytest.mark.parametrize("name", experiments())
def test_every_job_is_estimated_as_the_network_that_it_trains(name, timed):
    jobs = planned(name, scale_of("quick"))
    assert estimate(jobs, measure_speed()) > 0
    trained = {(module_of(name).network(job).model, module_of(name).network(job).batch_norm) for job in jobs}
    assert {(network.model, network.batch_norm) for network, _ in timed} == trained
    assert len(timed) == len(set(timed)) < 30     # each kind once


def test_steps_and_images_add_up(timed):
    job = job_of("cnn", steps=100)
    # The test images once, and shifted by 1, 2 and 3 pixels in four directions, after the statistics of BN.
    assert estimate([job, job], measure_speed()) == pytest.approx(2 * (100 + 140_000 / 1000))
    (network, batch), = timed
    assert (network.model, network.batch_norm, batch) == ("cnn", True, 60)


def test_what_is_measured_on_the_way_counts(timed):
    speed = measure_speed()
    followed, seen_once = (speed(job_of(name, steps=0)) for name in ("figure1", "learning-rates"))
    assert followed > 15 * seen_once
    assert speed(job_of("figure1", CHOICE, steps=0)) == pytest.approx(5.0)


def test_statistics_of_the_training_set_are_dear(timed):
    speed = measure_speed()
    settings = {"batch_size": 60, "steps": 100}
    detached = Job("mini-batch-statistics", "detached training set", 0, REPORT, settings)
    assert speed(detached) - speed(replace(detached, arm="mini-batch")) == pytest.approx(100)


def test_a_network_is_timed():
    step, image = ROOM._times(Network(depth=1, width=4), 10)
    assert step > 0 and image > 0
