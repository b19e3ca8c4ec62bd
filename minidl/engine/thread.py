"""What each thread has for itself: the tape that it records on, and whether it looks for anomalies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Thread(threading.local):
    tape: Any = None                # a Tape, whose class stands above: tensors ask what it has used
    detects_anomaly: bool = False


thread = _Thread()


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Inside this `with`, the first NaN or infinity raises, and names the record that made it.

    It looks at every array of the forward and the backward pass, so it is slow: for finding an error, not for
    training. Each thread looks for itself.

    Example:
        >>> import numpy as np
        >>> from minidl import ops
        >>> with detect_anomaly(), np.errstate(all="ignore"):
        ...     ops.log([0.0])
        Traceback (most recent call last):
            ...
        FloatingPointError: NaN or infinity in the output of log, shape (1,)

    """
    before, thread.detects_anomaly = thread.detects_anomaly, True
    try:
        yield
    finally:
        thread.detects_anomaly = before
