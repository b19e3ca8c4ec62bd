"""What a result was obtained with: versions, machine, threads."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from minidl.engine.blocks import cores, get_threads


@dataclass(frozen=True)
class Environment:
    """Versions and machine of a run.

    Attributes:
        minidl: version of minidl, as installed.
        python: version of Python.
        numpy: version of NumPy.
        blas: name and version of the BLAS that NumPy was built with.
        platform: "linux", "darwin", "win32".
        machine: the processor's kind, such as "x86_64".
        cores: that the process may use.
        threads: that minidl used.

    """

    minidl: str
    python: str
    numpy: str
    blas: str
    platform: str
    machine: str
    cores: int
    threads: int


def environment() -> Environment:
    """The present process's environment. It names no host and no user."""
    try:
        own = version("minidl")
    except PackageNotFoundError:
        own = "not installed"
    config = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"] if isinstance(config, dict) else {}
    return Environment(
        own,
        platform.python_version(),
        np.__version__,
        f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        sys.platform,
        platform.machine(),
        cores(),
        get_threads(),
    )
