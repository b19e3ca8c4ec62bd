"""The tape: operations are recorded as they are executed, and replayed once, backwards (Wengert 1964)."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from minidl.engine.array import FLOATS, Array, describe, norm
from minidl.engine.blocks import hold_blas, release_blas
from minidl.engine.parameter import Parameter
from minidl.engine.record import Record, Vjp
from minidl.engine.tensor import LEAF, OUTSIDE, Tensor
from minidl.engine.thread import thread


class Tape:
    """A list of the operations executed inside `with Tape() as tape:`.

    The tape keeps everything until it goes out of scope; backward frees nothing. Tapes don't nest, and
    gradients aren't recorded: there are no second derivatives. Each thread has its own tape.

    Args:
        persistent: allow more than one replay.
        keep_gradients: keep the gradient of each record's output in `record.gradient`.

    Attributes:
        records: the records, in the order of execution.

    Example:
        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> with Tape() as tape:
        ...     y = (x * x).sum()
        >>> tape.backward(y)
        >>> x.grad
        array([2., 4.], dtype=float32)

    """

    _numbers = itertools.count(1)

    def __init__(self, persistent: bool = False, keep_gradients: bool = False) -> None:
        self.records: list[Record] = []
        self.persistent = persistent
        self.keep_gradients = keep_gradients
        self.number = next(self._numbers)
        self.layer: str | None = None       # path of the layer that is running now, and that layer itself:
        self.running: Any = None            # Layer.__call__ keeps both up to date
        self._state = "new"

    def __enter__(self) -> Tape:
        if thread.tape is not None and thread.tape._state == "recording":   # not one that another thread left
            raise RuntimeError(
                "tapes don't nest (there are no second derivatives) and this thread is recording on another "
                "Tape: leave its `with` first"
            )
        if self._state != "new":
            raise RuntimeError("a Tape records once: make a new one with `with Tape() as tape:`")
        hold_blas()
        # Last, and without a call: Ctrl-C comes in calls, and would leave a tape open that nobody can leave.
        self._state = "recording"
        thread.tape = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.layer = self.running = None
        self._state = "closed" if kind is None else "broken"
        if thread.tape is self:     # a generator's `with` ends in the thread that lets go of the generator
            thread.tape = None
        release_blas()

    def find(self, op: str | None = None, layer: str | None = None) -> list[Record]:
        """The records of an op, of a layer (with all that lies inside it), or of both, in order.

        Example:
            >>> with Tape() as tape:
            ...     y = Tensor([1.0, -1.0]).exp().sum()
            >>> [record.output.shape for record in tape.find(op="exp")]
            [(2,)]

        """
        def lies_in(path: str | None) -> bool:
            return path is not None and (layer in ("", path) or path.startswith(f"{layer}."))

        return [r for r in self.records if (op is None or r.op == op) and (layer is None or lies_in(r.layer))]

    def has_used(self, tensor: Tensor) -> bool:
        """Whether it is an input of one of the records."""
        return any(tensor is x for record in self.records for x in record.inputs)

    # ---- replay --------------------------------------------------------------------------------------------

    def backward(self, loss: Tensor, gradient: Any = None) -> None:
        """Add the gradient of `loss` to `.grad` of every leaf that requires one.

        Args:
            loss: a tensor recorded on this tape; a scalar, unless `gradient` is given.
            gradient: the upstream gradient, an array of the loss's shape; 1 for a scalar.

        Raises:
            RuntimeError: a tape that is open, broken or already replayed; a parameter changed since its use.
            ValueError: a loss that isn't on this tape, isn't a scalar, or needs no gradient.

        """
        leaves: dict[int, Tensor] = {}
        gradients = self._replay(loss, gradient, wanted=(), leaves=leaves)
        for key, leaf in leaves.items():
            # The records have checked shape and dtype.
            leaf._grad = gradients[key] if leaf._grad is None else np.asarray(leaf._grad + gradients[key])

    def gradients(self, loss: Tensor, tensors: Sequence[Tensor], gradient: Any = None) -> list[Array]:
        """The gradients of `loss` with respect to `tensors`, as arrays; no `.grad` is touched.

        Args:
            loss: as for `backward`.
            tensors: leaves, or results recorded on this tape.
            gradient: as for `backward`.

        Raises:
            ValueError: a tensor without a path to the loss; else as `backward`.

        """
        if isinstance(tensors, Tensor):
            raise TypeError("tape.gradients expects a list of tensors, got one: write [tensor]")
        wanted = list(tensors)
        gradients = self._replay(loss, gradient, wanted=wanted, leaves={})
        for i, tensor in enumerate(wanted):
            if id(tensor) not in gradients:
                raise ValueError(
                    f"tape.gradients: tensor {i}, {describe(tensor)}, has no path to the loss on this tape: "
                    f"use it inside `with Tape()`, and let it require a gradient"
                )
        return [gradients[id(tensor)].copy() for tensor in wanted]

    def _replay(
        self, loss: Tensor, gradient: Any, wanted: Iterable[Tensor], leaves: dict[int, Tensor]
    ) -> dict[int, Array]:
        """Walk the list once, backwards. Returns gradients by id(tensor): those of leaves and of `wanted`."""
        seed = self._seed(loss, gradient)
        keep = {id(tensor) for tensor in wanted}
        gradients: dict[int, Array] = {id(loss): seed}
        ours: set[int] = set()     # the sums that were made here, which alone may be added to in place
        hold_blas()
        try:
            for record in reversed(self.records):
                output = id(record.output)
                if output not in gradients or record.vjp is None:
                    continue
                g = gradients[output] if output in keep else gradients.pop(output)
                g.setflags(write=False)      # a vjp that writes to g would spoil another branch: it fails
                if self.keep_gradients:
                    record.gradient = g
                parts: list[Any] = record.pull_back(g)
                for i, x in enumerate(record.inputs):
                    if parts[i] is None or not x._requires_grad:
                        continue
                    key = id(x)
                    if key not in gradients:
                        if x.origin == LEAF:
                            leaves[key] = x
                            gradients[key] = _unshared(parts, i)
                            ours.add(key)
                        else:
                            gradients[key] = parts[i]
                    elif key in ours:
                        gradients[key] += parts[i]
                    else:
                        gradients[key] = np.asarray(gradients[key] + parts[i])
                        ours.add(key)
        finally:
            release_blas()
        if not self.persistent:
            self._state = "replayed"
        return gradients

    def _seed(self, loss: Tensor, gradient: Any) -> Array:
        if self._state != "closed":
            raise RuntimeError({
                "new": "this tape has recorded nothing: compute the loss inside `with Tape() as tape:`",
                "recording": "the tape is still recording: call backward after the `with Tape()` block",
                "broken": "this tape was left by an exception and can't be replayed: record again",
                "replayed": "this tape was replayed already: record again, or use Tape(persistent=True)",
            }[self._state])
        if not isinstance(loss, Tensor):
            raise TypeError(f"backward expects a Tensor, got {describe(loss)}")
        if loss.origin != self.number:
            raise ValueError(
                f"backward expects a result recorded on this tape, got one that {_whence(loss)}: compute it "
                f"inside `with Tape()`, from something that requires a gradient"
            )
        if gradient is None:
            if loss.size != 1:
                raise ValueError(
                    f"backward expects a scalar loss, got shape {loss.shape}: "
                    f"use loss.mean() or loss.sum(), or pass gradient= of that shape"
                )
            return np.ones(loss.shape, loss.dtype)
        seed = np.array(gradient, dtype=loss.dtype)
        if seed.shape != loss.shape:
            raise ValueError(f"backward expects gradient= of the loss's shape {loss.shape}, got {seed.shape}")
        return seed

    # ---- a lesson ------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Tape({len(self.records)} records, {self._state})"

    def __str__(self) -> str:
        rows = [
            (
                str(i), r.op, "" if r.layer is None else r.layer or "(outermost)",
                " ".join(_shape(x) for x in r.inputs), _shape(r.output),
                "" if r.gradient is None else f"|g| = {norm(r.gradient):.3g}",
            )
            for i, r in enumerate(self.records)
        ]
        head = ("#", "op", "layer", "inputs", "output", "gradient" if any(row[5] for row in rows) else "")
        widths = [max(len(row[c]) for row in [head, *rows]) for c in range(6)]
        lines = [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in [head, *rows]
        ]
        return "\n".join([*lines, f"{len(rows)} records, {self._state}; P parameter, * requires a gradient"])


def active_tape() -> Tape | None:
    """The tape on which this thread records, or None."""
    tape: Tape | None = thread.tape
    return tape


def record(name: str, array: Array, inputs: tuple[Tensor, ...], vjp: Vjp) -> Tensor:
    """Make an op: wrap its result, and note on the active tape how gradients flow back.

    The array becomes the tensor's own and is locked.

    Args:
        name: the op's name.
        array: what the op computed, float32 or float64.
        inputs: the tensors that it was computed from.
        vjp: vector-Jacobian product: takes the gradient of the output, g, and returns a tuple with one array
            of the input's shape and dtype, or None, for each input. It may return `g` or a view of it, but
            writes neither to `g` nor to arrays that it captured at forward time, nor returns those.

    Raises:
        RuntimeError: an input that was computed outside this tape although it requires a gradient.
        TypeError: an input that is no tensor, or a result that is no float array.

    Example:
        >>> def cube(x):
        ...     a = x.data
        ...     return record("cube", a ** 3, (x,), lambda g: (g * 3 * a ** 2,))
        >>> x = Tensor(2.0, requires_grad=True)
        >>> with Tape() as tape:
        ...     y = cube(x)
        >>> tape.backward(y)
        >>> float(x.grad)
        12.0

    """
    if not isinstance(array, np.ndarray):
        array = np.asarray(array)
    if array.dtype not in FLOATS:
        raise TypeError(f"op {name} expects to compute an array of float32 or float64, got {describe(array)}")
    tape = thread.tape
    requires_grad = False
    if isinstance(inputs, Tensor):
        raise TypeError(f"op {name} expects a tuple of inputs, got one tensor: write (x,)")
    for x in inputs:
        if not isinstance(x, Tensor):
            raise TypeError(
                f"op {name} expects its inputs as tensors, got {describe(x)}: use minidl.Tensor(...)"
            )
        if x._requires_grad:
            requires_grad = True
            if tape is not None and x.origin != LEAF and x.origin != tape.number:
                raise RuntimeError(
                    f"op {name} got a tensor {x.shape} that {_whence(x)}, so its gradient would be lost: "
                    f"compute it inside this `with Tape()`, or use .detach()"
                )
    if thread.detects_anomaly and not np.isfinite(array).all():
        where = f" (layer {tape.layer})" if tape is not None and tape.layer else ""
        raise FloatingPointError(f"NaN or infinity in the output of {name}{where}, shape {array.shape}")
    if tape is None:
        return Tensor.result(array, requires_grad, OUTSIDE if requires_grad else LEAF)
    output = Tensor.result(array, requires_grad, tape.number if requires_grad else LEAF)
    tape.records.append(Record(name, tape.layer, inputs, output, vjp if requires_grad else None))
    return output


def _unshared(parts: list[Any], i: int) -> Array:
    """A part that belongs to its leaf alone: a copy where the tape, the op or another input may hold it."""
    is_held = sys.getrefcount(parts[i]) > 2     # by more than the list, and this call itself
    part: Array = parts[i]
    return part.copy() if is_held or part.base is not None or not part.flags.writeable else part


def _whence(tensor: Tensor) -> str:
    if tensor.origin == LEAF:
        return "is a leaf or doesn't depend on anything that requires a gradient"
    return "was computed outside any tape" if tensor.origin == OUTSIDE else "was computed on another tape"


def _shape(tensor: Tensor) -> str:
    mark = "*" if tensor.requires_grad else ""
    return f"{'P' if isinstance(tensor, Parameter) else ''}{tensor.shape}{mark}".replace(" ", "")
