"""A check in an interpreter of its own, where the system has no `fork` that could be trusted.

Standard input is the file of requests, standard output that of results, standard error that of what is
printed.
Limits are those that the process can set for itself; it is ended from outside (runner.py).
"""

from __future__ import annotations

import os
from typing import Any

from . import child, confine, wire


def main(settings: dict[str, Any]) -> None:
    """Run one check."""
    request = child.read_request(0)
    result = os.dup(1)

    def forget() -> None:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.close(nothing)

    missing = confine.confine(settings["limits"], None, None, forget)
    missing.append("processes in sessions of their own")
    os.write(result, wire.frame({"missing": missing}))
    child.compute(request, result, settings["readable"], settings["folder"])
