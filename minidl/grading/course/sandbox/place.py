"""Where a submission's interpreter finds itself: what it may read, its environment, and how it is started."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np

import minidl

HERE = Path(__file__).parent
# NumPy is imported while the folder of all packages is on the path, which then is taken away again.
_START = """
import importlib, importlib.util, json, sys
settings = json.loads(sys.argv[1])
sys.path.insert(0, settings["packages"])
import numpy
sys.path[:] = sys.path[1:] + settings["keep"]
if settings["keep"]:
    import minidl
spec = importlib.util.spec_from_file_location(
    "sandbox", settings["here"] + "/__init__.py", submodule_search_locations=[settings["here"]])
sys.modules["sandbox"] = importlib.util.module_from_spec(spec)
importlib.import_module("sandbox." + settings["role"]).main(settings)
"""
_PACKAGES = ("site-packages", "dist-packages")


def command(role: str, settings: dict[str, Any]) -> list[str]:
    """The command line of the "keeper", or of a process "alone": Python without the user's packages.

    Args:
        role: which file of this folder is run.
        settings: that its `main` gets.

    """
    packages = {"role": role, "here": str(HERE), "packages": str(Path(np.__file__).parents[1])}
    return [sys.executable, "-s", "-P", "-S", "-c", _START, json.dumps(packages | settings)]


def environment(folder: Path) -> dict[str, str]:
    """The environment variables of a submission: nothing of the user's, one thread, sets in one order."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "SYSTEMDRIVE") if name in os.environ}
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
    own = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "USERPROFILE", "MPLCONFIGDIR"), str(folder))
    return kept | threads | own | {
        "PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "MPLBACKEND": "Agg",
        "VECLIB_MAXIMUM_THREADS": "1",
    }


def library_path() -> list[str]:
    """Where `minidl` and what it needs are imported from, for the assignments that allow it."""
    return [str(Path(np.__file__).parents[1]), str(Path(minidl.__file__).parents[1])]


def readable(library: bool) -> list[str]:
    """Files and folders that Python and NumPy are made of, without the packages beside them."""
    standard = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    numpy = Path(np.__file__).parent
    paths = [path for folder in standard for path in folder.iterdir() if path.name not in _PACKAGES]
    paths += [numpy, numpy.with_name("numpy.libs"), *Path(sys.base_prefix, "lib").glob("lib*.so*")]
    paths += [Path(sys.base_prefix, "DLLs")]        # Windows
    paths += [Path(name) for name in ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo")]
    paths += [Path(name) for name in ("/etc/ld.so.cache", "/dev/urandom", "/System/Library")]
    if library:
        paths += [numpy.parent, Path(minidl.__file__).parent]
    return [str(path) for path in paths if path.exists()]


def needed() -> list[str]:
    """A file each of Python, NumPy and the sandbox: a user who can read them can run a submission."""
    return [np.__file__, os.__file__, str(HERE / "wire.py")]
