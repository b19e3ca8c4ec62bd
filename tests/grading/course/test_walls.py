"""The walls of the sandbox, without the fence in Python: what the system itself refuses a submission."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from minidl.grading.course.checks import Case
from minidl.grading.course.sandbox import confine, folder, landlock, place
from minidl.grading.course.sandbox.limits import Limits
from minidl.grading.course.sandbox.runner import Sandbox

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has Landlock and subreapers")
locked = pytest.mark.skipif(
    sys.platform != "linux" or not landlock.version(confine.libc()), reason="this kernel has no Landlock"
)

HEAD = """
import ctypes, os, signal, sys
from minidl.grading.course.sandbox import confine, landlock, place
from minidl.grading.course.sandbox.limits import Limits

def refused(what, *arguments):
    try:
        what(*arguments)
    except OSError as error:
        return True
    return False

c = confine.libc()
work, victim = sys.argv[1:]
rules = landlock.ruleset(c, place.readable(False), work)
missing = confine.confine(Limits().plain(), None, rules, lambda: None)
"""


def behind_the_walls(tmp_path, body):
    """Run a script that has given up its rights, but has no fence; what it prints."""
    work, victim = tmp_path / "work", tmp_path / "victim"
    work.mkdir()
    victim.write_text("mine", encoding="utf-8")
    script = HEAD + textwrap.dedent(body)
    command = [sys.executable, "-c", script, str(work), str(victim)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert victim.read_text(encoding="utf-8") == "mine"
    return run.stdout.split() if run.returncode == 0 else run.stderr


@locked
def test_files_elsewhere_can_neither_be_read_nor_written_nor_deleted(tmp_path):
    assert behind_the_walls(tmp_path, """
        print(refused(open, victim), refused(open, victim, "w"), refused(os.remove, victim))
        print(refused(os.rename, victim, work + "/mine"), refused(os.listdir, os.path.dirname(victim)))
        print(refused(os.listdir, "/"), refused(open, "/proc/%d/mem" % os.getppid(), "rb"))
    """) == ["True"] * 7


@locked
def test_the_working_folder_and_the_standard_library_can_be_used(tmp_path):
    assert behind_the_walls(tmp_path, """
        open(work + "/mine", "w").write("x")
        os.mkdir(work + "/d"); os.rename(work + "/mine", work + "/d/mine"); os.remove(work + "/d/mine")
        import fractions, sqlite3, wave
        print(fractions.Fraction(1, 2))
    """) == ["1/2"]


@locked
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users")
def test_processes_outside_get_no_signals(tmp_path):
    if landlock.version(confine.libc()) < 6:
        pytest.skip("this kernel's Landlock doesn't hold back signals")
    assert behind_the_walls(tmp_path, """
        print(refused(os.kill, os.getppid(), signal.SIGKILL), refused(os.kill, os.getpid(), 0))
    """) == ["True", "False"]


@linux
def test_limits_and_priorities_of_other_processes_stay(tmp_path):
    # One's own limits may go down. The others are this test's, and of its user: without the wall they change.
    printed = behind_the_walls(tmp_path, """
        import resource
        other, number = os.getppid(), resource.RLIMIT_CORE
        print("limits and priorities of other processes" in missing)
        resource.setrlimit(number, (0, 0))
        print(refused(resource.prlimit, other, number, (0, 0)))
        print(refused(os.setpriority, os.PRIO_PROCESS, other, os.getpriority(os.PRIO_PROCESS, other)))
        print(refused(os.sched_setaffinity, other, os.sched_getaffinity(other)))
        print(refused(os.sched_setscheduler, other, os.SCHED_OTHER, os.sched_param(0)))
    """)
    if printed[:1] == ["True"]:
        pytest.skip("this system has no seccomp, and says so")
    assert printed == ["False"] + ["True"] * 4


@linux
def test_there_is_no_network(tmp_path):
    if not landlock.version(confine.libc()):
        pytest.skip("this kernel has no Landlock")
    printed = behind_the_walls(tmp_path, """
        import socket
        server = socket.socket()
        print(refused(server.connect, ("127.0.0.1", 9)), "network" in missing)
    """)
    assert printed in (["True", "False"], ["True", "True"])


@linux
def test_limits_can_not_be_raised_again_and_privileges_are_gone(tmp_path):
    assert behind_the_walls(tmp_path, """
        import resource
        kinds = resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE
        for kind in kinds:
            soft, hard = resource.getrlimit(kind)
            try:
                resource.setrlimit(kind, (hard + 1, hard + 1))
                print(kind, "raised")
            except (ValueError, OSError):
                print("kept")
        header, rights = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        c.capget(header, rights)
        print(sum(rights))
    """) == ["kept"] * 4 + ["0"]


def test_a_folder_is_emptied_whatever_is_in_it(tmp_path):
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
            Path("file").write_bytes(b"x")
    finally:
        os.chdir(here)
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "file").write_bytes(b"x")
    (tmp_path / "locked").chmod(0)
    if os.name == "posix":
        (tmp_path / "link").symlink_to("/")
    folder.empty(str(tmp_path))
    assert not list(tmp_path.iterdir())


# ---- both ways of running a check ----------------------------------------------------------------------

WAYS = [pytest.param(True, marks=linux, id="forked"), pytest.param(False, id="alone")]
X = np.arange(6.0).reshape(2, 3)


def run(source, fork, program="y = f(x)", limits=None, **inputs):
    limits = limits or Limits(cpu_seconds=1, wall_seconds=30)
    with Sandbox("mine.py", source.encode(), limits=limits, fork=fork) as sandbox:
        return sandbox.run([Case(program, {"x": X, **inputs}, {"y": X})], limits.wall_seconds)


@pytest.mark.parametrize("fork", WAYS)
def test_a_check_computes_with_copies_of_its_inputs(fork):
    result = run("def f(x):\n    x *= 2\n    return x", fork)
    np.testing.assert_array_equal(result.results[0].arrays["y"], 2 * X)
    assert result.why == ""
    assert not result.timeout
    assert X[0, 1] == 1


@pytest.mark.parametrize("fork", WAYS)
def test_what_is_printed_is_kept_in_part(fork):
    source = "import sys\nprint('out')\nprint('\\x1b[31m\\u00e9' * 9999, file=sys.stderr)\ndef f(x): return x"
    result = run(source, fork)
    assert result.output.startswith("out\n?[31m?")
    assert result.output.isascii()
    assert len(result.output) < 2100
    assert result.results[0].trouble == ""


@pytest.mark.parametrize("fork", WAYS)
def test_time_runs_out(fork):
    result = run("def f(x):\n    while True: pass", fork)
    assert result.timeout
    assert "endless loop" in result.why
    assert result.results[0].trouble == result.why


@pytest.mark.parametrize("fork", WAYS)
def test_the_environment_is_empty_and_so_is_the_folder(fork, monkeypatch):
    monkeypatch.setenv("MINIDL_SECRET", "secret")
    source = (
        "import os\ndef f(x):\n"
        "    return ['MINIDL_SECRET' in os.environ, len(os.listdir('.')), len(os.environ['HOME'])]"
    )
    result = run(source, fork)
    secret, files, home = result.results[0].arrays["y"]
    assert secret == 0
    assert files == 0
    assert home > 0


@pytest.mark.parametrize("fork", WAYS)
def test_nothing_of_one_check_is_there_in_the_next(fork):
    source = (
        "import os\nn = []\ndef f(x):\n    n.append(1)\n    with open('a', 'a') as file: file.write('x')\n"
        "    return [len(n), os.path.getsize('a')]"
    )
    limits = Limits()
    with Sandbox("mine.py", source.encode(), limits=limits, fork=fork) as sandbox:
        case = Case("y = f(x)", {"x": X}, {"y": X})
        for _ in range(2):
            (result,) = sandbox.run([case], 9).results
            assert result.arrays["y"].tolist() == [1, 1]


@pytest.mark.parametrize("fork", WAYS)
def test_what_is_expected_is_not_in_the_process(fork):
    """The request holds programs, inputs, and the names of what must come out; nothing else is sent."""
    with Sandbox("mine.py", b"", fork=fork) as sandbox:
        message = sandbox._message([Case("y = f(x)", {"x": X}, {"y": X + 0.123456})])
    assert set(message) == {"file", "source", "library", "cases"}
    assert set(message["cases"][0]) == {"program", "inputs", "outputs"}
    assert message["cases"][0]["outputs"] == ["y"]
    assert set(sandbox._settings()) == {"keep", "folder", "limits", "readable", "needed"}


@pytest.mark.parametrize("fork", WAYS)
def test_the_library_can_be_imported_where_the_assignment_allows_it(fork):
    source = "import minidl\nimport minidl.ops\ndef f(x): return minidl.Tensor(x).exp().data"
    with Sandbox("mine.py", source.encode(), library=True, fork=fork) as sandbox:
        (result,) = sandbox.run([Case("y = f(x)", {"x": X}, {"y": X})], 20).results
    assert result.trouble == ""
    np.testing.assert_allclose(result.arrays["y"], np.exp(X))


@pytest.mark.parametrize("fork", WAYS)
@pytest.mark.parametrize("module", ["minidl", "minidl.ops", "tests", "pytest", "sandbox.nothing"])
def test_other_modules_can_not_be_imported(fork, module):
    result = run(f"import {module}\ndef f(x): return x", fork)
    assert "mport" in result.results[0].trouble
    assert "line 1 of mine.py" in result.results[0].trouble


def test_a_sandbox_that_can_not_be_set_up_is_no_students_fault(monkeypatch):
    if sys.platform != "linux":
        pytest.skip("where checks run alone the process itself says what happened")
    monkeypatch.setattr(Limits, "plain", lambda self: {"processes": 9})
    with pytest.raises(RuntimeError, match=r"(?s)can't be set up here.*cpu_seconds"):
        run("def f(x): return x", True)


@linux
def test_a_keeper_that_can_not_start_is_no_students_fault_either(monkeypatch):
    monkeypatch.setattr(place, "needed", lambda: 3)
    monkeypatch.setattr(confine, "_is_root", lambda: True)
    monkeypatch.setattr(place, "readable", lambda library: 3)
    with pytest.raises(RuntimeError, match=r"(?s)can't be set up here.*not iterable"):
        run("def f(x): return x", True)
