"""Ctrl-C, or a notebook's stop button, during a training: it ends between two steps, with its history."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from minidl.training.callbacks import TrainingState
from minidl.training.history import INTERRUPTED


@contextmanager
def interruptible(state: TrainingState) -> Iterator[None]:
    """The first interruption inside lets the step or validation under way finish, a second strikes at once.

    An exception in the middle of a step could leave half of the weights updated, or, in a validation, some
    layers in evaluation mode. A handler that the user has set is left alone, and so are other threads, which
    get no signals.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def finish_first(number: int, frame: FrameType | None) -> None:
        state.stop(INTERRUPTED)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, finish_first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
