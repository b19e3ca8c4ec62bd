"""What a submission may not ask Python for: modules, files elsewhere, the network, other processes.

An audit hook, which can't be taken away again. It is a fence, not a wall: it stops what is written in Python,
and it says in a sentence what isn't allowed. Walls are the system's: confine.py and landlock.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

_PATHS = {       # events whose first argument, or two, are paths that would be changed
    "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.mkdir": 1, "os.truncate": 1, "os.chmod": 1,
    "os.chown": 1,
    "os.link": 2, "os.symlink": 2, "os.utime": 1, "shutil.rmtree": 1, "shutil.move": 2, "os.setxattr": 1,
}
_LOOKS = ("os.listdir", "os.scandir", "os.chdir", "glob.glob")
_NEVER = {
    "socket.": "using the network",
    "ctypes.": "calling into C libraries",
    "os.system": "starting programs",
    "os.exec": "starting programs",
    "os.posix_spawn": "starting programs",
    "os.spawn": "starting programs",
    "subprocess.": "starting programs",
    "pty.": "starting programs",
    "sys.addaudithook": "an audit hook of its own",
    "webbrowser.": "starting programs",
    "resource.prlimit": "changing another process's limits",
}


class Fence:
    """Raises PermissionError at what isn't allowed, and keeps a note of it; at imports ImportError.

    Args:
        modules: top-level names that may be imported; None for all.
        readable: files and folders that may be read.
        folder: the one that may be read and written.
        notes: takes a sentence for each thing that was refused, up to eight.

    """

    def __init__(
        self, modules: frozenset[str] | None, readable: Sequence[str], folder: str, notes: list[str]
    ) -> None:
        self._modules = modules
        self._folder = _whole_path(folder)
        self._readable = frozenset({_whole_path(path) for path in (*readable, os.devnull)})
        self._notes = notes

    def raise_it(self) -> None:
        """From now on, and for good."""
        # Kept in local names: what a submission does to `os` or to this module then changes nothing here.
        real, normal = os.path.realpath, os.path.normcase
        check = self._checker(lambda path: normal(real(path)), os.fspath, os.getpid())

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            check(event, arguments)

        sys.addaudithook(hook)

    def _checker(
        self, whole_path: Callable[[str], str], fspath: Callable[[Any], Any], own: int
    ) -> Callable[[str, tuple[Any, ...]], None]:
        modules, own_folder, notes = self._modules, frozenset({self._folder}), self._notes
        readable = self._readable | own_folder
        separator, never = os.sep, tuple(_NEVER.items())
        changes, looks = dict(_PATHS), frozenset(_LOOKS)
        writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

        def refuse(what: str) -> None:
            sentence = f"{what} isn't allowed in a submission"
            if len(notes) < 8 and sentence not in notes:
                notes.append(sentence)
            raise PermissionError(sentence)

        def within(path: Any, roots: frozenset[str]) -> bool:
            if path is None or isinstance(path, int):
                return True         # of a descriptor that is open already
            text = fspath(path)
            text = whole_path(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
            while text not in roots:
                shorter = text.rpartition(separator)[0]
                if not shorter:
                    return False
                text = shorter
            return True

        def check(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "import":
                top = str(arguments[0]).partition(".")[0]
                if modules is not None and top not in modules:
                    # No note of it: the standard library tries out imports, and catches this.
                    raise ImportError(f"importing {top[:60]} isn't allowed in a submission", name=top)
            elif event == "open":
                path, mode, flags = arguments
                writes = (isinstance(flags, int) and flags & writing) or (
                    isinstance(mode, str) and mode.strip("rtbU") != ""
                )
                if not within(path, own_folder if writes else readable):
                    refuse(f"opening {str(path)[:80]}")
            elif event in changes:
                if not all(within(path, own_folder) for path in arguments[:changes[event]]):
                    refuse(f"{event} of {str(arguments[0])[:80]}")
            elif event in looks:
                if not within(arguments[0], readable):
                    refuse(f"{event} of {str(arguments[0])[:80]}")
            elif event in ("os.kill", "os.killpg"):
                if arguments[0] != own:
                    refuse("sending a signal to another process")
            else:
                for prefix, what in never:
                    if event.startswith(prefix):
                        refuse(what)

        return check


def _whole_path(path: str) -> str:
    """Without links, and on Windows in small letters."""
    return os.path.normcase(os.path.realpath(path))


def allowed_modules(library: bool) -> frozenset[str] | None:
    """The standard library and NumPy; or, where the assignment allows `minidl`, everything."""
    return None if library else sys.stdlib_module_names | {"numpy"}


def changed_names(before: dict[str, dict[str, int]]) -> list[str]:
    """Names of NumPy that aren't what they were: a submission that changes the library is told of."""
    now = snapshot()
    return sorted(
        f"{module}.{name}" for module, names in before.items() for name, was in names.items()
        if now.get(module, {}).get(name) != was
    )


def snapshot() -> dict[str, dict[str, int]]:
    """The identities of what NumPy's modules offer."""
    return {
        name: {key: id(value) for key, value in vars(sys.modules[name]).items() if not key.startswith("_")}
        for name in ("numpy", "numpy.linalg") if name in sys.modules
    }
