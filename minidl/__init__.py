"""minidl: a small deep-learning framework in pure NumPy, and a laboratory for batch normalization."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minidl import datasets, init, instruments, layers, losses, ops, optim, schedules, training
from minidl.datasets import batches
from minidl.engine.blocks import set_threads
from minidl.engine.functional import grad, value_and_grad
from minidl.engine.gradcheck import gradcheck
from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape, record
from minidl.engine.tensor import Tensor
from minidl.engine.thread import detect_anomaly
from minidl.layers import Layer, summary
from minidl.training import Callback, EarlyStopping, History, evaluate, fit, predict

if TYPE_CHECKING:
    from minidl import experiments, grading, plots, report

__version__ = "0.1.0"

__all__ = [
    "Callback",
    "EarlyStopping",
    "History",
    "Layer",
    "Parameter",
    "Tape",
    "Tensor",
    "batches",
    "datasets",
    "detect_anomaly",
    "evaluate",
    "experiments",
    "fit",
    "grad",
    "gradcheck",
    "grading",
    "init",
    "instruments",
    "layers",
    "losses",
    "ops",
    "optim",
    "plots",
    "predict",
    "record",
    "report",
    "schedules",
    "set_threads",
    "summary",
    "training",
    "value_and_grad",
]

# They need matplotlib, or time, that not every script should pay for.
_LAZY = ("experiments", "grading", "plots", "report")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(f"minidl.{name}")
    raise AttributeError(f"module 'minidl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
