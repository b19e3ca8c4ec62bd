"""What leaves the house: Gradescope's zip, the students' tree, wheel and sdist; and that no solution does."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.cli import main
from minidl.grading.course.export_gradescope import NEEDED, export_gradescope
from minidl.grading.course.trees import export_student_tree, files_of
from tests.grading.course import tiny

ROOT = Path(minidl.__file__).parents[1]
SECRET = ROOT / "tests" / "assignments"

checkout = pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="no checkout")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def secrets():
    """The digest of everything under tests/assignments that says something."""
    files = {path: path.read_bytes() for path in files_of(SECRET)}
    return {digest(data): path for path, data in files.items() if len(data) > 200}


def leaks(names, contents):
    """Names and contents of the instructors' files among these."""
    words = ("tests/assignments/", "solution.py", "rubric", "wrong.toml", "/right/", "/hidden/")
    named = [name for name in names if any(word in f"/{name}" for word in words)]
    known = secrets()
    return named + [known[digest(data)] for data in contents if digest(data) in known]


# ---- the students' tree, wheel and sdist ---------------------------------------------------------------


@checkout
def test_the_students_tree_has_library_tutorials_and_handouts_and_no_solution(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    target = tmp_path / "course"
    assert main(["grade", "--export-student-tree", str(target)]) == 0
    names = [path.relative_to(target).as_posix() for path in sorted(target.rglob("*")) if path.is_file()]
    assert f"{len(names)} files" in capsys.readouterr().out
    assert {"README.md", "pyproject.toml", "minidl/datasets/manifest.toml"} <= set(names)
    assert any(name.startswith("tutorials/assignments/a") and name.endswith("README.md") for name in names)
    assert not leaks(names, [(target / name).read_bytes() for name in names])
    assert not any(name.startswith("tests/") for name in names)
    assert "tutorials/assignments/GRADING.md" not in names
    assert {name.split("/")[0] for name in names} <= {
        "README.md", "pyproject.toml", "minidl", "tutorials", "datasets",
    }


@checkout
def test_the_tree_works_by_itself(tmp_path):
    export_student_tree(ROOT, tmp_path / "course")
    environment = {**os.environ, "PYTHONPATH": ""}
    for folder in sorted((tmp_path / "course/tutorials/assignments").glob("a*"))[:5]:
        if not (folder / "checks.json").exists():
            continue
        name, starter = folder.name[:2].upper(), next(folder.glob("a?.py"))
        command = [sys.executable, "-m", "minidl", "grade", name, str(starter)]
        run = subprocess.run(
            command, cwd=tmp_path / "course", env=environment, capture_output=True, text=True, timeout=120,
            check=False,
        )
        assert run.returncode == 1, run.stderr
        assert "Not written yet: task 1: " in run.stdout
        assert str(folder.parents[2]) in run.stdout
        break
    else:
        pytest.skip("no assignment has checks yet")


def test_a_tree_goes_to_an_empty_folder_from_a_checkout(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "pyproject.toml").touch()
    with pytest.raises(ValueError, match="expected a new or empty folder"):
        export_student_tree(tmp_path, tmp_path / "full")
    with pytest.raises(ValueError, match="expected a checkout"):
        export_student_tree(tmp_path / "full", tmp_path / "new")
    assert not (tmp_path / "new").exists()


BUILD = """
import sys
from importlib.metadata import version
from setuptools import build_meta, setup
out = sys.argv[1]
build_meta.build_sdist(out)
if tuple(map(int, version("setuptools").split(".")[:2])) >= (70, 1):
    build_meta.build_wheel(out)
else:       # without the package `wheel`: what would be in it
    setup(script_args=["build", "--build-lib", out + "/wheel"])
"""


@checkout
def test_wheel_and_sdist_hold_no_solution(tmp_path):
    pytest.importorskip("setuptools.build_meta", reason="there is no setuptools to build with")
    copy, out = tmp_path / "copy", tmp_path / "out"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "runs", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=ignored)
    out.mkdir()
    command = [sys.executable, "-c", BUILD, str(out)]
    run = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    for wheel in out.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(out / "wheel")
    with tarfile.open(next(out.glob("*.tar.gz"))) as sdist:
        sdist.extractall(out / "sdist", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    for folder in (out / "wheel", *(out / "sdist").iterdir()):
        files = [path for path in folder.rglob("*") if path.is_file()]
        names = [path.relative_to(folder).as_posix() for path in files]
        assert "minidl/grading/course/sandbox/keeper.py" in names
        assert not leaks(names, [path.read_bytes() for path in files])


def test_the_search_for_leaks_finds_one():
    data = next(path.read_bytes() for path in files_of(SECRET) if path.name == "publish.py")
    assert leaks(["a.py"], [data])
    assert leaks(["x/tests/assignments/a3/checks.py"], [])


# ---- Gradescope ----------------------------------------------------------------------------------------


@checkout
def test_gradescopes_zip_needs_what_the_library_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert list(NEEDED) == project["dependencies"]


def autograder(tmp_path, seed):
    """The zip, laid out as on Gradescope; its folder."""
    assignment, hidden = tiny.write(tmp_path / "course")
    root = tmp_path / "autograder"
    for name in ("source", "submission", "results"):
        (root / name).mkdir(parents=True)
    names = export_gradescope(assignment, tmp_path / "a.zip", hidden, seed)
    assert {"setup.sh", "run_autograder", "assignments/t1_tiny/checks.json"} <= set(names)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(root / "source")
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
    return root


def test_gradescopes_zip_has_of_the_instructors_part_what_grading_needs(tmp_path):
    assignment, hidden = tiny.write(tmp_path / "course")
    folder = hidden / assignment.folder.name
    (folder / "right").mkdir()
    for name in ("right/loops.py", "wrong.toml", "library.py", "test_t1.py", "mistakes.py"):
        (folder / name).write_text("", encoding="utf-8")
    names = export_gradescope(assignment, tmp_path / "a.zip", hidden, None)
    inside = {name.removeprefix("hidden/t1_tiny/") for name in names if name.startswith("hidden/")}
    assert {"checks.py", "mistakes.py"} <= inside
    assert not inside & {"right/loops.py", "wrong.toml", "library.py", "test_t1.py"}


@pytest.mark.skipif(os.name != "posix" or not shutil.which("bash"), reason="Gradescope's machines run Linux")
def test_gradescopes_zip_grades_in_gradescopes_folders(tmp_path):
    root = autograder(tmp_path, seed=5)
    # Here packages come from this interpreter: there is no network to get them from.
    packages = str(Path(np.__file__).parents[1])
    environment = {
        "PATH": os.environ["PATH"], "AUTOGRADER": str(root), "PYTHON": sys.executable, "PYTHONPATH": packages,
    }

    def run(script):
        command = ["bash", str(root / script)]
        return subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    setup = run("source/setup.sh")
    assert setup.returncode == 0, setup.stderr
    assert (root / "source/hidden/t1_tiny").stat().st_mode & 0o077 == 0

    (root / "submission" / "t1.py").write_text(tiny.RIGHT, encoding="utf-8")
    graded = run("run_autograder")
    assert graded.returncode == 0, graded.stderr
    results = json.loads((root / "results/results.json").read_text(encoding="utf-8"))
    assert results["score"] == 80
    assert len(results["tests"]) == 3
    assert results["extra_data"]["path"] == str(root / "submission/t1.py")
    assert results["extra_data"]["sha256"] == digest(tiny.RIGHT.encode())
    assert results["extra_data"]["seed"] == 5

    (root / "submission" / "t1.py").rename(root / "submission" / "other.py")
    (root / "submission" / "other.py").write_text("def double(x): return x\n", encoding="utf-8")
    assert run("run_autograder").returncode == 0      # a wrong submission is no failure of the autograder
    assert json.loads((root / "results/results.json").read_text(encoding="utf-8"))["score"] == 0

    (root / "submission" / "another.py").touch()
    assert run("run_autograder").returncode == 0
    results = json.loads((root / "results/results.json").read_text(encoding="utf-8"))
    assert results == {"score": 0, "output": "expected a file t1.py"}

    (root / "submission" / "t1.py").symlink_to(root / "source/hidden/t1_tiny/solution.py")
    assert run("run_autograder").returncode == 0
    assert json.loads((root / "results/results.json").read_text(encoding="utf-8"))["score"] == 0

    (root / "submission" / "t1.py").unlink()
    (root / "submission" / "t1.py").touch()
    (root / "source/assignments/t1_tiny/checks.json").unlink()
    assert run("run_autograder").returncode != 0      # the grader's own trouble is none of the student's


def test_gradescopes_zip_holds_hidden_checks_only_where_they_are_asked_for(tmp_path, capsys, monkeypatch):
    tiny.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["grade", "--export-gradescope", "T1", "out.zip"]) == 0
    assert "without hidden checks" in capsys.readouterr().out
    with zipfile.ZipFile("out.zip") as archive:
        assert not [name for name in archive.namelist() if "hidden" in name or "solution" in name]
    assert main(["grade", "--export-gradescope", "T1", "out.zip", "--hidden", "private", "--seed", "9"]) == 0
    with zipfile.ZipFile("out.zip") as archive:
        assert "hidden/t1_tiny/checks.py" in archive.namelist()
        assert "--seed 9" in archive.read("run_autograder").decode()


def test_an_assignment_that_is_marked_by_hand_needs_no_autograder(tmp_path):
    assignment, _ = tiny.write(tmp_path)
    (assignment.folder / "checks.json").unlink()
    with pytest.raises(ValueError, match="T1 has no checks"):
        export_gradescope(assignment, tmp_path / "a.zip", None, None)
