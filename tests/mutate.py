"""Judges mutmut's mutants from one pytest session, collected once, with a fork for each: see mutation.md."""

from __future__ import annotations

import fnmatch
import gc
import itertools
import json
import os
import pickle
import shutil
import signal
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

MUTANTS = Path("mutants")
CHILDREN = 2
SECONDS = 12.0      # a test may take so long, or 20 times what it takes in the unmutated code: then it hangs
BUDGET = 15.0       # seconds for the tests of one mutant together: the core is called by nearly all of them
MEMORY = 6 << 30    # bytes


def main(patterns: list[str]) -> None:
    """Mutate (mutmut), collect the tests, judge the mutants whose names fit a pattern, print the table."""
    import pytest
    from mutmut import __main__ as mutmut
    from mutmut.configuration import config

    shutil.rmtree(MUTANTS, ignore_errors=True)
    MUTANTS.mkdir()
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.create_mutants(os.cpu_count() or 1)
    mutmut.setup_source_paths()
    files = sorted(MUTANTS.glob("minidl/**/*.meta"))
    names = [n for f in files for n in json.loads(f.read_text(encoding="utf-8"))["exit_code_by_key"]]
    names = [n for n in names if any(fnmatch.fnmatch(n, p) for p in patterns or ["*"])]
    arguments = config().pytest_add_cli_args_test_selection + config().pytest_add_cli_args
    os.environ["MUTANT_UNDER_TEST"] = ""        # mutmut's trampolines read it: none yet
    os.chdir(MUTANTS)
    judge = Judge(names)
    pytest.main(["-q", "--rootdir=.", "--tb=no", *arguments], plugins=[judge])
    report(judge.verdicts)


def report(verdicts: dict[str, str]) -> None:
    """One line a module, then the names of the mutants that live or hang."""
    table = defaultdict(Counter)
    for name, verdict in verdicts.items():
        table[name.partition(".x")[0]][verdict] += 1
    table = dict(sorted(table.items())) | {"all": Counter(verdicts.values())}
    print(f"{'module':28} {'mutants':>8} {'killed':>8} {'timeouts':>8} {'survived':>8} {'score':>8}")
    for module, row in table.items():
        killed, all_ = row["killed"], row.total()
        print(f"{module:28} {all_:8} {killed:8} {row['timeout']:8} {row['survived']:8} {killed / all_:8.2%}")
    for name, verdict in sorted(verdicts.items()):
        if verdict != "killed":
            print(verdict, name)


class Judge:
    """A pytest plugin that runs mutants instead of tests."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.verdicts: dict[str, str] = {}

    def pytest_collection_finish(self, session) -> None:
        """A failing example is enough, it need not be the smallest."""
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutants", phases=[Phase.explicit, Phase.generate], database=None, derandomize=True,
            deadline=None, suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session) -> bool:
        """Once without a mutant, to learn which functions each test calls; then once a mutant."""
        self.items = session.items
        self.tests, self.seconds, red = _in_a_child(lambda: _trace(self.items))
        for test in red:
            print("left out, for it is red without a mutant:", test)
        self.deadly = defaultdict(Counter)      # function: the tests that killed its mutants
        gc.freeze()     # a collection in a fork would copy every page
        running = {}
        for name in self.names:
            if len(running) == CHILDREN:
                self._wait(running)
            killer = Path(f"killer-{len(self.verdicts) + len(running)}").absolute()
            order = self._order(name.rpartition("__mutmut_")[0])
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                self._live_or_die(name, order, killer)
            running[pid] = name, killer, time.time()
        while running:
            self._wait(running)
        return True

    def _order(self, function: str) -> list[int]:
        """Those that killed this function's other mutants, its module's own tests, then the quick ones."""
        module = function.partition(".x")[0].replace("minidl", "tests", 1).replace(".", "/")
        folder, deadly = module.rpartition("/")[0], self.deadly[function]

        def late(i: int) -> tuple[int, bool, bool, float]:
            file = self.items[i].nodeid.partition("::")[0].replace("/test_", "/")
            return -deadly[i], file != f"{module}.py", not file.startswith(f"{folder}/"), self.seconds[i]

        order = sorted(self.tests[function], key=late)
        spent = list(itertools.accumulate(self.seconds[i] for i in order))
        return [i for i, so_far in zip(order, spent, strict=True) if so_far <= BUDGET]

    def _live_or_die(self, name: str, order: list[int], killer: Path) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.environ["MUTANT_UNDER_TEST"] = name
        for i in order:
            signal.setitimer(signal.ITIMER_REAL, max(SECONDS, 20 * self.seconds[i]))
            if not _passes(self.items[i]):
                killer.write_text(str(i), encoding="utf-8")
                os._exit(1)
        os._exit(0)

    def _wait(self, running: dict[int, tuple[str, Path, float]]) -> None:
        pid, status = os.wait()
        name, killer, started = running.pop(pid)
        if killer.exists():
            self.deadly[name.rpartition("__mutmut_")[0]][int(killer.read_text(encoding="utf-8"))] += 1
            killer.unlink()
        hung = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
        verdict = self.verdicts[name] = "timeout" if hung else "killed" if status else "survived"
        if verdict != "killed":
            took = f"{time.time() - started:.0f} s"
            print(f"{len(self.verdicts)}/{len(self.names)} {verdict} {name} {took}", flush=True)


def _passes(item) -> bool:
    from _pytest.runner import runtestprotocol

    try:
        return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))
    except BaseException:
        return False


def _trace(items) -> tuple[dict[str, set[int]], list[float], list[str]]:
    from mutmut.state import state

    os.environ["MUTANT_UNDER_TEST"] = "stats"
    tests, seconds, red = defaultdict(set), [], []
    for i, item in enumerate(items):
        state()._stats.clear()
        started = time.time()
        green = _passes(item)
        seconds.append(time.time() - started)
        if not green:
            red.append(item.nodeid)
            continue
        for function in state()._stats:
            tests[function].add(i)
    return tests, seconds, red


def _in_a_child(function):
    """What a function returns, run in a fork, so that no cache in this process is warm."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        with os.fdopen(write, "wb") as file:
            pickle.dump(function(), file)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        data = file.read()
    os.waitpid(pid, 0)
    return pickle.loads(data)


if __name__ == "__main__":
    main(sys.argv[1:])
