"""Who is measured: each side's module, how it is started, and the settings of which the fastest counts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

# For the column "same allocator": what minidl.engine.memory sets for itself. Arrays of any size come from
# glibc's heap, and the heap keeps what is freed.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
}

# What a user's shell may hold and the peers shall not see: each chooses its own threads and allocator.
SCRUBBED = ("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "MALLOC_", "GLIBC_", "XLA_", "JAX_", "PYTHON")


@dataclass(frozen=True, eq=False)     # compared and hashed by identity: options are a dict
class Setting:
    """One way to run a side.

    Attributes:
        name: in the table, such as "2 threads, fused".
        options: for the peer's classes.
        cores: to how many cores the process is held; None for all of the benchmark's.

    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    cores: int | None = None


@dataclass(frozen=True, eq=False)
class Side:
    """One library in one configuration.

    Attributes:
        key: for --peers and for the JSON.
        label: for the table and the charts.
        module: in tests/benchmarks.
        library: what must be installed.
        training: settings to choose from, for training.
        inference: the same for inference; empty if this side does none.
        environment: variables that its process gets.

    """

    key: str
    label: str
    module: str
    library: str
    training: tuple[Setting, ...]
    inference: tuple[Setting, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def settings(self, work: str) -> tuple[Setting, ...]:
        return self.inference if work == "Inference" else self.training

    def installed(self) -> bool:
        return find_spec(self.library) is not None


def _torch(key: str, label: str, layout: str, environment: dict[str, str]) -> Side:
    threads = (1, 2)
    return Side(
        key, label, "peer_torch", "torch",
        tuple([
            Setting(f"{_threads(n)}, {sgd}", {"threads": n, "sgd": sgd, "layout": layout})
            for n in threads for sgd in ("foreach", "fused")
        ]),
        tuple([Setting(_threads(n), {"threads": n, "layout": layout}) for n in threads]),
        environment,
    )


def _threads(n: int) -> str:
    return f"{n} thread{'s' * (n > 1)}"


_OWN = (Setting(""),)       # minidl chooses its threads by itself, as it does for a user

MINIDL = Side("minidl", "minidl", "peer_minidl", "minidl", _OWN, _OWN)
# Not part of the table: what minidl would do if it left its second core alone.
MINIDL_ONE = Side(
    "minidl-1-thread", "minidl, 1 thread", "peer_minidl", "minidl", _OWN, _OWN, {"OPENBLAS_NUM_THREADS": "1"}
)
STRAIGHT = Side("straight-line", "straight-line NumPy", "straight_line", "numpy", _OWN)
TORCH = _torch("torch", "PyTorch", "default", {})
TORCH_LAST = _torch("torch-channels-last", "PyTorch channels_last", "channels_last", {})
TORCH_ALLOCATOR = _torch("torch-allocator", "PyTorch, same allocator", "default", ALLOCATOR)
TORCH_LAST_ALLOCATOR = _torch(
    "torch-channels-last-allocator", "PyTorch channels_last, same allocator", "channels_last", ALLOCATOR
)
# XLA has no setting for the number of its threads; held to one core it uses one.
JAX = Side(
    "jax", "JAX, jitted step", "peer_jax", "jax", (Setting(_threads(1), cores=1), Setting(_threads(2))),
    environment={"JAX_PLATFORMS": "cpu"},
)

SIDES = (MINIDL, STRAIGHT, TORCH, TORCH_LAST, TORCH_ALLOCATOR, TORCH_LAST_ALLOCATOR, JAX)
OPTIONAL = (MINIDL_ONE,)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would choose threads or an allocator for a peer."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SCRUBBED)}
