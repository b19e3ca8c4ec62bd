"""The most memory that this process has had, in MiB; it imports nothing that would count."""

from __future__ import annotations

import sys


def reset_peak() -> None:
    """Let the peak start again from what is in use now, where the system can (Linux).

    An import may need more for a moment than it keeps; without this the difference would hide in there.
    """
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass


def peak_mib() -> float | None:
    """VmHWM on Linux, ru_maxrss on macOS; None where neither is to be had."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
