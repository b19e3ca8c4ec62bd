"""What students get, as a folder: library, tutorials and handouts, and nothing of the instructors'."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from minidl.files import folder_made

_TOP = ("README.md", "pyproject.toml", "minidl", "tutorials", "datasets/README.md")
_NOT_FOR_STUDENTS = ("tutorials/assignments/GRADING.md",)
_CUT = re.compile(r"<!-- not for students -->\n.*?<!-- for all -->\n\n?", re.DOTALL)   # in pages
_LEFT_OUT = ("__pycache__", "runs", "build", "dist", "fast")      # fast: figures of synthetic digits


def files_of(folder: Path) -> list[Path]:
    """The files below a folder that belong to it: no caches, nothing hidden."""
    def belongs(path: Path) -> bool:
        parts = path.relative_to(folder).parts
        return not any(part in _LEFT_OUT or part.startswith(".") for part in parts)

    return [path for path in sorted(folder.rglob("*")) if path.is_file() and belongs(path)]


def export_student_tree(root: Path, target: Path) -> list[str]:
    """Copy what students get; the names of the files. Pages lose what is marked as not for students.

    Args:
        root: a checkout of the course.
        target: a new or empty folder.

    Raises:
        ValueError: no checkout, or a folder that isn't empty.

    """
    if not (root / "pyproject.toml").is_file():
        raise ValueError(f"{root}: expected a checkout of the course with its pyproject.toml, got none")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"{target}: expected a new or empty folder, got one with something in it")
    names: list[str] = []
    with folder_made(target):
        for top in _TOP:
            path = root / top
            files = [path] if path.is_file() else files_of(path) if path.is_dir() else []
            names += [file.relative_to(root).as_posix() for file in files]
        names = [name for name in names if name not in _NOT_FOR_STUDENTS]
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, target / name)
            if name.endswith(".md"):
                text = (root / name).read_text(encoding="utf-8")
                (target / name).write_text(_CUT.sub("", text), encoding="utf-8", newline="\n")
    return names
