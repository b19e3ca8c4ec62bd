"""Each thread has a tape of its own, and two of them train two models at once as each would alone."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import minidl as dl
from minidl import Parameter, Tape
from minidl.engine import blocks
from minidl.engine import tape as tapes
from minidl.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU, Sequential, Sigmoid


@pytest.fixture
def threads_as_before():
    before = blocks.get_threads()
    yield
    dl.set_threads(before)


def run_together(*jobs):
    """Run the jobs in threads of their own; an error in one of them is raised here."""
    errors = []

    def guarded(job):
        try:
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_two_threads_record_each_on_their_own_tape():
    results, barrier = {}, threading.Barrier(2, timeout=30)

    def train(name, factor):
        p = Parameter(np.array([1.0]))
        for _ in range(50):
            with Tape() as tape:
                barrier.wait()
                loss = (p * factor).sum()
            assert len(tape.records) == 2
            tape.backward(loss)
        results[name] = p.grad.item()

    run_together(lambda: train(2.0, 2.0), lambda: train(3.0, 3.0))
    assert results == {2.0: 100, 3.0: 150}


def mlp():
    return Sequential(
        Flatten(), Dense(64, 20, bias=False), BatchNorm(20), Sigmoid(), Dropout(0.2), Dense(20, 3), seed=1
    )


def cnn():
    return Sequential(
        Conv2D(1, 3, 3), BatchNorm(3), ReLU(), MaxPool2D(2), Flatten(), Dense(27, 3), seed=2
    )


def train(model, optimizer, seed, results):
    """Thirty steps in float64; leaves the losses, all parameters and all running statistics in results."""
    rng = np.random.default_rng(seed)
    losses = []
    for _ in range(30):
        images, labels = rng.normal(size=(40, 8, 8, 1)), rng.integers(0, 3, 40)
        with Tape() as tape:
            loss = dl.losses.cross_entropy(model(images), labels)
        tape.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    results[seed] = {"loss": np.array(losses), **model.state_dict()}


@pytest.mark.parametrize("makers", [(mlp, mlp), (mlp, cnn), (cnn, cnn)], ids=["mlps", "both", "cnns"])
@pytest.mark.parametrize("block_threads", [1, 2])
def test_two_threads_train_two_models_as_each_would_alone(makers, block_threads, threads_as_before):
    dl.set_threads(block_threads)

    def jobs(results):
        for seed, make in enumerate(makers):
            model = make().astype(np.float64)
            optimizer = (dl.optim.SGD, dl.optim.Adam)[seed](model.parameters(), lr=0.05)
            yield lambda m=model, o=optimizer, s=seed: train(m, o, s, results)

    alone, together = {}, {}
    for job in jobs(alone):
        job()
    run_together(*jobs(together))
    for seed in (0, 1):
        assert alone[seed]["loss"][-1] != alone[seed]["loss"][0]
        assert alone[seed].keys() == together[seed].keys()
        for name, expected in alone[seed].items():
            np.testing.assert_allclose(
                together[seed][name], expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max(), err_msg=name
            )


@pytest.mark.parametrize("name", ["hold_blas", "release_blas"])
def test_an_interrupt_while_a_tape_begins_or_ends_leaves_none_open(name, monkeypatch):
    function = getattr(tapes, name)

    def interrupted():
        function()
        raise KeyboardInterrupt

    with monkeypatch.context() as m:
        m.setattr(tapes, name, interrupted)
        with pytest.raises(KeyboardInterrupt), Tape():
            pass
    if name == "hold_blas":
        blocks.release_blas()
    with Tape() as tape:
        y = (2 * Parameter([1.0, 2.0])).sum()
    tape.backward(y)


def test_a_tape_that_ends_in_another_thread_takes_nothing_from_either():
    def recording():
        with Tape():
            yield

    generator = recording()
    next(generator)

    def other():
        with Tape() as tape:
            generator.close()
            y = (2 * Parameter([1.0, 2.0])).sum()
        tape.backward(y)

    run_together(other)
    with Tape() as tape:
        y = (2 * Parameter([1.0, 2.0])).sum()
    tape.backward(y)
