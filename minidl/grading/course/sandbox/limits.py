"""How much of everything a submission gets."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes:
        cpu_seconds: of processor time, for each process of a check.
        wall_seconds: of a check, sleep included. More than `cpu_seconds`, as the machine may be busy.
        submission_seconds: of all checks of a submission together.
        timeouts: after so many checks that ran out of time the rest isn't run.
        memory: bytes of address space, for each process.
        file_size: bytes of any one file that it writes, its output and its results included.
        open_files: descriptors, for each process.
        processes: of a check, threads included where the system counts them.
        result_size: bytes that are read of what a check returned.
        output_size: bytes that are kept of what it printed.

    """

    cpu_seconds: int = 5
    wall_seconds: float = 15.0
    submission_seconds: float = 45.0
    timeouts: int = 2
    memory: int = 2**30
    file_size: int = 2**24
    open_files: int = 64
    processes: int = 32
    result_size: int = 2**24
    output_size: int = 2000

    def plain(self) -> dict[str, float]:
        """As numbers by name, for the processes that work with them."""
        return asdict(self)
