"""Files that are there whole or not at all, with nothing but portable calls."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file to write to: it takes the place of `path` when the block ends, or vanishes if it raises.

    Missing folders are made. The file that a symlink names is replaced, and not the link. A file that is
    replaced hands its mode on. A device or a pipe can't be replaced: it gets the bytes as they come.

    Raises:
        OSError: if it can't be written; what was there before is still there.

    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    with folder_made(target.parent):
        try:
            with temporary.open("xb") as file:
                yield file
            if target.exists() and target.stat().st_mode != temporary.stat().st_mode:
                shutil.copymode(target, temporary)      # where they differ alone: some disks know no modes
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Delete what killed processes left of their temporary files; call it where no other process writes."""
    for leftover in folder.glob(".*.part"):
        try:
            leftover.unlink()
        except OSError:  # Windows: still open in a process that is alive; it will remove it itself
            continue


@contextmanager
def folder_made(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; if the block raises, those of them that are empty vanish again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in made:
            try:
                path.rmdir()
            except OSError:     # something was put there, or another process was faster
                break
        raise
