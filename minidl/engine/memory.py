"""Memory for large arrays: the allocator keeps what an array gave back, for the next one.

A training step makes the same large arrays as the step before. glibc gives such memory back to the system at
once, and fetches it again page by page, each of 4 KiB zeroed and mapped on its first use: a third of the time
that a small convolutional network takes. tests/benchmarks/README.md has the figures and the alternatives.

The price: a process that once needed much memory keeps it, for its own next arrays. Only what is free at the
heap's end goes back, and of that all but KEPT. To leave glibc as it is, set MALLOC_MMAP_MAX_=65536.
"""

from __future__ import annotations

import os
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4       # from glibc's malloc.h
KEPT = 1 << 28          # bytes of freed memory at the heap's end from which on glibc gives it back
SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Let glibc keep the memory of freed arrays in this process; whether it will.

    Not on other systems, nor where the user has set the allocator's variables.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in SETTINGS):
        return False
    try:
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
    except (ImportError, OSError, AttributeError):      # a Python built without libffi; musl has no mallopt
        return False
    # No array gets pages of its own (mmap), which would go back with it: M_MMAP_THRESHOLD ends at 32 MiB.
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, KEPT))
