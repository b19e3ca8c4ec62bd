"""The figures leave the choice of a backend to the user, and show nothing by themselves."""

from __future__ import annotations

import os
import subprocess
import sys

from matplotlib import pyplot as plt

from minidl import plots


def run(program: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("MPLBACKEND", "DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_neither_import_nor_drawing_on_a_given_axes_chooses_a_backend():
    loaded = run(
        "import sys\n"
        "import minidl.plots as plots\n"
        "from matplotlib.figure import Figure\n"
        "ax = Figure(layout='constrained').subplots()\n"
        "plots.bands({'a': ([1, 2], [1, 2])}, ax, ylabel='y')\n"
        "chosen = ('matplotlib.pyplot', 'matplotlib.backends.backend_')\n"
        "print([module for module in sys.modules if module.startswith(chosen)])"
    )
    assert loaded == "[]"


def test_the_users_choice_after_the_import_holds():
    chosen = run(
        "import minidl.plots as plots, matplotlib\n"
        "matplotlib.use('svg')\n"
        "plots.bands({'a': ([1, 2], [1, 2])}, ylabel='y')\n"
        "print(matplotlib.get_backend())"
    )
    assert chosen == "svg"


def test_without_an_axes_pyplot_knows_the_new_figure_and_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: (_ for _ in ()).throw(AssertionError("shown")))
    ax = plots.bands({"a": ([1, 2], [1, 2])}, ylabel="y")
    assert plt.gcf() is ax.figure
    assert ax.figure.get_layout_engine() is not None
