"""Runs gradient checks, of the whole table or of a user's own op or layer, and records how each ended."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from minidl.engine.gradcheck import GradcheckError, gradcheck
from minidl.gradchecks import layers, ops
from minidl.layers import Layer

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Check:
    """How one gradient check ended.

    Attributes:
        name: of the op, loss or layer, with what is special about the case.
        shapes: of its inputs.
        error: worst relative error, see `minidl.gradcheck`; infinity if it raised something else.
        passed: whether the error is small enough.
        sentence: what was wrong; empty if nothing was.

    """

    name: str
    shapes: tuple[Shape, ...]
    error: float
    passed: bool
    sentence: str


def check_all() -> Iterator[Check]:
    """Check every op, loss and layer of minidl, each layer in both modes; one at a time, as asked for."""
    for case in ops.CASES:
        name = f"{case.op} ({case.note})" if case.note else case.op
        yield _check(name, case.function, case.inputs())
    for layer_case in layers.CASES:
        for mode in ("training", "evaluation"):
            layer = layer_case.layer()
            layer = layer.train() if mode == "training" else layer.eval()
            yield _check(f"{layer_case.kind.__name__} ({mode})", layer, [layer_case.input()])


def check_own(name: str, shapes: Sequence[Shape] = ()) -> list[Check]:
    """Check an op or a layer of the user's, in both modes if it is a layer.

    Args:
        name: "module:function". An op, which takes tensors and returns one; or a Layer's class, or a function
            that makes a layer, either without arguments.
        shapes: of the inputs; by default (4, 3) for each argument.

    Raises:
        ValueError: a name that can't be found or called so; a shape without elements, which proves nothing.

    Example:
        >>> check_own("minidl.ops:tanh")[0].passed
        True

    """
    if any(0 in shape for shape in shapes):
        given = " ".join("x".join(map(str, shape)) or "scalar" for shape in shapes)
        raise ValueError(f"gradcheck of {name} expects elements to compare, got {given}: use lengths above 0")
    target = _find(name)
    if isinstance(target, type) and issubclass(target, Layer):
        target = _called(name, target)
    needed = [] if isinstance(target, Layer) else _required(name, target)
    if not needed and not isinstance(target, Layer):
        target = _called(name, target)
        if not isinstance(target, Layer):
            raise ValueError(f"gradcheck: {name} without arguments must return a Layer, got {target!r}")
    generator = np.random.default_rng(3)
    inputs = [generator.normal(size=shape) for shape in shapes or [(4, 3)] * max(1, len(needed))]
    if isinstance(target, Layer):
        in_training = _check(f"{name} (training)", target.train(), inputs)
        return [in_training, _check(f"{name} (evaluation)", target.eval(), inputs)]
    return [_check(name, target, inputs)]


def _check(name: str, f: Callable[..., Any], inputs: Sequence[Any]) -> Check:
    shapes = tuple(np.shape(x) for x in inputs)
    try:
        return Check(name, shapes, gradcheck(f, *inputs).error, True, "")
    except GradcheckError as error:
        return Check(name, shapes, error.report.error, False, str(error))
    except Exception as error:  # an own op may raise anything: that is a check that failed, not a crash
        return Check(name, shapes, float("inf"), False, f"{type(error).__name__}: {error}{_place(f, error)}")


def _place(f: Callable[..., Any], error: Exception) -> str:
    """The last line of f's own file that the error came through: what NumPy raises names none."""
    file = getattr(sys.modules.get(getattr(f, "__module__", "")), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({Path(file).name}, line {lines[-1]})" if file and lines else ""


def _find(name: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise ValueError(f"gradcheck expects names such as my_module:my_op, got {name!r}")
    if module.endswith(".py"):
        raise ValueError(f"gradcheck expects names such as my_module:my_op, got {name!r}: leave out .py")
    try:
        imported = import_module(module)
    except Exception as error:  # a syntax error, a missing module, whatever the user's module does
        raise ValueError(f"gradcheck can't import {module}: {type(error).__name__}: {error}") from error
    if not hasattr(imported, attribute):
        own = [n for n, value in vars(imported).items() if getattr(value, "__module__", None) == module]
        raise ValueError(
            f"gradcheck finds no {attribute} in the module {module}: it defines {', '.join(own) or 'nothing'}"
        )
    found = getattr(imported, attribute)
    if not callable(found):
        raise ValueError(f"gradcheck expects {name} to be a function or a Layer, got {type(found).__name__}")
    return found


def _required(name: str, function: Callable[..., Any]) -> list[str]:
    """The arguments without a default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise ValueError(f"gradcheck can't see the arguments of {name}: wrap it in a function") from error
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in positional and p.default is p.empty]


def _called(name: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:
        raise ValueError(
            f"gradcheck can't make a layer by {name}(): {error}: name a function that makes it"
        ) from error
