"""All peers do the same work: the same loss, parameters and logits to the rounding of float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.benchmarks import sides
from tests.benchmarks.harness import Job, Worker
from tests.benchmarks.rows import takes_part
from tests.benchmarks.sides import JAX, MINIDL, STRAIGHT, TORCH, TORCH_LAST, Setting, Side
from tests.benchmarks.workloads import LR, MLP_BN, MLP_PLAIN, NETWORKS, Network, initial_weights

# Fewer examples than are measured: among millions of numbers one lies so close to a kink of ReLU or max-pool
# that rounding decides its side, and from then on two right libraries go apart.
SMALL = tuple([replace(network, batch=8) for network in NETWORKS])
STEPS = 3


@pytest.fixture(scope="module")
def states() -> Iterator[object]:
    """A function (side, setting, work, network, steps) -> arrays; a process for each side, one core each."""
    import tempfile

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())

        @cache
        def worker(side: Side) -> Worker:
            return stack.enter_context(Worker(side, cores=1))

        def state(
            side: Side, setting: Setting, work: str, network: Network, steps: int = STEPS
        ) -> dict[str, np.ndarray]:
            job = Job(worker(side), setting, work, network)
            job.run(steps)
            path = f"{folder}/state.npz"
            job.worker.order("state", job=setting.name, path=path)
            with np.load(path) as stored:
                return dict(stored)

        yield state


CASES = [
    pytest.param(side, setting, work, network, id=f"{side.key}-{setting.name}-{work}-{network.name}")
    for side in (TORCH, TORCH_LAST, JAX)
    for work in ("Training", "Inference")
    for network in SMALL
    if takes_part(side, work, network)
    for setting in side.settings(work)[:: 1 if network.name == "mlp-100-bn" else 3]
]


@pytest.mark.parametrize(("side", "setting", "work", "network"), CASES)
def test_every_peer_computes_what_minidl_computes(states, side, setting, work, network):
    if not side.installed():
        pytest.skip(f"{side.library} isn't installed")
    ours = states(MINIDL, MINIDL.settings(work)[0], work, network)
    theirs = states(side, setting, work, network)
    counts = {name for name in ours if name.endswith("batches_seen")}
    assert set(theirs) >= set(ours) - counts
    for name in sorted(set(ours) & set(theirs)):
        scale = np.abs(ours[name]).max()
        assert scale > 0, name
        # Biases and beta start at 0 and are small yet, but shift values near 1: an ulp of those is no error.
        limit = 1e-5 * scale + np.finfo(np.float32).eps
        np.testing.assert_allclose(theirs[name], ours[name], rtol=0, atol=limit, err_msg=name)


@pytest.mark.parametrize("network", [MLP_PLAIN, MLP_BN], ids=lambda network: network.name)
def test_straight_line_code_ends_with_the_same_bits(states, network):
    ours = states(MINIDL, MINIDL.training[0], "Training", network, 25)
    theirs = states(STRAIGHT, STRAIGHT.training[0], "Training", network, 25)
    counts = {name for name in ours if name.endswith("batches_seen")}
    assert set(theirs) == set(ours) - counts
    for name, array in theirs.items():
        np.testing.assert_array_equal(array, ours[name], err_msg=name)


@pytest.mark.parametrize("network", SMALL, ids=lambda network: network.name)
def test_all_parameters_are_trained(states, network):
    ours = states(MINIDL, MINIDL.training[0], "Training", network)
    assert 0 < ours["loss"] < np.inf
    for name, start in initial_weights(network).items():
        moved = np.abs(ours[name] - start)
        assert 1e-6 < moved.max() < 100 * LR, name


def test_the_settings_differ_in_what_they_say():
    for side in sides.SIDES:
        names = [setting.name for setting in side.training]
        assert len(set(names)) == len(names)
