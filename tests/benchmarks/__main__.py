"""The command:  python -m tests.benchmarks [--only NAME ...] [--curves] [--smoke] [--out FOLDER]."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.benchmarks import harness, rows, sides, table, workloads
from tests.benchmarks.harness import Plan
from tests.benchmarks.sides import Side

SMOKE_NETWORKS = (workloads.MLP_BN, workloads.LENET)


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    plan = harness.SMOKE if options.smoke else Plan()
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    peers = installed(options.peers)
    groups = dict(rows.groups(plan, peers, SMOKE_NETWORKS if options.smoke else workloads.NETWORKS))
    parts = options.only or [""]        # "" is in every name
    wanted = {name: measure for name, measure in groups.items() if any(part in name for part in parts)}
    if not wanted and not options.curves:
        parser().error(f"--only: no row's name contains {' or '.join(parts)}; there are {', '.join(groups)}")
    about = {**table.machine(), "cores": len(harness.two_cores() or []) or None, "versions": versions(peers)}
    print(", ".join(f"{key} {value}" for key, value in about.items() if key != "versions"))
    print(", ".join(about["versions"].values()), flush=True)

    found: list[rows.Row] = []
    for name, measure in wanted.items():
        start = time.perf_counter()
        added = measure()
        found += added
        notes = [f"{row.figure:.3g} {row.unit} against {row.against}" for row in added]
        note = ": " + (", ".join(notes) or "nothing to compare with, left out")
        print(f"[{time.perf_counter() - start:.0f} s] {name}{note}", file=sys.stderr, flush=True)
    print(table.text(found, verdict=not options.smoke))
    if not options.smoke:
        print(table.summary(found))
    result: dict[str, Any] = table.as_json(found, about, verdict=not options.smoke)

    if options.curves:
        from tests.benchmarks import curves

        result |= curves.measure_all(peers, plan, smoke=options.smoke)
        print(curves.text(result))
    if options.out:
        from tests.benchmarks import charts

        table.write(options.out / "results.json", result)
        for path in (options.out / "results.json", *charts.draw_all(result, options.out)):
            print(f"written: {path}")
    if options.smoke:
        print("Each figure is of one step or a few processes: the row works; it says nothing about speed.")
    return 0


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="minidl side by side with other libraries: each in its own process, rounds interleaved.",
    )
    keys = [side.key for side in sides.SIDES[2:]]
    known = [*keys, *[side.key for side in sides.OPTIONAL]]
    p.add_argument("--only", nargs="+", metavar="NAME", help="rows whose name contains one of these")
    p.add_argument("--peers", nargs="+", choices=known, default=keys, metavar="KEY", help=", ".join(known))
    p.add_argument("--rounds", type=int, help=f"rounds for each row (default {Plan().rounds})")
    p.add_argument("--curves", action="store_true", help="also time against width, batch, depth, channels")
    p.add_argument("--smoke", action="store_true", help="a step a row, two networks: does it work?")
    p.add_argument("--out", type=Path, metavar="FOLDER", help="write results.json and the charts there")
    return p


def installed(keys: list[str]) -> list[Side]:
    """The peers that were asked for and are there; a line for each library that isn't."""
    wanted = [side for side in (*sides.SIDES, *sides.OPTIONAL) if side.key in keys]
    for library in sorted({side.library for side in wanted if not side.installed()}):
        print(f"left out: {library} isn't installed (pip install -e .[bench])")
    return [side for side in wanted if side.installed()]


def versions(peers: list[Side]) -> dict[str, str]:
    found = {}
    for side in (sides.MINIDL, *peers):
        if side.module not in found:
            with harness.Worker(side) as worker:
                found[side.module] = worker.version
    return found


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit("interrupted")
