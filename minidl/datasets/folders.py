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
    """A folder with data sets, each in a subfolder of its name.

    Attributes:
        path: the folder.
        own: whether its files are ours to replace.

    """

    path: Path
    own: bool


def places() -> list[Place]:
    """The folders that are searched, first one first.

    MINIDL_DATASETS, where it is set; `datasets/` of the checkout, when working from one; the user's cache.

    Raises:
        ValueError: MINIDL_DATASETS names no folder that is there, or a data set's own folder.

    """
    found = []
    value = os.environ.get(VARIABLE)
    if value:
        path = Path(value).expanduser().absolute()
        if path.exists() and not path.is_dir():
            raise ValueError(f"{VARIABLE} is {path}, a file: set it to the folder that holds mnist/")
        if not path.exists():   # made on the way, it would hide a typing error behind a download
            raise ValueError(f"{VARIABLE} is {path}, which is not there: correct it, or make that folder")
        if any(path.glob("*-ubyte.gz")):
            raise ValueError(f"{VARIABLE} is {path}, which holds the files itself: set it to {path.parent}")
        found.append(Place(path, own=False))
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "datasets").is_dir():
        found.append(Place(checkout / "datasets", own=True))
    cache = cache_folder()
    if cache:
        found.append(Place(cache, own=True))
    return found


def cache_folder() -> Path | None:
    """The user's own cache for data sets, as each system wants it; None for a user without a home."""
    variable, usual = {
        "win32": ("LOCALAPPDATA", "~/AppData/Local"),
        "darwin": ("", "~/Library/Caches"),
    }.get(sys.platform, ("XDG_CACHE_HOME", "~/.cache"))
    value = os.environ.get(variable, "") if variable else ""
    root = Path(value if os.path.isabs(value) else os.path.expanduser(usual))
    return root / "minidl" / "datasets" if root.is_absolute() else None


def landing(name: str) -> Path | None:
    """The subfolder that data set `name` is to be written to; None if no folder is writable."""
    return next((folder for place in places() if _writable(folder := place.path / name)), None)


def _writable(folder: Path) -> bool:
    """Tried rather than asked: os.access is wrong on Windows and on shares."""
    try:
        nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        # An administrator can write to a folder that was marked read-only; here the mark is respected.
        if os.name == "posix" and not nearest.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            return False
        trial = nearest / f".{os.urandom(4).hex()}.part"
        trial.touch(exist_ok=False)
        trial.unlink()
    except (OSError, StopIteration):  # StopIteration: a drive that doesn't exist
        return False
    return True
