"""Step time as curves: against width, batch, depth and channels; and the tape's cost against its records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.benchmarks import harness, sides
from tests.benchmarks.harness import Plan, Times
from tests.benchmarks.sides import Setting, Side
from tests.benchmarks.workloads import MLP_PLAIN, Network, cnn, mlp

FLOOR = 0.8     # PyTorch's time over minidl's shall nowhere be less
RECORDS = (10, 30, 100, 300, 1_000, 3_000, 10_000)


@dataclass(frozen=True)
class Axis:
    """One thing that is varied.

    Attributes:
        name: for the JSON.
        label: for the chart.
        about: the network, in words.
        values: that it takes.
        network: the network for a value.

    """

    name: str
    label: str
    about: str
    values: tuple[int, ...]
    network: Callable[[int], Network]


AXES = (
    Axis(
        "width", "units in each hidden layer", "784-w-w-w-10, sigmoid, BN, batch 60",
        (64, 128, 256, 512, 1024, 2048),
        lambda w: mlp(f"width-{w}", (w, w, w), 60, batch_norm=True),
    ),
    # Without BN: it has no training step on a batch of one.
    Axis(
        "batch", "examples in a batch", "784-100-100-100-10, sigmoid",
        (1, 4, 16, 64, 256, 1024),
        lambda n: mlp(f"batch-{n}", (100, 100, 100), n, batch_norm=False),
    ),
    Axis(
        "depth", "hidden layers", "784-100-...-100-10, sigmoid, BN, batch 60",
        (1, 2, 4, 8, 16, 32),
        lambda d: mlp(f"depth-{d}", (100,) * d, 60, batch_norm=True),
    ),
    Axis(
        "channels", "channels of the images and of each layer",
        "28 x 28 x c images, CNN 3 x 3: c, c channels, batch 32",
        (1, 3, 8, 16, 32, 64),
        lambda c: cnn(f"channels-{c}", (c, c), 3, 32, image=(28, c)),
    ),
)


def measure_all(peers: Sequence[Side], plan: Plan, smoke: bool) -> dict[str, Any]:
    """Everything that `text` prints and the charts show, ready for JSON."""
    plan = replace(plan, rounds=max(1, plan.rounds // 2))
    team = [side for side in (sides.TORCH, sides.TORCH_LAST) if side in peers]
    found = {}
    for axis in AXES:
        values = axis.values[:2] if smoke else axis.values
        found[axis.name] = _curve(axis, values, team, plan)
    return {"curves": found, "tape": _tape(RECORDS[:3] if smoke else RECORDS, plan)}


def _curve(axis: Axis, values: Sequence[int], team: Sequence[Side], plan: Plan) -> dict[str, Any]:
    images = axis.name == "channels"
    team = [sides.MINIDL, *[side for side in team if images or side is not sides.TORCH_LAST]]
    points: dict[str, list[dict[str, Any]]] = {side.key: [] for side in team}
    for value in values:
        times = harness.measure(team, "Training", axis.network(value), plan)
        for key, t in times.items():
            low, high = t.spread
            points[key].append({"median": t.median, "low": low, "high": high, "setting": t.setting})
    return {
        "label": axis.label, "about": axis.about, "values": list(values),
        "series": {side.key: {"label": side.label, "points": points[side.key]} for side in team},
    }


def _tape(counts: Sequence[int], plan: Plan) -> dict[str, Any]:
    """Seconds for recording and replaying so many tiny ops, and the straight line through them."""
    settings = [(sides.MINIDL, Setting(str(n), {"records": n})) for n in counts]
    with harness.jobs(settings, "Records", MLP_PLAIN) as team:
        rounds = harness.take_turns(team, plan.rounds, plan.seconds / 2)
    seconds = [Times(tuple(t)).median for t in rounds]
    start, slope = fit_line(counts, seconds)
    deviations = [t / (start + slope * n) - 1 for n, t in zip(counts, seconds, strict=True)]
    return {
        "records": list(counts), "seconds": seconds, "start": start, "per_record": slope,
        "deviation": max(deviations, key=abs),
    }


def fit_line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """(a, b) of y = a + b·x with the least sum of squared relative deviations."""
    slope, start = np.polyfit(x, y, 1, w=1 / np.asarray(y))
    return float(start), float(slope)


def ratios(curve: dict[str, Any], key: str) -> list[float]:
    """Another side's time over minidl's, at each value."""
    ours, theirs = (curve["series"][k]["points"] for k in ("minidl", key))
    return [b["median"] / a["median"] for a, b in zip(ours, theirs, strict=True)]


def lowest(found: dict[str, Any], key: str = "torch") -> tuple[float, str, int] | None:
    """(ratio, axis, value) where minidl does worst against a side; None if that side wasn't measured."""
    places = [
        (r, axis, value)
        for axis, curve in found["curves"].items() if key in curve["series"]
        for r, value in zip(ratios(curve, key), curve["values"], strict=True)
    ]
    return min(places) if places else None


def text(found: dict[str, Any]) -> str:
    """The curves as tables, the lowest ratio, and the tape's line."""
    lines = []
    for curve in found["curves"].values():
        lines += ["", f"step time in ms against {curve['label']} ({curve['about']})"]
        keys = list(curve["series"])
        heads = [curve["series"][k]["label"] for k in keys] + [f"{k}/minidl" for k in keys[1:]]
        lines.append("  ".join([f"{'':>6}", *[f"{h:>22}" for h in heads]]))
        for i, value in enumerate(curve["values"]):
            cells = [f"{1e3 * curve['series'][k]['points'][i]['median']:.3g}" for k in keys]
            cells += [f"{ratios(curve, k)[i]:.2f}x" for k in keys[1:]]
            lines.append("  ".join([f"{value:>6}", *[f"{c:>22}" for c in cells]]))
    worst = lowest(found)
    if worst is not None:
        ratio, axis, value = worst
        lines += ["", f"lowest PyTorch/minidl ratio: {ratio:.2f}x at {axis} {value} (floor {FLOOR})"]
    tape = found["tape"]
    lines += ["", (
        f"tape: {1e6 * tape['start']:.1f} us + {1e6 * tape['per_record']:.2f} us a record (recorded and "
        f"replayed), from {tape['records'][0]} to {tape['records'][-1]} records; "
        f"largest deviation from the line {tape['deviation']:+.1%}"
    )]
    return "\n".join(lines)
