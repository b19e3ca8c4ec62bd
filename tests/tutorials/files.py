"""The tutorials: where they lie, their cells, and how one is run in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "tutorials"
FIGURES = FOLDER / "figures"
TUTORIALS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def cells(path: Path) -> list[tuple[str, list[str]]]:
    """The cells of a file in percent format: kind, "markdown" or "code", and lines."""
    found: list[tuple[str, list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# %%"):
            found.append(({"# %%": "code", "# %% [markdown]": "markdown"}[line], []))
        else:
            found[-1][1].append(line)
    return found


def figures_of(path: Path) -> list[str]:
    """The names of the figures that a tutorial saves."""
    return re.findall(r'/ "(\d\d_\w+\.png)"', path.read_text(encoding="utf-8"))


def start(
    script: Path, *arguments: str, folder: Path, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder and wait for it: no display, one BLAS thread, several minutes at most."""
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("MINIDL_FAST", "MINIDL_SEED")},
        "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", **(variables or {}),
    }
    return subprocess.run(
        [sys.executable, str(script), *arguments], cwd=folder, env=environment, capture_output=True,
        encoding="utf-8", timeout=900, check=False,
    )


def beside(folder: Path) -> None:
    """Put into a folder what tutorials read from their own: the verdicts."""
    for path in FOLDER.glob("*.json"):
        shutil.copy(path, folder)


def copied(tutorial: Path, folder: Path) -> Path:
    """A copy, whose figures don't land among those of the checkout."""
    beside(folder)
    return Path(shutil.copy(tutorial, folder))
