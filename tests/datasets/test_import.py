from __future__ import annotations

import subprocess
import sys

import pytest


def fresh(code):
    """Run code in a new interpreter; its output."""
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout


def test_import_is_light():
    code = "import sys, minidl.datasets; print(*sys.modules)"
    loaded = set(fresh(code).split())
    assert not loaded & {"urllib.request", "http.client", "ssl", "tqdm", "matplotlib"}


@pytest.mark.parametrize("first", ["minidl.datasets", "minidl.datasets.stroke_digits"])
def test_functions_win_over_modules_of_the_same_name(first):
    code = (
        f"import {first}\n"
        "import minidl.datasets.stroke_digits, minidl.datasets.mnist, minidl.datasets.batches\n"
        "import minidl.datasets as d\n"
        "print(*(type(f).__name__ for f in (d.stroke_digits, d.mnist, d.batches)))"
    )
    assert fresh(code).split() == ["function"] * 3


def test_without_posix_modules():
    code = (
        "import sys, os\n"
        "for name in ('fcntl', 'resource', 'pwd'): sys.modules[name] = None\n"
        "if hasattr(os, 'fork'): del os.fork\n"
        "import minidl.datasets, minidl.datasets.local, minidl.datasets.download\n"
        "print('fine')"
    )
    assert fresh(code) == "fine\n"
