"""The process of one peer: reads orders from standard input, does them, answers; one JSON object a line.

    {"do": "setup", "job": name, "work": "Training", "network": {...}, "options": {...}}  ->  {}
    {"do": "run", "job": name, "steps": n}         ->  {"seconds": of the n steps together}
    {"do": "state", "job": name, "path": "x.npz"}  ->  {} when parameters, statistics, loss are written
    {"do": "memory"}                               ->  {"bare": MiB after the import, "peak": MiB since}

Started as  python -m tests.benchmarks.worker MODULE [CORE...] ; it imports that one peer's library, and stays
on those cores if some are given.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

from tests.benchmarks import memory


def main() -> None:
    module, *cores = sys.argv[1:]
    # What a library prints must not come between the answers: standard output becomes standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if cores:
        os.sched_setaffinity(0, [int(core) for core in cores])

    import numpy as np

    from tests.benchmarks.workloads import network_from

    peer = importlib.import_module(f"tests.benchmarks.{module}")
    memory.reset_peak()
    bare = memory.peak_mib()
    jobs: dict[str, Any] = {}

    def do(order: dict[str, Any]) -> dict[str, Any]:
        if order["do"] == "setup":
            work = getattr(peer, order["work"])
            jobs[order["job"]] = work(network_from(order["network"]), order["options"])
            return {}
        if order["do"] == "run":
            run = jobs[order["job"]].run
            start = time.perf_counter()
            run(order["steps"])
            return {"seconds": time.perf_counter() - start}
        if order["do"] == "state":
            np.savez(order["path"], **jobs[order["job"]].state())
            return {}
        if order["do"] == "memory":
            return {"bare": bare, "peak": memory.peak_mib()}
        raise ValueError(f"a worker doesn't know how to {order['do']}")

    print(json.dumps({"version": peer.version()}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            answer = do(json.loads(line))
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
