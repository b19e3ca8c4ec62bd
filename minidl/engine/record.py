"""Record: one operation on a tape, and the check of what its vector-Jacobian product returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from minidl.engine.array import Array, describe
from minidl.engine.tensor import Tensor
from minidl.engine.thread import thread

Vjp: TypeAlias = Callable[[Array], Sequence[Array | None]]

_SEVERAL = (tuple, list)


class Record:
    """One operation on a tape: its op, the layer it ran in, its inputs and its output.

    Attributes:
        op: the op's name, such as "sigmoid".
        layer: dotted path of the layer, seen from the outermost layer called; "" for that layer itself, None
            outside of any.
        inputs: the input tensors.
        output: the output tensor.
        gradient: of the output, if the tape keeps gradients and backward came by; an array or None.

    """

    __slots__ = ("gradient", "inputs", "layer", "op", "output", "versions", "vjp")

    def __init__(
        self, op: str, layer: str | None, inputs: tuple[Tensor, ...], output: Tensor, vjp: Vjp | None
    ) -> None:
        self.op = op
        self.layer = layer
        self.inputs = inputs
        self.output = output
        self.gradient: Array | None = None
        self.vjp = vjp
        self.versions = [x.version for x in inputs]

    def name(self) -> str:
        """The op and its layer, for messages: "dense (layer 1)"."""
        return f"{self.op} (layer {self.layer})" if self.layer else self.op

    def pull_back(self, g: Array) -> list[Array | None]:
        """The gradient of each input, or None, from that of the output: here a wrong vjp is caught.

        Raises:
            RuntimeError: an input that was changed since.
            ValueError: a vjp that doesn't return one array of the right shape and dtype for each input.
            FloatingPointError: NaN or infinity, inside `detect_anomaly()`.

        """
        inputs = self.inputs
        for x, version in zip(inputs, self.versions, strict=True):
            if x.version != version:
                raise RuntimeError(self._changed(x, version))
        try:
            returned = self.vjp(g)      # type: ignore[misc]  # asked only where there is one
        except Exception as error:
            error.add_note(f"in the vector-Jacobian product of {self.name()}")
            raise
        if not isinstance(returned, _SEVERAL) or len(returned) != len(inputs):
            raise ValueError(
                f"the vjp of {self.name()} must return a tuple with one array (or None) for each of the "
                f"{len(self.inputs)} inputs, got "
                + (f"{len(returned)}" if isinstance(returned, _SEVERAL) else describe(returned))
            )
        parts = list(returned)
        for i, x in enumerate(inputs):
            part, like = parts[i], x._data
            if part is None:
                continue
            if not isinstance(part, np.ndarray) or part.shape != like.shape or part.dtype != like.dtype:
                parts[i] = self._as_gradient(part, i)
        if thread.detects_anomaly:
            self._check_finite(parts)
        return parts

    def _changed(self, x: Tensor, version: int) -> str:
        return (
            f"{self.name()} used a {type(x).__name__.lower()} {x.shape} that was changed afterwards (version "
            f"{version}, now {x.version}): call backward before the optimizer's step, or whatever else sets "
            f"its .data or .requires_grad"
        )

    def _as_gradient(self, part: Any, i: int) -> Array:
        """What came for input i, if it is but a NumPy number where an array without axes belongs."""
        like = self.inputs[i].data
        if isinstance(part, np.generic) and not like.shape and part.dtype == like.dtype:
            return np.asarray(part)
        raise ValueError(
            f"the vjp of {self.name()} must return for input {i} an array of shape {like.shape} "
            f"of {like.dtype}, got {'a Tensor, ' * isinstance(part, Tensor)}{describe(part)}"
        )

    def _check_finite(self, parts: list[Array | None]) -> None:
        for i, part in enumerate(parts):
            if part is not None and not np.isfinite(part).all():
                raise FloatingPointError(
                    f"NaN or infinity in the gradient that {self.name()} sends to input {i} {part.shape}"
                )

    def __repr__(self) -> str:
        return f"Record({self.name()}: {', '.join(str(x.shape) for x in self.inputs)} -> {self.output.shape})"
