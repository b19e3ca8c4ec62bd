"""The rows of the target table: what is measured against whom, and what is to be reached."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks import fresh, harness, sides, workloads
from tests.benchmarks.harness import Plan, Ratio, Times
from tests.benchmarks.sides import Side
from tests.benchmarks.workloads import Network

# PyTorch's time over minidl's, at least; for JAX and the other layout likewise.
SPEED = {
    ("Training", "torch"): {
        "mlp-100": 1.5, "mlp-100-bn": 1.5, "mlp-512-bn": 1.0, "mlp-1024-bn": 1.0,
        "cnn-5x5-16-32": 1.0, "cnn-3x3-32-64": 1.0, "lenet-6-16": 0.8,
    },
    ("Training", "torch-channels-last"): {"cnn-5x5-16-32": 0.8, "cnn-3x3-32-64": 0.8},
    ("Training", "jax"): {"mlp-100": 1.0, "mlp-100-bn": 1.0},
    ("Inference", "torch"): {network.name: 1.0 for network in workloads.NETWORKS},
}
MEMORY, TAPE, MNIST = 1.0, 1.10, 1.3    # minidl's over the other's, at most
IMPORT_MS = 40.0                        # more than `import numpy`, at most

STEPS_FOR_MEMORY = 20
STEPS_FOR_EQUALITY = 25


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        work: what was done, such as "training mlp-100".
        against: the other side's label.
        figure: what is compared with the target.
        target: None where there is none.
        at_least: whether the figure is to be at least the target, or at most.
        unit: of the figure: "x" or "ms".
        low: of the figure over the rounds, the lower quartile; None where it has none.
        high: the upper quartile.
        ours: as printed, with its unit.
        theirs: likewise.
        setting: in which the other side was fastest.
        allocator: the same ratio with the other side under minidl's allocator setting; None where unmeasured.
        fault: why the figure isn't valid; "" if it is.
        rounds: seconds a step in each round, by side.

    """

    work: str
    against: str
    figure: float
    target: float | None
    at_least: bool
    unit: str = "x"
    low: float | None = None
    high: float | None = None
    ours: str = ""
    theirs: str = ""
    setting: str = ""
    allocator: Ratio | None = None
    fault: str = ""
    rounds: dict[str, tuple[float, ...]] | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.fault:
            return False
        if self.target is None:
            return None
        return self.figure >= self.target if self.at_least else self.figure <= self.target


Group = Callable[[], list[Row]]


def groups(
    plan: Plan, peers: list[Side], networks: tuple[Network, ...] = workloads.NETWORKS
) -> Iterator[tuple[str, Group]]:
    """(name, function that measures) of each group of rows that are measured together."""
    for work in ("Training", "Inference"):
        for network in networks:
            yield f"{work.lower()} {network.name}", _bound(speed, work, network, peers, plan)
    for work in ("Training", "Inference"):
        for network in networks:
            yield f"memory of {work.lower()} {network.name}", _bound(memory, work, network, peers)
    for network in networks:
        if network in (workloads.MLP_PLAIN, workloads.MLP_BN):
            yield f"tape {network.name}", _bound(tape, network, plan)
    yield "import", _bound(import_time, plan)
    yield "mnist", _bound(mnist, plan)


def _bound(function: Callable[..., list[Row]], *arguments: object) -> Group:
    return lambda: function(*arguments)


def speed(work: str, network: Network, peers: list[Side], plan: Plan) -> list[Row]:
    """minidl against each peer that does this work."""
    team = [side for side in peers if takes_part(side, work, network)]
    if not team:
        return []
    times = harness.measure([sides.MINIDL, *team], work, network, plan)
    ours = times["minidl"]
    rows = []
    for side in team:
        if side.key.endswith("-allocator"):
            continue    # it is a column of another row
        theirs, like_ours = times[side.key], times.get(f"{side.key}-allocator")
        found = harness.ratio(theirs, ours)
        rows.append(Row(
            f"{work.lower()} {network.name}", side.label, found.value,
            SPEED.get((work, side.key), {}).get(network.name), at_least=True, low=found.low, high=found.high,
            ours=milliseconds(ours), theirs=milliseconds(theirs), setting=theirs.setting,
            allocator=harness.ratio(like_ours, ours) if like_ours else None,
            rounds={key: t.seconds for key, t in times.items()},
        ))
    return rows


def takes_part(side: Side, work: str, network: Network) -> bool:
    """Whether a side has this work: JAX trains MLPs only, and a layout needs images."""
    images = len(network.inputs) == 3
    if side.key == "jax":
        return not images and work == "Training"
    if "channels-last" in side.key and not images:
        return False    # rows of numbers have no layout
    return side is not sides.STRAIGHT


def memory(work: str, network: Network, peers: list[Side]) -> list[Row]:
    """Peak memory above the bare import, against PyTorch in its default layout."""
    if sides.TORCH not in peers:
        return []
    ours, theirs = (
        harness.peak_memory(side, work, network, STEPS_FOR_MEMORY) for side in (sides.MINIDL, sides.TORCH)
    )
    if ours is None or theirs is None:
        return []
    return [Row(
        f"memory of {work.lower()} {network.name}", sides.TORCH.label, ours / theirs, MEMORY, at_least=False,
        ours=f"{ours:.1f} MiB", theirs=f"{theirs:.1f} MiB", setting=sides.TORCH.settings(work)[-1].name,
    )]


def tape(network: Network, plan: Plan) -> list[Row]:
    """minidl against its own kernels in straight-line code, which must end with the same bits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.npz"
        mine, other = (
            harness.state_after(side, "Training", network, STEPS_FOR_EQUALITY, path)
            for side in (sides.MINIDL, sides.STRAIGHT)
        )
    different = [name for name in other if not np.array_equal(mine[name], other[name])]
    times = harness.measure([sides.MINIDL, sides.STRAIGHT], "Training", network, plan)
    ours, theirs = times["minidl"], times["straight-line"]
    found = harness.ratio(ours, theirs)
    return [Row(
        f"tape {network.name}", sides.STRAIGHT.label, found.value, TAPE, at_least=False,
        low=found.low, high=found.high, ours=milliseconds(ours), theirs=milliseconds(theirs),
        fault=f"{', '.join(different)} not bit-equal: straight_line.py does other work" * bool(different),
        rounds={key: t.seconds for key, t in times.items()},
    )]


def import_time(plan: Plan) -> list[Row]:
    ours, theirs = fresh.imports(4 * plan.fresh)
    extra = [1e3 * (a - b) for a, b in zip(ours.seconds, theirs.seconds, strict=True)]
    low, high = harness.quartiles(extra)
    return [Row(
        "import minidl", "import numpy", 1e3 * (ours.median - theirs.median), IMPORT_MS, at_least=False,
        unit="ms", low=low, high=high, ours=milliseconds(ours), theirs=milliseconds(theirs),
        rounds={"minidl": ours.seconds, "numpy": theirs.seconds},
    )]


def mnist(plan: Plan) -> list[Row]:
    times = fresh.mnist(plan.fresh)
    if times is None:
        return []
    ours, theirs = times
    found = harness.ratio(ours, theirs)
    return [Row(
        "MNIST to float arrays", "gzip alone", found.value, MNIST, at_least=False, low=found.low,
        high=found.high, ours=milliseconds(ours), theirs=milliseconds(theirs),
        rounds={"minidl": ours.seconds, "gzip": theirs.seconds},
    )]


def milliseconds(times: Times) -> str:
    return f"{1e3 * times.median:.3g} ms"
