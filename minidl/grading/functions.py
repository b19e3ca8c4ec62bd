"""What comes out of a pair of plain NumPy functions, as a student writes them, for a probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.engine.array import Array, describe
from minidl.grading.observe import Observation, Unfit, observation, why
from minidl.grading.probes import (
    DBETA,
    DGAMMA,
    DX,
    OUTPUT,
    UPSTREAM_AFTERWARDS,
    X_AFTERWARDS,
    Probe,
    Setting,
    keyed,
)

OF_FUNCTIONS = (OUTPUT, DX, DGAMMA, DBETA, X_AFTERWARDS, UPSTREAM_AFTERWARDS)


@dataclass(frozen=True)
class Functions:
    """A pair of functions on arrays; see `from_functions`."""

    forward: Callable[[Array, Array, Array, float], tuple[Array, Any]]
    backward: Callable[[Array, Any], tuple[Array, Array, Array]]


def from_functions(
    forward: Callable[[Array, Array, Array, float], tuple[Array, Any]],
    backward: Callable[[Array, Any], tuple[Array, Array, Array]],
) -> Functions:
    """Wrap a pair of NumPy functions, so that `check_batch_norm` takes it.

    Such a pair has no running statistics, no evaluation mode and no tape: those checks are left out.

    Args:
        forward: `forward(x, gamma, beta, eps) -> (y, cache)`; x and y (..., features), gamma and beta
            (features,).
        backward: `backward(g, cache) -> (dx, dgamma, dbeta)`; g is the gradient of y.

    Example:
        >>> from minidl.grading import check_batch_norm
        >>> def forward(x, gamma, beta, eps):
        ...     mean, var = x.mean(0), x.var(0)                 # right for (batch, features) only
        ...     return (x - mean) / np.sqrt(var + eps) * gamma + beta, None
        >>> report = check_batch_norm(from_functions(forward, lambda g, cache: (g, g, g)))
        >>> {check.name: check.wrong for check in report.failures}["feature maps, training: output"]
        'per activation'

    """
    return Functions(forward, backward)


def is_for_functions(setting: Setting, quantity: str) -> bool:
    """Whether a pair of functions can be put to this check."""
    return quantity.rstrip(" 12") in OF_FUNCTIONS and all(
        p.training and p.gamma is not None and p.weight is None and p.needs_dx for p in setting.probes
    )


def observe_functions(functions: Functions, probe: Probe) -> Observation:
    """Call forward for each input, then backward for each; whatever they raise becomes a sentence."""
    assert probe.gamma is not None and probe.beta is not None
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    inputs, upstream = [x.copy() for x in probe.inputs], [g.copy() for g in probe.upstream]
    stage = "forward"
    try:
        with np.errstate(all="ignore"):
            results = [
                _parts(functions.forward(x, probe.gamma.copy(), probe.beta.copy(), probe.eps), "y, cache")
                for x in inputs
            ]
            found |= keyed(OUTPUT, [y for y, _ in results])
            found |= keyed(X_AFTERWARDS, inputs)
            stage = "backward"
            gradients = [
                _parts(functions.backward(g, cache), "dx, dgamma, dbeta")
                for g, (_, cache) in zip(upstream[::-1], results[::-1], strict=True)     # as a tape would
            ][::-1]
            found |= keyed(UPSTREAM_AFTERWARDS, upstream)
            found |= keyed(DX, [dx for dx, _, _ in gradients])
            for k, name in ((1, DGAMMA), (2, DBETA)):
                # Added up only after all calls: if two returned the same array, it shows.
                values = [np.array(parts[k]) for parts in gradients]
                found[name] = values[0] if len(values) == 1 else values[0] + values[1]
    except KeyboardInterrupt:
        raise
    except BaseException as error:      # SystemExit too, and whatever else a student may raise
        missing[""] = why(stage, error)
    return observation(found, missing)


def _parts(returned: Any, names: str) -> Any:
    count = len(names.split(", "))
    if not isinstance(returned, tuple | list) or len(returned) != count:
        raise Unfit(f"expected it to return ({names}), got {describe(returned)}")
    return returned
