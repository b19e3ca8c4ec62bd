"""The package as a whole: what importing it loads, on which systems, and the rules of the house."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import minidl

ROOT = Path(minidl.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

HIDDEN = """
import builtins, os, sys
for name in ("fork", "forkpty", "register_at_fork", "sched_getaffinity", "killpg", "setsid"):
    if hasattr(os, name):
        delattr(os, name)
real = builtins.__import__
def guarded(name, *rest, **options):
    caller = rest[0].get("__name__", "") if rest and rest[0] else ""
    if name.split(".")[0] in ("fcntl", "resource") and caller.startswith("minidl"):
        raise ModuleNotFoundError(f"No module named {name!r}")
    return real(name, *rest, **options)
builtins.__import__ = guarded
"""


def run(script):
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_importing_it_loads_neither_matplotlib_nor_tqdm_nor_urllib():
    script = "import minidl, sys; print(*sorted(sys.modules))"
    result = run(script)
    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.split())
    assert "minidl.engine.tape" in loaded
    assert not loaded & {"matplotlib", "tqdm", "urllib.request", "http.client", "ssl", "threadpoolctl"}


def test_every_module_can_be_imported_without_fcntl_resource_and_fork():
    names = [".".join(("minidl", *path.relative_to(ROOT).with_suffix("").parts)) for path in FILES]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    imports = "\n".join(f"import {name}" for name in names)
    result = run(f"{HIDDEN}\n{imports}\nimport minidl\nminidl.Tensor([1.0]).exp()\nprint('ok')")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "ok"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_short_and_its_first_line_says_what_the_room_is_for(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 400
    assert lines[0].startswith('"""')
    assert len(lines[0]) > 20
    assert ast.get_docstring(ast.parse("\n".join(lines)))


LEVELS = [
    {"checks", "files"},
    {"engine", "datasets", "init", "schedules"},
    {"ops", "optim", "instruments", "plots"},
    {"layers", "losses"},
    {"training", "gradchecks", "grading"},
    {"experiments"},
    {"report"},
    {"cli", "__main__"},
]


def level(name):
    return next(i for i, names in enumerate(LEVELS) if name in names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_run_downwards_only(path):
    """Modules that are imported for their types alone, or inside a function, count too."""
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "minidl":
            parts = node.module.split(".")
            targets = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            targets = [parts[1] for parts in names if parts[0] == "minidl" and len(parts) > 1]
        else:
            continue
        known = [target for target in targets if any(target in names for names in LEVELS)]
        assert all(level(target) <= level(own) for target in known), f"{own} imports {targets}"


def modules_imported(path):
    """The modules of the package that a file names in its imports, those for types or in functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_circles():
    """A folder's __init__ is what others import it by, and imports its files: it isn't followed."""
    names = {".".join(("minidl", *path.relative_to(ROOT).with_suffix("").parts)): path for path in FILES}
    graph = {name: set(modules_imported(path)) & names.keys() - {name} for name, path in names.items()}
    sorter = graphlib.TopologicalSorter(graph)
    sorter.prepare()        # raises graphlib.CycleError, which names the circle
    assert graph["minidl.engine.tape"] >= {"minidl.engine.record", "minidl.engine.tensor"}


def test_the_public_names_are_there():
    for name in (
        "Tensor", "Parameter", "Tape", "record", "grad", "value_and_grad", "gradcheck", "detect_anomaly",
        "datasets", "batches", "optim", "losses", "evaluate", "fit", "plots", "experiments", "set_threads",
        "summary", "init", "schedules", "layers", "training", "ops",
    ):
        assert getattr(minidl, name) is not None, name
    assert set(dir(minidl)) >= {"Tape", "fit", "plots"}
    with pytest.raises(AttributeError, match="no_such_name"):
        minidl.no_such_name  # noqa: B018 (that it raises is the point)
