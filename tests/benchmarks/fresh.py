"""What is measured once a process: importing minidl, and reading MNIST."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from tests.benchmarks.harness import ROOT, Times
from tests.benchmarks.sides import clean_environment

IMPORT = """
import time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""

# One call for a whole file: gzip.open and read would take longer.
GUNZIP = """
import gzip, sys, time
start = time.perf_counter()
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        gzip.decompress(file.read())
print(time.perf_counter() - start)
"""

READ_MNIST = """
import time
import minidl
start = time.perf_counter()
minidl.datasets.mnist()
print(time.perf_counter() - start)
"""


def imports(repeats: int) -> tuple[Times, Times]:
    """Seconds that `import minidl` and `import numpy` take, each in fresh processes."""
    return _alternate(IMPORT.format(module="minidl"), IMPORT.format(module="numpy"), (), repeats)


def mnist(repeats: int) -> tuple[Times, Times] | None:
    """Seconds from MNIST's files to float arrays, and for gzip alone; None without the files."""
    paths = mnist_files()
    return _alternate(READ_MNIST, GUNZIP, paths, repeats) if paths else None


def mnist_files() -> list[str]:
    """Where MNIST's four files lie on this machine; none unless all do. Nothing is downloaded."""
    from minidl.datasets import local, manifest

    findings = local.inspect(manifest.sources()["mnist"])
    return [str(f.path) for f in findings] if all(f.raw for f in findings) else []


def _alternate(ours: str, theirs: str, arguments: Sequence[str], repeats: int) -> tuple[Times, Times]:
    times: tuple[list[float], list[float]] = ([], [])
    for script in (ours, theirs):
        _run(script, arguments)     # so that compiled modules and files are in the system's cache
    for _ in range(repeats):
        for script, into in zip((ours, theirs), times, strict=True):
            into.append(_run(script, arguments))
    return Times(tuple(times[0])), Times(tuple(times[1]))


def _run(script: str, arguments: Sequence[str]) -> float:
    result = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, encoding="utf-8", check=True,
    )
    return float(result.stdout)
