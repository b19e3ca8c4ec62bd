"""The experiments beside the handouts: where there is nothing to run, one sentence and no traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.assignments.materials import STUDENTS

SCRIPTS = {
    "a1": "a1_tape/network.py", "a2": "a2_layers/train.py", "a3": "a3_batch_norm/a3_curve.py",
    "a4": "a4_running_statistics/statistics_curve.py", "a5": "a5_convolution/a5_curve.py",
}
each = pytest.mark.parametrize(("name", "script"), SCRIPTS.items(), ids=SCRIPTS)


def run(script, folder, *arguments):
    command = [sys.executable, str(STUDENTS / script), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@each
def test_a_file_that_is_not_there_or_no_python_is_one_sentence(name, script, tmp_path):
    (tmp_path / "bad.py").write_text("def f(:\n", encoding="utf-8")
    wrong = {"nope.py": f"give the path of your {name}.py", "bad.py": "bad.py can't be imported: "}
    for file, said in wrong.items():
        done = run(script, tmp_path, file)
        assert done.returncode == 1
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


@each
def test_the_handout_tells_how_to_run_it_and_its_starter_gives_no_traceback(name, script, tmp_path):
    folder = STUDENTS / script.split("/")[0]
    command = f"python ../tutorials/assignments/{script} {name}.py"
    assert command in (folder / "README.md").read_text(encoding="utf-8")
    assert command in (STUDENTS / script).read_text(encoding="utf-8")
    if name == "a5":
        return      # it trains with the library's pieces
    done = run(script, tmp_path, folder / f"{name}.py", *(["--fast"] if name != "a1" else []))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"{name.upper()}, task 1" in done.stdout + done.stderr
