"""How long a comparison takes: what is timed, how it adds up. And what is recorded of the machine."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError

import pytest

import minidl
from minidl.experiments import POPULATION, RunConfig, environment, estimate_seconds, grid
from minidl.experiments.estimate import TEST
from minidl.experiments.run import POINTS, PROBE, VALIDATION

environment_module = import_module("minidl.experiments.environment")  # the attribute is the function

STEP, FORWARD = 0.25, 1e-3      # made-up seconds for a training step, and for the forward pass of one image


@pytest.fixture
def clock(monkeypatch):
    """Each step takes as long as STEP says, each image FORWARD."""
    monkeypatch.setattr("minidl.experiments.estimate._timed_step", lambda *_: STEP)
    monkeypatch.setattr("minidl.experiments.estimate._timed_forward", lambda model, x: FORWARD * len(x))


MEASURED = POINTS * (VALIDATION + PROBE) + TEST          # images that a plain run looks at besides training
POPULATIONS = (POINTS + 1) * POPULATION                  # and those for the statistics of a BN


@pytest.mark.parametrize(("batch_norm", "images"), [(False, MEASURED), (True, MEASURED + POPULATIONS)])
def test_steps_and_measurements_of_one_kind_of_network(clock, batch_norm, images):
    config = RunConfig(steps=100, batch_norm=batch_norm)
    assert estimate_seconds([config], 1) == pytest.approx(100 * STEP + images * FORWARD)


def test_a_comparison_is_the_sum_of_its_runs_shared_by_the_workers(clock):
    configs = grid(RunConfig(steps=10), [0.1, 2.0], 2)
    alone = sum(estimate_seconds([c], 1) for c in configs)
    assert estimate_seconds(configs, 4) == pytest.approx(alone / 4)


def test_the_workers_are_timed_all_at_once(monkeypatch):
    together = threading.Barrier(3)     # a single thread would wait here for ever

    def work(configs):
        return 6.0 * len(configs) + together.wait(timeout=20)

    monkeypatch.setattr("minidl.experiments.estimate._work", work)
    with ThreadPoolExecutor(3) as executor:
        assert estimate_seconds([RunConfig()], 3, executor) == pytest.approx((6 + 1) / 3)


def test_a_real_estimate_survives_a_rate_that_diverges():
    config = RunConfig(model="mlp", steps=10, lr=1e30, batch_size=2)
    assert estimate_seconds([config, replace(config, steps=1000)], 1) > 0


def test_the_environment_of_a_checkout_that_isnt_installed(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    assert environment().minidl == minidl.__version__
    monkeypatch.setattr(environment_module, "version", missing)
    assert environment().minidl == "not installed"


def test_a_numpy_without_a_build_record_has_an_unknown_blas(monkeypatch):
    monkeypatch.setattr("numpy.show_config", lambda mode: None)
    assert environment().blas == "unknown"
