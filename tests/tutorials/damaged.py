"""Runs a tutorial with one part of the library broken:  python damaged.py batch_norm tutorial.py [options].

In a process of its own, so that nothing here is ever patched where other tests run.
"""

from __future__ import annotations

import runpy
import sys

import minidl as dl
from minidl.ops.activation import stable_sigmoid


def batch_norm() -> None:
    """BatchNorm hands its input on."""
    dl.layers.BatchNorm.forward = lambda self, x: x  # type: ignore[method-assign]


def sigmoid() -> None:
    """The sigmoid's gradient is that of the identity."""
    def damaged(x: object) -> dl.Tensor:
        x = x if isinstance(x, dl.Tensor) else dl.Tensor(x)
        return dl.record("sigmoid", stable_sigmoid(x.data), (x,), lambda g: (g,))

    dl.ops.sigmoid = damaged  # type: ignore[assignment]


NOTICED = 42    # the exit code where an assertion of the tutorial failed
DAMAGE = {"batch_norm": batch_norm, "sigmoid": sigmoid}

if __name__ == "__main__":
    _, part, tutorial, *options = sys.argv
    DAMAGE[part]()
    sys.argv = [tutorial, *options]
    try:
        runpy.run_path(tutorial, run_name="__main__")
    except AssertionError as error:
        print(f"noticed: {error}", file=sys.stderr)
        sys.exit(NOTICED)
