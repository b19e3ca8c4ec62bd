"""The live figure: where it is seen, how often it is drawn, and that nothing about it ends a training."""

from __future__ import annotations

import subprocess
import sys
import threading
import types
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import image
from matplotlib import pyplot as plt
from matplotlib.backend_bases import CloseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import minidl as dl
from minidl import plots
from tests.plots.test_live_drawing import advance, state

MODULE = "minidl.plots.live"


class Clock:
    """Time passes when it is told to, and with each look at it."""

    def __init__(self):
        self.now, self.a_look = 100.0, 0.0

    def __call__(self):
        self.now += self.a_look
        return self.now


@pytest.fixture
def clock(monkeypatch):
    fake = Clock()
    monkeypatch.setattr(f"{MODULE}.perf_counter", fake)
    return fake


@pytest.fixture(autouse=True)
def _no_display_no_notebook(monkeypatch):
    monkeypatch.setattr("minidl.plots.screens._has_display", lambda: False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)


def digits(seed=0):
    inputs = np.random.default_rng(seed).normal(size=(60, 2))
    return inputs, (inputs[:, 0] > 0).astype(int)


def fit(live, **options):
    model = dl.layers.Sequential(dl.layers.Dense(2, 2), seed=0)
    optimizer = dl.optim.SGD(model.parameters(), lr=0.1)
    options = {"steps": 20, "batch_size": 10, "seed": 0} | options
    return model, dl.fit(model, digits(), optimizer=optimizer, callbacks=[live], **options)


def fails(error):
    def function(*_, **__):
        raise error

    return function


# Without a display


def test_a_file_is_renewed_every_few_seconds_and_at_the_end(tmp_path, clock, capsys):
    path, training = tmp_path / "folder" / "live.png", state()
    live = plots.Live(path)
    live.on_start(training)
    written = []
    for _ in range(100):
        advance(training)
        live.on_step(training)
        clock.now += 0.1
        if path.exists():
            written.append(path.read_bytes())
            path.unlink()
    assert len(written) == 2        # at once, and after five of the ten seconds
    assert all(content.startswith(b"\x89PNG") for content in written)
    live.on_end(training)
    assert path.read_bytes() not in written
    assert image.imread(path).shape[:2] == (630, 1500)
    assert [file.name for file in path.parent.iterdir()] == ["live.png"]
    said = capsys.readouterr().err
    assert said == f"live figure: {path}, renewed every few seconds\n"


def test_slow_drawings_become_rarer(tmp_path, clock):
    training, drawn = state(steps=10_000), []
    live = plots.Live(tmp_path / "live.png")
    live.on_start(training)
    clock.a_look = 1.0          # so a drawing takes a second
    screen = SimpleNamespace(figure=None, every=5.0, show=lambda: drawn.append(clock.now), idle=lambda: None)
    live._screen = screen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{MODULE}.draw_learning", lambda *_: None)
        while clock.now < 300:
            advance(training)
            live.on_step(training)
    assert len(drawn) > 5
    assert np.diff(drawn).min() >= 20


def test_a_viewer_never_sees_half_a_file(tmp_path, monkeypatch):
    path = tmp_path / "live.png"
    live = plots.Live(path)
    fit(live)
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", fails(OSError(28, "No space left on device")))
    fit(live)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["live.png"]


def test_a_full_disk_is_told_once_and_tried_again(tmp_path, clock, capsys, monkeypatch):
    full = True

    @contextmanager
    def disk(path):
        if full:
            raise OSError(28, "No space left on device")
        with path.open("wb") as file:
            yield file

    monkeypatch.setattr("minidl.plots.screens.replacing", disk)
    training, live = state(), plots.Live(tmp_path / "live.png")
    live.on_start(training)
    for _ in range(3):
        clock.now += 60
        advance(training)
        live.on_step(training)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "No space left on device); the training goes on" in lines[0]
    full = False
    clock.now += 60
    live.on_step(training)
    assert (tmp_path / "live.png").exists()


def test_an_error_in_drawing_is_told_once_and_ends_no_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(f"{MODULE}.draw_learning", lambda *_: 1 / 0)
    _, history = fit(plots.Live(tmp_path / "live.png"))
    assert history.stopped == "finished"
    [line] = capsys.readouterr().err.splitlines()
    why = "ZeroDivisionError: division by zero"
    assert line == f"live figure: it can't be drawn ({why}); the training goes on without it"


def test_ctrl_c_while_it_draws_ends_the_training_as_always(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{MODULE}.draw_learning", fails(KeyboardInterrupt))
    live = plots.Live(tmp_path / "live.png")
    live.on_end = lambda state: None
    _, history = fit(live)
    assert history.stopped == "interrupted"


def test_it_changes_nothing_in_the_training(tmp_path):
    class Nothing(dl.Callback):
        pass

    live = plots.Live(tmp_path / "live.png", title="two classes")
    assert isinstance(live, dl.Callback)
    watched, history = fit(live, validation=digits(1))
    alone, expected = fit(Nothing(), validation=digits(1))
    assert history == expected
    for a, b in zip(watched.parameters(), alone.parameters(), strict=True):
        assert np.array_equal(a.data, b.data)


def test_pyplot_is_not_imported_without_a_display(tmp_path):
    program = (
        "import os, sys\n"
        "[os.environ.pop(name, None) for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'MPLBACKEND')]\n"
        "import numpy as np, minidl as dl\n"
        "from minidl.plots import screens\n"
        "if sys.platform in ('win32', 'darwin'): screens._has_display = lambda: False\n"
        "model = dl.layers.Dense(2, 2)\n"
        "data = np.zeros((20, 2)), np.zeros(20, int)\n"
        "optimizer = dl.optim.SGD(model.parameters(), lr=1.0)\n"
        f"dl.fit(model, data, optimizer=optimizer, callbacks=[dl.plots.Live({str(tmp_path / 'a.png')!r})])\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
    assert (tmp_path / "a.png").exists()


# With a display


class Canvas(FigureCanvasAgg):
    """A window's canvas: counts what is done with it."""

    required_interactive_framework = "made up"

    def __init__(self, figure):
        super().__init__(figure)
        self.shown = self.draws = self.flushes = 0
        self.manager = SimpleNamespace(show=self._show)

    def _show(self):
        self.shown += 1

    def draw(self):
        self.draws += 1

    def flush_events(self):
        self.flushes += 1


@pytest.fixture
def windows(monkeypatch):
    opened = []

    def figure(**options):
        new = Figure(**options)
        Canvas(new)
        opened.append(new)
        return new

    monkeypatch.setattr("minidl.plots.screens._has_display", lambda: True)
    monkeypatch.setattr(plt, "figure", figure)
    return opened


def test_a_window_is_shown_once_drawn_every_second_and_kept_alive_between(windows, clock, tmp_path, capsys):
    training, live = state(), plots.Live(tmp_path / "live.png")
    live.on_start(training)
    for _ in range(40):
        clock.now += 0.05
        advance(training)
        live.on_step(training)
    [figure] = windows
    canvas = figure.canvas
    assert (canvas.shown, canvas.draws) == (1, 2)
    assert 15 <= canvas.flushes <= 25
    live.on_end(training)
    assert canvas.draws == 3
    assert figure.axes[0].get_lines()[0].get_xdata()[-1] == 40
    assert "step 40 of 100" in figure.get_suptitle()
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().err == ""


def test_a_closed_window_ends_no_training(windows, tmp_path, capsys):
    class Closing(dl.Callback):
        def on_step(self, state):
            if state.step == 5:
                canvas = windows[0].canvas
                canvas.callbacks.process("close_event", CloseEvent("close_event", canvas))

    model = dl.layers.Dense(2, 2)
    optimizer = dl.optim.SGD(model.parameters(), lr=0.1)
    callbacks = [Closing(), plots.Live(tmp_path / "live.png")]
    history = dl.fit(model, digits(), optimizer=optimizer, steps=20, callbacks=callbacks)
    assert history.stopped == "finished"
    assert len(history.train) == 20
    assert windows[0].canvas.draws == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line == "live figure: its window was closed; the training goes on without it"
    assert not list(tmp_path.iterdir())


def test_a_backend_that_opens_no_window_leaves_the_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("minidl.plots.screens._has_display", lambda: True)
    monkeypatch.setattr(plt, "figure", fails(ImportError("headless is running")))
    fit(plots.Live(tmp_path / "live.png"))
    assert (tmp_path / "live.png").exists()
    first, second = capsys.readouterr().err.splitlines()
    assert first == "live figure: no window can be opened (ImportError: headless is running)"
    assert "live.png, renewed" in second


def test_a_backend_without_windows_is_left_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr("minidl.plots.screens._has_display", lambda: True)
    fit(plots.Live(tmp_path / "live.png"))      # the tests' own is agg
    assert plt.get_backend() == "agg"
    assert not plt.get_fignums()
    assert (tmp_path / "live.png").exists()


@pytest.mark.parametrize(("platform", "environment", "display"), [
    ("linux", {}, False), ("linux", {"DISPLAY": ":0"}, True), ("linux", {"WAYLAND_DISPLAY": "w"}, True),
    ("linux", {"DISPLAY": ""}, False), ("win32", {}, True), ("darwin", {}, True),
])
def test_what_a_display_is(monkeypatch, platform, environment, display):
    monkeypatch.undo()
    from minidl.plots import screens

    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert screens._has_display() is display


# In a notebook


@pytest.fixture
def notebook(monkeypatch):
    """A made-up IPython in a notebook's kernel; the pictures that were shown and the updates of each."""
    shown = []

    class Handle:
        def __init__(self, picture):
            self.pictures = [picture]

        def update(self, picture):
            self.pictures.append(picture)

    def display(picture, display_id):
        assert display_id is True
        shown.append(Handle(picture))
        return shown[-1]

    ipython, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    ipython.display = module
    module.display, module.Image = display, lambda **options: SimpleNamespace(**options)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return ipython, shown


def test_a_cells_output_is_updated_in_place(notebook, clock, tmp_path, capsys):
    training, live = state(), plots.Live(tmp_path / "live.png")
    live.on_start(training)
    for _ in range(50):
        clock.now += 0.1
        advance(training)
        live.on_step(training)
    live.on_end(training)
    [handle] = notebook[1]
    assert len(handle.pictures) == 4        # at once, after two and four seconds, at the end
    assert all(picture.data.startswith(b"\x89PNG") for picture in handle.pictures)
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().err == ""


def test_each_training_has_an_output_of_its_own(notebook):
    live = plots.Live()
    fit(live)
    fit(live)
    assert len(notebook[1]) == 2


def test_ipython_in_a_terminal_is_no_notebook(notebook, tmp_path):
    notebook[0].get_ipython = lambda: SimpleNamespace(colors="NoColor")
    fit(plots.Live(tmp_path / "live.png"))
    assert not notebook[1]
    assert (tmp_path / "live.png").exists()



def test_other_threads_get_the_file_since_windows_belong_to_the_main_one(windows, tmp_path):
    thread = threading.Thread(target=fit, args=(plots.Live(tmp_path / "live.png"),))
    thread.start()
    thread.join()
    assert not windows
    assert (tmp_path / "live.png").exists()


def test_the_cells_output_needs_no_events_of_its_own(notebook, clock):
    training, live = state(), plots.Live()
    live.on_start(training)
    for _ in range(5):
        clock.now += 0.2
        advance(training)
        live.on_step(training)
    assert len(notebook[1][0].pictures) == 1


def test_a_console_that_has_gone_is_no_obstacle(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    _, history = fit(plots.Live(tmp_path / "live.png"), progress=False)
    assert history.stopped == "finished"
    assert (tmp_path / "live.png").exists()
