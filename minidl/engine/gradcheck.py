"""gradcheck: compares the gradients that a tape computes with central differences, in float64.

The error of an input is max|a - n| / max(max|a|, max|n|, floor), with a floor of 1e-3. Values near 1 are
known to 2e-16, so their differences over 2e-5 carry noise of 1e-11 for each output, and a few times that for
a sum of outputs. A true gradient of 0 (that of a bias before batch normalization) would be wrong by 100 % of
the noise; against the floor the noise is 1e-8, a tenth of the tolerance. So inputs whose largest gradient is
above 1e-3 are checked to 1e-7 of it, the others to 1e-10.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
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
        index: position of its worst element; None if it was the random direction.
        analytic: what the tape computed there.
        numeric: what central differences gave there.
        compared: how many elements and directions were compared, of all inputs together.

    """

    error: float
    input: str
    index: tuple[int, ...] | None
    analytic: float
    numeric: float
    compared: int


class GradcheckError(AssertionError):
    """A gradient that differs from the numerical one; `.report` has the worst element."""

    def __init__(self, report: GradcheckReport, tolerance: float, name: str) -> None:
        self.report = report
        where = "along a random direction" if report.index is None else f"at {report.index}"
        super().__init__(
            f"gradcheck of {name}: {report.input} {where} expects {report.numeric:.9g} by central "
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
    samples: int | None = None,
) -> GradcheckReport:
    """Check the gradients of a function or a layer against central differences, element by element.

    Everything is float64. The upstream gradient is random: with ones, a wrong backward pass of batch
    normalization or softmax would go unnoticed, since the sum of their outputs is constant. The error of an
    input is max|a - n| / max(max|a|, max|n|, floor). Stay away from kinks (ReLU at 0).

    Every element costs two evaluations. For large inputs, `samples` compares so many random elements of each
    input, and besides the derivative along one random direction, both signs and no two lengths alike, which
    every other element enters in full: one that is wrong alone is seen there, and one gradient given to
    another's element; only errors that cancel to 1e-7 are not.

    Args:
        f: takes tensors and returns a tensor, the same one each time. A layer's parameters are checked too,
            on a copy, so the layer itself stays as it was.
        inputs: arrays; each is checked.
        seed: of the random upstream gradient.
        step: of the differences, times max(1, |x|).
        tolerance: largest error allowed.
        floor: below this size of gradient the error is absolute, in units of the floor. The default is a
            hundred million times the rounding error of the differences, about 1e-11.
        samples: how many elements of each input to compare; None for every element and no direction.

    Returns:
        A report of the worst element.

    Raises:
        GradcheckError: an AssertionError that names the input, the element, and both values.
        TypeError: nothing to check, or a result that is no float64 tensor.
        ValueError: a result that isn't the same each time; inputs that are all empty, so that no
            element could be compared; samples below 1.

    Example:
        >>> report = gradcheck(lambda x: (x * x).sum(), np.array([1.0, -2.0, 3.0]))
        >>> report.error < 1e-9, report.compared
        (True, 3)
        >>> images = np.random.default_rng(0).normal(size=(40, 8, 8, 1))
        >>> gradcheck(lambda x: x.exp(), images, samples=5).compared        # 5 elements and a direction
        6

    """
    if samples is not None and samples < 1:
        raise ValueError(f"gradcheck expects samples of 1 or more, or None for all elements, got {samples!r}")
    title = getattr(f, "__name__", type(f).__name__)
    arrays = [np.array(x, dtype=np.float64) for x in inputs]
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

    def evaluate(values: Sequence[Array]) -> tuple[list[Tensor], Tensor]:
        leaves = [Tensor(a, requires_grad=True) for a in values[: len(arrays)]]
        for parameter, a in zip(parameters, values[len(arrays):], strict=True):
            parameter.data = a
        with layer.preserved() if layer is not None else nullcontext():     # the same Dropout masks each time
            y = (f if layer is None else layer)(*leaves)
        return [*leaves, *parameters], y

    point = [*arrays, *[np.array(p.data) for p in parameters]]
    with Tape() as tape:
        leaves, y = evaluate(point)
        if not isinstance(y, Tensor):
            got = "an array" if isinstance(y, np.ndarray) else describe(y)
            raise TypeError(
                f"gradcheck of {title} expects a tensor back, got {got}: "
                f"return what minidl.record or an op gave"
            )
        if y.dtype != np.float64:
            raise TypeError(
                f"gradcheck of {title} expects float64 back, as its inputs are, got {y.dtype}: "
                f"keep their dtype"
            )
        y = record("output", np.array(y.data), (y,), lambda g: (g,))    # y may be an input, passed through
    # Not default_rng(seed): inputs are often drawn from it, and with g = x batch normalization has dx = 0.
    upstream = np.random.default_rng([seed, 1]).normal(size=y.shape)
    analytic = tape.gradients(y, leaves, gradient=upstream)
    again = evaluate(point)[1].data
    if again.shape != y.shape or not np.allclose(again, y.data, rtol=1e-9, atol=1e-9, equal_nan=True):
        raise ValueError(
            f"gradcheck of {title} expects the same result each time, got another at the second call: "
            f"draw no random numbers in it, or from a generator that it makes anew with a seed"
        )

    def change(k: int, by: Array) -> float:
        """How far upstream · f moves when input k moves by `by`; half of the way from -by to +by."""
        plus, minus = (
            evaluate([*point[:k], point[k] + moved, *point[k + 1 :]])[1].data for moved in (by, -by)
        )
        # Differences first, then the sum: a large sum of all outputs would swallow the small changes.
        return float(np.sum(upstream * (plus - minus))) / 2

    compared = [
        entry
        for k, name in enumerate(names)
        for entry in _compare(name, analytic[k], point[k], partial(change, k), step, floor, samples, seed)
    ]
    if not compared:
        shapes = ", ".join(str(a.shape) for a in point)
        raise ValueError(
            f"gradcheck of {title} compared no element, for all inputs are empty: {shapes}: give it inputs "
            f"with at least one element"
        )
    report = max(compared, key=lambda r: r.error)
    report = replace(report, compared=sum(r.compared for r in compared))
    if not report.error <= tolerance:
        raise GradcheckError(report, tolerance, title)
    return report


def _compare(
    name: str,
    analytic: Array,
    point: Array,
    change: Callable[[Array], float],
    step: float,
    floor: float,
    samples: int | None,
    seed: int,
) -> list[GradcheckReport]:
    """The worst element of one input, and the random direction if elements are sampled."""
    if not analytic.size:
        return []
    h = step * np.maximum(1.0, np.abs(point))
    rng = np.random.default_rng([seed, 2])
    chosen = np.arange(analytic.size) if samples is None else rng.permutation(analytic.size)[:samples]
    numeric = np.empty(len(chosen))
    for row, i in enumerate(chosen):
        by = np.zeros(point.shape)
        by.flat[i] = h.flat[i]
        numeric[row] = change(by) / h.flat[i]
    scale = max(float(np.max(np.abs(analytic))), float(np.max(np.abs(numeric))), floor)

    def report(index: tuple[int, ...] | None, a: float, n: float, compared: int) -> GradcheckReport:
        error = abs(a - n) / scale
        # NaN or infinity, on either side, is the worst of all.
        return GradcheckReport(error if np.isfinite(error) else np.inf, name, index, a, n, compared)

    differences = np.nan_to_num(np.abs(analytic.flat[chosen] - numeric), nan=np.inf)
    worst = int(np.argmax(differences))
    index = tuple([int(i) for i in np.unravel_index(chosen[worst], analytic.shape)])
    reports = [report(index, float(analytic[index]), float(numeric[worst]), len(chosen))]
    if samples is not None:
        # Half a step to a whole one: with steps of one length, errors +e and -e would cancel at every other
        # seed. Both sides per half step: so one wrong element counts at least as if it were chosen.
        by = h * rng.choice([-1.0, 1.0], point.shape) * rng.uniform(0.5, 1, point.shape)
        reports.append(report(None, float(np.sum(analytic * by)) / (step / 2), change(by) / (step / 2), 1))
    return reports
