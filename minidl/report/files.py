"""Folders of results: nothing half-written stays, and nothing that is there is overwritten."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def results_folder(given: str | None, name: str) -> Path:
    """Where results will go: the folder given, or a new one under runs/; checked before anything is computed.

    Raises:
        ValueError: a folder that holds something already.
        OSError: a folder that can't be written.

    """
    target = Path(given) if given else Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(
            f"results folder {target}: expected a new or empty folder, got one with files: choose another"
        )
    parent = _nearest(target)
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise OSError(
            f"results folder {target}: can't write in {parent} ({error.strerror}): choose another folder"
        ) from error
    return target


def _nearest(path: Path) -> Path:
    """The folder itself or the nearest above it that exists."""
    for folder in (path, *path.absolute().parents):
        if folder.exists():
            if not folder.is_dir():
                raise ValueError(f"results folder {path}: {folder} is a file, not a folder: choose another")
            return folder
    raise ValueError(f"results folder {path}: no folder above it exists: choose another")


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """A folder to write into, which gets its name when all is written, and vanishes if writing fails."""
    # Inside an empty folder of the user's, since its parent may be another disk, or read-only.
    place = target if target.is_dir() else target.absolute().parent
    place.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".minidl-", dir=place))
    try:
        yield unfinished
        if target.exists():
            if not all(path.name.startswith(".minidl-") for path in target.iterdir()):
                raise FileExistsError(f"results folder {target}: another run has written there")
            for path in list(unfinished.iterdir()):
                os.replace(path, target / path.name)
            unfinished.rmdir()
        else:
            unfinished.chmod(0o755)     # mkdtemp's are private
            os.replace(unfinished, target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Write plain data as JSON, strictly: no NaN."""
    text = json.dumps(content, indent=indent, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
