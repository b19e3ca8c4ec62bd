"""The working folder of a submission: emptied after each check, whatever was built in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MOST = 100_000     # files and folders that are looked at


def empty(folder: str) -> None:
    """Delete all that lies in a folder, also what its owner locked, and folders nested thousands deep.

    Without recursion, and without paths longer than two names: a folder's folders are moved to the top first.
    """
    number = 0
    for _ in range(_MOST):
        entries = list(os.scandir(folder))
        if not entries:
            return
        for entry in entries:
            try:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                os.chmod(entry.path, 0o700)
                for inner in list(os.scandir(entry.path)):
                    if not inner.is_dir(follow_symlinks=False):
                        os.unlink(inner.path)
                        continue
                    os.chmod(inner.path, 0o700)
                    number += 1
                    os.rename(inner.path, os.path.join(folder, f"nested-{os.getpid()}-{number}"))
                os.rmdir(entry.path)
            except OSError:     # kept open (Windows), or the submission's rights are stranger than this
                shutil.rmtree(entry.path, ignore_errors=True)
                if os.path.lexists(entry.path):
                    return


def remove(folder: Path) -> None:
    """Empty the folder and delete it, as far as the system lets us."""
    empty(str(folder))
    shutil.rmtree(folder, ignore_errors=True)
