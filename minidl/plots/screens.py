"""Where a live figure is seen: in a window, in a notebook, or in a file where there is neither."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from matplotlib.figure import Figure

from minidl.files import replacing
from minidl.plots.save import rendered

SIZE = (10.0, 4.2)      # inches


class WindowClosed(Exception):
    """The user closed the window."""


class Screen(Protocol):
    """A figure, and a place where it is seen."""

    figure: Figure
    every: float

    def show(self) -> None:
        """Show the figure as it is now."""

    def idle(self) -> None:
        """Let the window, if there is one, react to the mouse."""


def open_screen(path: Path, say: Callable[[str], None]) -> Screen:
    """A notebook's output, a window, or the file at `path` where there is no display.

    The backend is the user's, or the one that matplotlib finds by itself; without a display pyplot isn't even
    imported, since it would settle on one.
    """
    if _in_notebook():
        return NotebookOutput()
    # Windows' and macOS' toolkits fail, or crash, in other threads than the main one.
    if _has_display() and threading.current_thread() is threading.main_thread():
        try:
            window = Window()
        except Exception as error:      # each toolkit has its own ones
            say(f"no window can be opened ({type(error).__name__}: {error})")
        else:
            if window.is_interactive:
                return window
            window.close()
    return PictureFile(path, say)


class Window:
    """A window of matplotlib's backend.

    Attributes:
        figure: what it shows.
        every: seconds between two drawings.
        is_interactive: whether the backend has windows at all.

    """

    every = 1.0

    def __init__(self) -> None:
        from matplotlib import pyplot as plt

        self.figure = plt.figure(figsize=SIZE, layout="constrained")
        canvas = self.figure.canvas
        self.is_interactive = getattr(canvas, "required_interactive_framework", None) is not None
        self._shown = self._closed = False
        canvas.mpl_connect("close_event", self._on_close)

    def _on_close(self, event: Any) -> None:
        self._closed = True

    def show(self) -> None:
        """Draw it, and open the window the first time.

        Raises:
            WindowClosed: the user did.

        """
        if not self._shown:
            self.figure.show()      # neither waits, as `pyplot.show`, nor switches anything, as `ion`
            self._shown = True
        self.idle()
        self.figure.canvas.draw()
        self.idle()

    def idle(self) -> None:
        """Let it react to the mouse, without a pause.

        Raises:
            WindowClosed: the user did.

        """
        if not self._closed:
            self.figure.canvas.flush_events()
        if self._closed:
            raise WindowClosed

    def close(self) -> None:
        """Forget the figure."""
        from matplotlib import pyplot as plt

        plt.close(self.figure)


class NotebookOutput:
    """The output of a notebook's cell, where each picture takes the place of the last.

    Attributes:
        figure: what it shows.
        every: seconds between two drawings.

    """

    every = 2.0

    def __init__(self) -> None:
        self.figure = Figure(figsize=SIZE, layout="constrained")
        self._handle: Any = None

    def show(self) -> None:
        """Show the picture in the cell, or put it in the place of the last one."""
        # A ready-made PNG: whether IPython can draw a Figure depends on what was imported before.
        display = import_module("IPython.display")
        picture = display.Image(data=rendered(self.figure, "png"), format="png", width=round(96 * SIZE[0]))
        if self._handle is None:
            self._handle = display.display(picture, display_id=True)
        else:
            self._handle.update(picture)

    def idle(self) -> None:
        """Nothing."""


class PictureFile:
    """A PNG file that is replaced whole.

    Attributes:
        figure: what it shows.
        every: seconds between two drawings.

    """

    every = 5.0

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self.figure = Figure(figsize=SIZE, layout="constrained")
        self._path = path
        self._say: Callable[[str], None] | None = say

    def show(self) -> None:
        """Write the file; the first time, say where it is.

        Raises:
            OSError: if it can't be written.

        """
        picture = rendered(self.figure, "png")
        with replacing(self._path) as file:
            file.write(picture)
        if self._say is not None:
            self._say(f"{self._path.absolute()}, renewed every few seconds")
            self._say = None

    def idle(self) -> None:
        """Nothing."""


def _in_notebook() -> bool:
    """Whether IPython runs here, in a notebook's kernel rather than in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
