"""What comes out of a layer for a probe: raw arrays, judged elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from minidl.engine.array import Array, describe
from minidl.engine.parameter import Parameter
from minidl.engine.tape import Tape
from minidl.engine.tensor import Tensor
from minidl.grading.probes import (
    DBETA,
    DGAMMA,
    DWEIGHT,
    DX,
    INITIAL,
    OUTPUT,
    RUNNING_MEAN,
    RUNNING_VAR,
    X_AFTERWARDS,
    Probe,
    keyed,
)
from minidl.layers import Layer
from minidl.ops import concatenate, matmul, reshape

UNLINKED = "no gradient comes back: the output isn't linked to the tape"
UNREACHED = "no gradient reaches it, though the output is linked to the tape"


class Unfit(Exception):
    """What came isn't what the contract says; the message is a sentence."""


class Implementation(Protocol):
    """A batch normalization to be graded: a class such as `minidl.layers.BatchNorm`, or a function."""

    def __call__(
        self, num_features: int, *, momentum: float | None, eps: float, affine: bool
    ) -> Layer:
        """A new layer."""


@dataclass(frozen=True, eq=False)
class Observation:
    """The arrays that a run gave, by quantity, and why others are missing.

    Attributes:
        found: arrays of any shape and dtype, as they came.
        missing: a sentence for each quantity that the implementation should have given; the one named ""
            holds for all that aren't named.

    """

    found: dict[str, Array]
    missing: dict[str, str]


def observe_layer(implementation: Implementation, probe: Probe) -> Observation:
    """Build a layer, run the probe through it in float64; whatever it raises becomes a sentence."""
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    stage = "building it"
    try:
        with np.errstate(all="ignore"):
            layer = _built(implementation, probe)
            stage = "giving it parameters and statistics"
            _take(layer, INITIAL, ("gamma", "beta", "running_mean", "running_var"), found, missing)
            _prepare(layer, probe)
            stage = "forward in training mode"
            layer.train()
            for x in probe.warm_up:
                layer(Tensor(x.copy()))
            if not probe.training:
                layer.eval()
                stage = "forward in evaluation mode"
            arrays = [x.copy() for x in probe.inputs]
            inputs = [Tensor(a, requires_grad=probe.needs_dx) for a in arrays]
            weight = None if probe.weight is None else Tensor(probe.weight, requires_grad=True)
            with Tape() as tape:
                # Both of two inputs come from ops and go into one replay: while a gradient waits there for
                # its op, a layer that gives the same array twice overwrites it.
                entering = inputs if len(inputs) == 1 else [reshape(x, x.shape) for x in inputs]
                outputs = [_output(layer(x if weight is None else matmul(x, weight))) for x in entering]
                result, upstream = outputs[0], probe.upstream[0]
                if len(outputs) > 1:
                    result = concatenate([y.reshape(-1) for y in outputs])
                    upstream = np.concatenate([g.ravel() for g in probe.upstream])
            found |= keyed(OUTPUT, [y.data for y in outputs]) | keyed(X_AFTERWARDS, arrays)
            _take(layer, (RUNNING_MEAN, RUNNING_VAR), ("running_mean", "running_var"), found, missing)
            stage = "backward"
            leaves: dict[str, Tensor] = keyed(DX, inputs) if probe.needs_dx else {}
            if probe.gamma is not None:
                leaves |= {DGAMMA: layer.gamma, DBETA: layer.beta}      # type: ignore[attr-defined]
            if weight is not None:
                leaves[DWEIGHT] = weight
            linked = any(y.requires_grad for y in outputs)
            if linked:
                tape.backward(result, gradient=upstream)
            why_not = UNREACHED if linked else UNLINKED
            missing |= {name: why_not for name, leaf in leaves.items() if leaf.grad is None}
            found |= {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
    except KeyboardInterrupt:
        raise
    except BaseException as error:      # SystemExit too, and whatever else a student may raise
        missing[""] = why(stage, error)
    return observation(found, missing)


def observation(found: dict[str, Any], missing: dict[str, str]) -> Observation:
    """Copy what came into plain arrays, only now: had two of them shared memory, it shows."""
    arrays: dict[str, Array] = {}
    for name, value in found.items():
        try:
            arrays[name] = np.array(value)
        except Exception as error:
            missing[name] = why("making an array of it", error)
    return Observation(arrays, missing)


def _built(implementation: Implementation, probe: Probe) -> Layer:
    affine = probe.gamma is not None
    layer = implementation(probe.features, momentum=probe.momentum, eps=probe.eps, affine=affine)
    if not isinstance(layer, Layer):
        raise Unfit(f"expected the implementation to return a Layer, got {describe(layer)}")
    return layer.astype(np.float64)


def _take(
    layer: Layer,
    quantities: Sequence[str],
    attributes: Sequence[str],
    found: dict[str, Any],
    missing: dict[str, str],
) -> None:
    """Copy attributes of the layer, which may go on to change them in place."""
    for quantity, name in zip(quantities, attributes, strict=True):
        value = getattr(layer, name, None)
        if value is None:
            missing[quantity] = f"the layer has no {name}"
        else:
            found[quantity] = np.array(value)


def _prepare(layer: Layer, probe: Probe) -> None:
    for name, value in (("gamma", probe.gamma), ("beta", probe.beta)):
        if value is not None:
            parameter = getattr(layer, name, None)
            if not isinstance(parameter, Parameter):
                raise Unfit(f"expected .{name} to be a Parameter, got {describe(parameter)}")
            parameter.data = value.copy()
    for name, value in (("running_mean", probe.running_mean), ("running_var", probe.running_var)):
        if hasattr(layer, name):
            setattr(layer, name, value.copy())


def _output(y: Any) -> Tensor:
    if not isinstance(y, Tensor):
        raise Unfit(f"expected it to return a Tensor, got {describe(y)}")
    return y


def why(stage: str, error: BaseException) -> str:
    """A sentence: where a run ended, and by what; short and in ASCII."""
    try:
        text = str(error)
    except Exception:       # it is the student's class too
        text = ""
    text = " ".join(text.split()).encode("ascii", "replace").decode()
    text = text if len(text) <= 200 else text[:197] + "..."
    if isinstance(error, Unfit):
        return f"{stage}: {text}"
    return f"{stage} raised {type(error).__name__}{': ' if text else ''}{text}"
