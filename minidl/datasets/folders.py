"""Where data sets are looked for, in which order, and where new ones land."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "MINIDL_DATASETS"


@dataclass(frozen=True)
class Place:
    """A folder with data sets, each in a subfolder of its name; `own`: its files are ours to replace."""

    path: Path
    own: bool


def places() -> list[Place]:
    """The folders that are searched, first one first.

    MINIDL_DATASETS, where it is set; `datasets/` of the checkout, when working from one; the user's cache.
    Raises ValueError where MINIDL_DATASETS names something that isn't a folder.
    """
    found = []
    value = os.environ.get(VARIABLE)
    if value:
        path = Path(value).expanduser().absolute()
        if path.exists() and not path.is_dir():
            raise ValueError(f"{VARIABLE} is {path}, a file: set it to the folder that holds mnist/")
        found.append(Place(path, own=False))
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "datasets").is_dir():
        found.append(Place(checkout / "datasets", own=True))
    found.append(Place(cache_folder(), own=True))
    return found


def cache_folder() -> Path:
    """The user's own cache for data sets, as each system wants it."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        root = Path(base) if base else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME")
        root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "minidl" / "datasets"


def landing(name: str) -> Path | None:
    """The subfolder that data set `name` is written to, made if missing; None if no folder is writable."""
    return next((folder for place in places() if _writable(folder := place.path / name)), None)


def _writable(folder: Path) -> bool:
    """Tried rather than asked: os.access is wrong on Windows and on shares."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    # An administrator can write to a folder that was marked read-only; here the mark is respected.
    if os.name == "posix" and not nearest.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        return False
    trial = folder / f".{os.urandom(4).hex()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError:
        return False
    return True
