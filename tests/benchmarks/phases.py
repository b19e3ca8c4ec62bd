"""Where a step of the paper's MLP goes:  python -m tests.benchmarks.phases

Microseconds of each part of a step with tape, layers and optimizer; of the same kernels in straight lines;
and of its matrix products alone, below which no code on this BLAS gets. All take turns. What the step's lines
tell are medians of single steps; the last two lines are of whole rounds, in which a slow step counts too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import minidl as dl
from minidl.engine.blocks import one_blas_thread
from tests.benchmarks import peer_minidl, straight_line, workloads
from tests.benchmarks.workloads import Network

ROUNDS, STEPS = 30, 40


def phases(network: Network, rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds a step: parts of minidl's step, its whole, the straight-line step, the products alone."""
    tape, straight = peer_minidl.Training(network, {}), straight_line.Training(network, {})
    products = _products(network)
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for _ in range(STEPS):
            for name, seconds in _step(tape).items():
                found.setdefault(name, []).append(seconds)
        for name, work in (("straight-line code", straight.run), ("matrix products alone", products)):
            start = time.perf_counter()
            work(STEPS)
            found.setdefault(name, []).append((time.perf_counter() - start) / STEPS)
    return {name: 1e6 * statistics.median(times) for name, times in found.items()}


def _step(training: peer_minidl.Training) -> dict[str, float]:
    images, labels = training.batches[training.steps % len(training.batches)]
    clock = time.perf_counter
    marks = [clock()]
    tape = dl.Tape()
    with tape:
        marks.append(clock())
        loss = dl.losses.cross_entropy(training.model(images), labels)
        marks.append(clock())
    marks.append(clock())
    tape.backward(loss)
    marks.append(clock())
    training.optimizer.step()
    marks.append(clock())
    training.steps += 1
    names = ("tape opened", "forward", "tape closed", "backward", "optimizer")
    parts = dict(zip(names, [b - a for a, b in pairwise(marks)], strict=True))
    return parts | {"whole step": marks[-1] - marks[0]}


def _products(network: Network) -> Callable[[int], None]:
    """Every matrix product of a step, and nothing else."""
    weights = list(workloads.initial_weights(network).values())
    images, _ = workloads.training_batches(network)[0]
    inputs = [images, *[images[:, :1].repeat(w.shape[1], axis=1) for w in weights[:-1]]]
    gradients = [images[:, :1].repeat(w.shape[1], axis=1) for w in weights]

    def run(steps: int) -> None:
        with one_blas_thread():
            for _ in range(steps):
                for i, (x, W, g) in enumerate(zip(inputs, weights, gradients, strict=True)):
                    x @ W
                    x.T @ g
                    if i:
                        g @ W.T

    return run


def main() -> None:
    """Print both networks side by side."""
    networks = (workloads.MLP_PLAIN, workloads.MLP_BN)
    tables = [phases(network) for network in networks]
    print(f"{'microseconds a step':24}" + "".join(f"{network.name:>14}" for network in networks))
    for name in tables[0]:
        print(f"{name:24}" + "".join(f"{table[name]:14.0f}" for table in tables))


if __name__ == "__main__":
    main()
