"""minidl: an educational mini deep-learning framework in pure NumPy, and a laboratory for batch normalization."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minidl import datasets, init, layers, losses, ops, optim, schedules
from minidl.datasets import batches
from minidl.engine.blocks import set_threads
from minidl.engine.functional import grad, value_and_grad
from minidl.engine.gradcheck import gradcheck
from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape, detect_anomaly, record
from minidl.engine.tensor import Tensor
from minidl.layers import summary

__version__ = "0.1.0"
