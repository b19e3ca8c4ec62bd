"""An autograder for Gradescope: a zip of the library, one assignment with its checks, and two scripts."""

from __future__ import annotations

import shlex
import zipfile
from pathlib import Path

import minidl
from minidl.files import replacing
from minidl.grading.course.assignment import Assignment
from minidl.grading.course.find import find_checks, hidden_folder
from minidl.grading.course.trees import files_of

NEEDED = ("numpy>=2.0", "matplotlib>=3.8", "tqdm>=4.66", "threadpoolctl>=3.5")      # as in pyproject.toml

_SETUP = """#!/usr/bin/env bash
# Runs once, as root and with a network, while Gradescope builds the image: Python 3.11 or later with NumPy,
# in a folder of its own. Everything else is in the zip. Grading itself needs no network.
set -euo pipefail
root="${AUTOGRADER:-/autograder}"

find_python() {
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

if ! python=$(find_python); then
    apt-get update
    apt-get install -y python3.11 python3.11-venv
    python=$(find_python)
fi
if ! "$python" -m venv "$root/venv"; then
    apt-get update
    apt-get install -y "$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"
    "$python" -m venv --clear "$root/venv"
fi
if ! "$root/venv/bin/python" -c 'import numpy, matplotlib, tqdm, threadpoolctl' 2> /dev/null; then
    "$root/venv/bin/python" -m pip install --no-cache-dir @NEEDED@
fi
# The submission runs as a user of its own, for whom the hidden checks don't exist.
if [ -d "$root/source/hidden" ]; then
    chmod -R go-rwx "$root/source/hidden"
fi
"""

_RUN = """#!/usr/bin/env bash
# Runs for each submission, and writes results/results.json.
set -euo pipefail
root="${AUTOGRADER:-/autograder}"
export PYTHONPATH="$root/source/library${PYTHONPATH:+:$PYTHONPATH}" OPENBLAS_NUM_THREADS=1
file="$root/submission/"@STARTER@
if [ ! -f "$file" ] || [ -L "$file" ]; then     # a link may lead to the hidden checks
    others=("$root"/submission/*.py)
    if [ ${#others[@]} -eq 1 ] && [ -f "${others[0]}" ] && [ ! -L "${others[0]}" ]; then
        file="${others[0]}"
    else
        printf '{"score": 0, "output": "expected a file %s"}\\n' @STARTER@ > "$root/results/results.json"
        exit 0
    fi
fi
# 1 says that a check failed, as the results do; anything else is the grader's trouble, not the student's.
"$root/venv/bin/python" -P -m minidl grade @NAME@ "$file" @OPTIONS@ \\
    --assignments "$root/source/assignments" --json "$root/results/results.json" || [ $? -eq 1 ]
"""


def export_gradescope(assignment: Assignment, out: Path, hidden: Path | None, seed: int | None) -> list[str]:
    """Write the zip; the names of what is in it.

    Args:
        assignment: the one that is graded.
        out: the zip.
        hidden: folder of the instructors' checks; they are in the zip then.
        seed: draws the inputs; it is in the zip then.

    Raises:
        ValueError: checks that can't be used, or an assignment without any.

    """
    if not find_checks(assignment, hidden, seed):
        raise ValueError(f"{assignment.name} has no checks: it is marked by hand, and needs no autograder")
    folders = {
        "library/minidl": Path(minidl.__file__).parent,
        f"assignments/{assignment.folder.name}": assignment.folder,
    }
    options = ""
    if hidden is not None:
        folders[f"hidden/{assignment.folder.name}"] = hidden_folder(assignment, hidden)
        options += ' --hidden "$root/source/hidden"'
    if seed is not None:
        options += f" --seed {seed}"
    run = _RUN.replace("@STARTER@", shlex.quote(assignment.starter)).replace("@OPTIONS@", options.strip())
    scripts = {
        "setup.sh": _SETUP.replace("@NEEDED@", shlex.join(NEEDED)),
        "run_autograder": run.replace("@NAME@", shlex.quote(assignment.name)),
    }
    with replacing(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in scripts.items():
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, text)
        for inside, folder in folders.items():
            for path in files_of(folder):
                name = path.relative_to(folder).as_posix()
                if not (inside.startswith("hidden/") and _only_for_tests(name)):
                    archive.write(path, f"{inside}/{name}")
        return archive.namelist()


def _only_for_tests(name: str) -> bool:
    """What proves that the checks are right, and has no business where submissions run."""
    return name.startswith(("right/", "test_")) or name in ("wrong.toml", "library.py")
