"""What all optimizers share: parameters, learning rate, weight decay, counting, saving; and clipping."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.checks import number_in
from minidl.engine.array import Array, describe, norm
from minidl.engine.parameter import Parameter
from minidl.engine.tensor import Tensor
from minidl.schedules import Schedule, as_schedule


@dataclass(slots=True)
class Slot:
    """What an optimizer keeps for one parameter."""

    parameter: Parameter
    weight_decay: float         # 0 for those in no_decay
    state: dict[str, Array]     # running averages and the like, of the parameter's shape and dtype
    scratch: Array              # memory for temporaries, shared by all slots
    decayed: Array              # memory for gradient + weight_decay * parameter, shared by all slots
    steps: int = 0              # its own updates: a parameter that was frozen at first starts its count later


class Optimizer:
    """What all optimizers share: parameters, learning rate, weight decay, steps, and saving and loading.

    Attributes:
        parameters: the list of parameters.
        steps: the number of steps done.
        lr: the learning rate of the next step; assign a number or a schedule to change it.

    A subclass names its arrays in `state` and writes `_update`. All work is done in place: on large layers
    fresh memory would cost more than the arithmetic. Scalars are Python floats: they leave float32 as it is.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule,
        weight_decay: float,
        no_decay: Iterable[Parameter],
        state: tuple[str, ...],
    ) -> None:
        name = type(self).__name__
        self.parameters = _parameters(name, parameters)
        self.steps = 0
        self.lr = lr
        self.weight_decay = number_in(name, "weight_decay", weight_decay, "[0, inf)")
        kept = {id(p) for p in _list(f"{name}(no_decay=...)", no_decay)}
        if kept - {id(p) for p in self.parameters}:
            raise ValueError(
                f"{name} expects no_decay to hold parameters that it trains, got others: leave those out"
            )
        sizes: dict[np.dtype[Any], int] = {}
        for p in self.parameters:
            sizes[p.dtype] = max(p.size, sizes.get(p.dtype, 0))
        memory = {dtype: np.empty((2, size), dtype) for dtype, size in sizes.items()}
        self._slots = [
            Slot(
                p,
                0.0 if id(p) in kept else self.weight_decay,
                {key: np.zeros(p.shape, p.dtype) for key in state},
                *(row[: p.size].reshape(p.shape) for row in memory[p.dtype]),
            )
            for p in self.parameters
        ]

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self._rate(self._schedule)

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        schedule = as_schedule(type(self).__name__, lr)
        self._rate(schedule)    # a schedule that doesn't work shows here, and not after the first batch
        self._schedule = schedule

    def _rate(self, schedule: Schedule) -> float:
        rate = schedule(self.steps)
        if type(rate) is float and 0 <= rate < math.inf:
            return rate
        where = f"{type(self).__name__} at step {self.steps}"
        return number_in(where, "the schedule's rate", rate, "[0, inf)")

    def step(self) -> None:
        """Change each parameter that has a gradient, and clear the gradients.

        Raises:
            RuntimeError: if no parameter has a gradient, or one's dtype isn't what it was at the start.
            ValueError: if the schedule gives a rate that is negative or not finite.

        """
        lr = self.lr
        live = []
        for slot in self._slots:
            parameter = slot.parameter
            g = parameter.grad
            if g is None:
                continue
            if g.dtype != slot.scratch.dtype:       # the parameter's too
                raise RuntimeError(
                    f"{type(self).__name__} was made for {slot.scratch.dtype} parameters and found "
                    f"{parameter.dtype}: make the optimizer after model.astype(...)"
                )
            live.append((slot, parameter, g))
        if not live:
            raise RuntimeError(
                f"{type(self).__name__}.step() found no gradient in its {len(self._slots)} parameters: "
                f"call tape.backward(loss) before each step"
            )
        # A run that diverges would warn at every step: its loss tells, and dl.detect_anomaly() tells where.
        with np.errstate(over="ignore", invalid="ignore"):
            for slot, parameter, g in live:
                w = parameter.writable()
                slot.steps += 1
                self._update(w, self._decay(w, g, slot, lr) if slot.weight_decay else g, slot, lr)
                parameter.grad = None
        self.steps += 1

    def _decay(self, w: Array, g: Array, slot: Slot, lr: float) -> Array:
        """The gradient of loss + weight_decay / 2 * ||w||^2."""
        np.multiply(w, slot.weight_decay, out=slot.decayed)
        slot.decayed += g
        return slot.decayed

    def _update(self, w: Array, g: Array, slot: Slot, lr: float) -> None:
        """Write the new weights into w, in place. g may be shared and is only read."""
        raise TypeError(f"{type(self).__name__} has no _update method: write its formula there")

    def zero_grad(self) -> None:
        """Clear the gradients without a step."""
        for p in self.parameters:
            p.grad = None

    def state_dict(self) -> dict[str, Array | int]:
        """Copies of everything that grows from step to step; keys such as "steps" and "0.momentum_buffer".

        With the parameters' values, and a new optimizer with the same options, training goes on bit for bit.
        """
        entries = self._entries()
        return {key: v if isinstance(v, int) else v.copy() for key, v in entries.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave.

        Raises:
            ValueError: if keys are missing, unexpected or misshapen; it lists them, and nothing has changed.

        """
        mine = self._entries()
        problems = [f"missing {key}" for key in mine if key not in state]
        problems += [f"unexpected {key}" for key in state if key not in mine]
        for key in mine.keys() & state.keys():
            own, new = mine[key], np.asarray(state[key])
            if isinstance(own, int):
                if new.shape or new.dtype.kind not in "iu" or new < 0:
                    problems.append(f"{key}: expected a count, got {describe(state[key])}")
            elif new.shape != own.shape or new.dtype != own.dtype:
                problems.append(f"{key}: expected {describe(own)}, got {describe(new)}")
        if problems:
            raise ValueError(
                f"{type(self).__name__}.load_state_dict expects the state of an optimizer with the same "
                f"options and parameters, got one with: {'; '.join(sorted(problems))}"
            )
        self.steps = int(state["steps"])
        for i, slot in enumerate(self._slots):
            slot.steps = int(state[f"{i}.steps"])
            for key, array in slot.state.items():
                array[...] = state[f"{i}.{key}"]

    def _entries(self) -> dict[str, Array | int]:
        entries: dict[str, Array | int] = {"steps": self.steps}
        for i, slot in enumerate(self._slots):
            entries[f"{i}.steps"] = slot.steps
            entries.update({f"{i}.{key}": array for key, array in slot.state.items()})
        return entries

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters)} parameters, lr={self.lr:g}, steps={self.steps})"


def clip_grad_norm(parameters: Iterable[Parameter], max_norm: float) -> float:
    """Scale all gradients together so that their common 2-norm is at most max_norm; call it before `step`.

    Each is multiplied by min(1, max_norm / (norm + 1e-6)). Arrays are replaced, never written into.

    Returns:
        The norm before clipping. If it isn't finite the gradients stay as they are: no factor mends them.

    Raises:
        RuntimeError: if no parameter has a gradient.
        ValueError: if max_norm isn't a finite number above 0.

    Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", arXiv:1211.5063,
    algorithm 1; PyTorch's `clip_grad_norm_`.

    Example:
        >>> weight = Parameter([0.0, 0.0])
        >>> weight.grad = np.array([3, 4], np.float32)
        >>> clip_grad_norm([weight], max_norm=1.0), weight.grad.round(3)
        (5.0, array([0.6, 0.8], dtype=float32))

    """
    max_norm = number_in("clip_grad_norm", "max_norm", max_norm, "(0, inf)")
    live = [(p, g) for p in _parameters("clip_grad_norm", parameters) if (g := p.grad) is not None]
    if not live:
        raise RuntimeError(
            "clip_grad_norm found no gradient: call it between tape.backward(loss) and optimizer.step()"
        )
    total = math.hypot(*[norm(g) for _, g in live])
    if max_norm < total + 1e-6 and math.isfinite(total):
        for p, g in live:
            p.grad = g * (max_norm / (total + 1e-6))
    return total


def _parameters(where: str, parameters: Iterable[Parameter]) -> list[Parameter]:
    """A list of distinct parameters, at least one."""
    found = _list(where, parameters)
    if not found:
        raise ValueError(
            f"{where} expects at least one parameter, got none: keep layers in attributes or a Sequential, "
            f"not in a list (an iterator that was used before is empty too)"
        )
    first: dict[int, int] = {}
    for i, p in enumerate(found):
        if first.setdefault(id(p), i) != i:
            raise ValueError(
                f"{where} expects each parameter once, got number {first[id(p)]} ({describe(p)}) "
                f"again as number {i}"
            )
    return found


def _list(where: str, parameters: Iterable[Parameter]) -> list[Parameter]:
    what = f"{where} expects an iterable of parameters, got a {type(parameters).__name__}"
    if callable(getattr(parameters, "parameters", None)):
        raise TypeError(f"{what}: use model.parameters()")
    if isinstance(parameters, Tensor):
        raise TypeError(f"{what}: put it into a list")
    if not isinstance(parameters, Iterable):
        raise TypeError(f"{what}: use model.parameters(), with its brackets")
    found = list(parameters)
    for i, p in enumerate(found):
        if not isinstance(p, Parameter):
            fix = "make it a Parameter" if isinstance(p, Tensor) else "use model.parameters()"
            raise TypeError(f"{where} expects parameters, got a {type(p).__name__} as number {i}: {fix}")
    return found
