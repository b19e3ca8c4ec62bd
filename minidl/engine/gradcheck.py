"""gradcheck: compares the gradients that a tape computes with central differences, in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.engine.array import Array, describe
from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape, record
from minidl.engine.tensor import Tensor


@dataclass(frozen=True)
class GradcheckReport:
    """The worst element that `gradcheck` found.

    Attributes:
        error: largest of max|a - n| / max(max|a|, max|n|, floor) over the inputs.
        input: name of the input with that error: "input 0", or a parameter's name.
        index: position of its worst element.
        analytic: what the tape computed there.
        numeric: what central differences gave there.

    """

    error: float
    input: str
    index: tuple[int, ...]
    analytic: float
    numeric: float


class GradcheckError(AssertionError):
    """A gradient that differs from the numerical one; `.report` has the worst element."""

    def __init__(self, report: GradcheckReport, tolerance: float, name: str) -> None:
        self.report = report
        super().__init__(
            f"gradcheck of {name}: {report.input} at {report.index} expects {report.numeric:.9g} by central "
            f"differences, got {report.analytic:.9g} from the tape: "
            f"relative error {report.error:.2g} > {tolerance:g}"
        )


def gradcheck(
    f: Callable[..., Tensor],
    *inputs: Any,
    seed: int = 0,
    step: float = 1e-5,
    tolerance: float = 1e-7,
    floor: float = 1e-3,
) -> GradcheckReport:
    """Check the gradients of a function or a layer against central differences, element by element.

    Everything is float64. The upstream gradient is random: with ones, a wrong backward pass of batch
    normalization or softmax would go unnoticed, since the sum of their outputs is constant. The error of an
    input is max|a - n| / max(max|a|, max|n|, floor). Stay away from kinks (ReLU at 0).

    Args:
        f: takes tensors and returns a tensor, the same one each time. A layer's parameters are checked too,
            on a copy, so the layer itself stays as it was.
        inputs: arrays; each is checked.
        seed: of the random upstream gradient.
        step: of the differences, times max(1, |x|).
        tolerance: largest error allowed.
        floor: below this size of gradient the error is absolute, in units of the floor.

    Returns:
        A report of the worst element.

    Raises:
        GradcheckError: an AssertionError that names the input, the element, and both values.
        TypeError: nothing to check, or a result that is no float64 tensor.

    Example:
        >>> report = gradcheck(lambda x: (x * x).sum(), np.array([1.0, -2.0, 3.0]))
        >>> report.error < 1e-9
        True

    """
    arrays = [np.array(x.data if isinstance(x, Tensor) else x, dtype=np.float64) for x in inputs]
    names = [f"input {i}" for i in range(len(arrays))]
    parameters: list[Parameter] = []
    layer: Any = copy.deepcopy(f) if hasattr(f, "named_parameters") else None
    if layer is not None:
        layer.astype(np.float64)
        named = [(name, p) for name, p in layer.named_parameters() if p.requires_grad]
        names += [name for name, _ in named]
        parameters = [p for _, p in named]
    if not names:
        raise TypeError("gradcheck expects inputs or parameters to check, got none")

    def evaluate(values: Sequence[Array], requires_grad: bool = False) -> tuple[list[Tensor], Tensor]:
        leaves = [Tensor(a, requires_grad) for a in values[: len(arrays)]]
        for parameter, a in zip(parameters, values[len(arrays):], strict=True):
            parameter.data = a
        with layer.preserved() if layer is not None else nullcontext():     # the same Dropout masks each time
            y = (f if layer is None else layer)(*leaves)
        return [*leaves, *parameters], y

    point = [*arrays, *[np.array(p.data) for p in parameters]]
    with Tape() as tape:
        leaves, y = evaluate(point, requires_grad=True)
        if not isinstance(y, Tensor) or y.dtype != np.float64:
            raise TypeError(f"gradcheck expects a function that returns float64 tensors, got {describe(y)}")
        y = record("output", np.array(y.data), (y,), lambda g: (g,))    # y may be an input, passed through
    # Not default_rng(seed): inputs are often drawn from it, and with g = x batch normalization has dx = 0.
    upstream = np.random.default_rng([seed, 1]).normal(size=y.shape)
    analytic = tape.gradients(y, leaves, gradient=upstream)
    reports = []
    for k, name in enumerate(names):
        numeric = np.empty_like(analytic[k])
        for index in np.ndindex(numeric.shape):
            h = step * max(1.0, abs(float(point[k][index])))
            plus, minus = (evaluate(_moved(point, k, index, by))[1].data for by in (h, -h))
            # Differences first, then the sum: a large sum of all outputs would swallow the small changes.
            numeric[index] = np.sum(upstream * (plus - minus)) / (2 * h)
        reports.append(_worst(name, analytic[k], numeric, floor))
    report = max(reports, key=lambda r: r.error)
    if not report.error <= tolerance:
        raise GradcheckError(report, tolerance, getattr(f, "__name__", type(f).__name__))
    return report


def _moved(point: Sequence[Array], k: int, index: tuple[int, ...], by: float) -> list[Array]:
    moved = list(point)
    moved[k] = point[k].copy()
    moved[k][index] += by
    return moved


def _worst(name: str, analytic: Array, numeric: Array, floor: float) -> GradcheckReport:
    difference = np.abs(analytic - numeric)
    if not difference.size:
        return GradcheckReport(0.0, name, (), 0.0, 0.0)
    difference = np.where(np.isnan(difference), np.inf, difference)
    worst = np.unravel_index(int(np.argmax(difference)), difference.shape)
    index = tuple(int(i) for i in worst)
    scale = max(float(np.max(np.abs(analytic))), float(np.max(np.abs(numeric))), floor)
    error = float(difference[index]) / scale if np.isfinite(scale) else np.inf
    return GradcheckReport(error, name, index, float(analytic[index]), float(numeric[index]))
