"""Layer, from which every layer is made: its parameters, children, buffers, mode and state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from minidl.checks import whole
from minidl.engine.array import Array, describe
from minidl.engine.parameter import Parameter
from minidl.engine.tensor import Tensor
from minidl.engine.thread import thread


class Layer:
    """A piece of a network. Subclass it, assign attributes, write `forward`.

    An attribute that is a `Parameter` is a parameter, a `Layer` a child, and `self.buffer(name, array)` makes
    a buffer: an array that belongs to the state but isn't learned. Other attributes are ignored, lists of
    layers among them: use Sequential.

    `initialize` calls those of these methods that a layer has: `reset_weights()` starts again what isn't
    drawn, `draw_weights(generator)` draws weights, `draw_noise(generator)` takes a generator of noise over,
    and keeps it as `self.generator`.

    Attributes:
        training: the mode; True in training.
        seed: what all weights below were drawn from, if they were drawn here; else None.

    Example:
        >>> class Scale(Layer):
        ...     def __init__(self, features):
        ...         super().__init__()
        ...         self.factor = Parameter(np.ones(features, np.float32))
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> Scale(3)([[1.0, 2.0, 3.0]]).shape
        (1, 3)

    """

    training: bool = True
    seed: int | None = None
    _buffer_names: tuple[str, ...] = ()
    _drawn_from: int | None = None      # the seed of the layer, this one or one above, that drew the weights
    _seed_given: bool = False           # by the user, so nobody may draw them anew unasked

    def forward(self, x: Tensor) -> Tensor:
        """Compute the output; every layer has its own."""
        raise TypeError(f"{type(self).__name__} has no forward method: write `def forward(self, x)`")

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a parameter isn't replaced by what no optimizer would train."""
        if isinstance(vars(self).get(name), Parameter) and not isinstance(value, Parameter | None):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter, got {describe(value)} in its place: "
                f"assign to {name}.data to change its values"
            )
        super().__setattr__(name, value)

    def __call__(self, x: Any, *others: Any, **options: Any) -> Tensor:
        """Run `forward` on a tensor or a plain array, and tell the tape which layer is running."""
        if not isinstance(x, Tensor):
            x = self._as_input(x)
        tape = thread.tape
        if tape is None:
            return self._checked(self.forward(x, *others, **options))
        outer, path = tape.running, tape.layer
        if outer is None:
            tape.layer = ""
        else:
            name = outer.name_of(self)
            tape.layer = f"{path}.{name}" if path else name
        tape.running = self
        try:
            return self._checked(self.forward(x, *others, **options))
        finally:
            tape.running, tape.layer = outer, path

    def _checked(self, output: Any) -> Tensor:
        """The output of `forward`: a tensor, or a tuple of several; gradients would end at anything else."""
        if isinstance(output, Tensor | tuple):
            return output   # type: ignore[return-value]
        name = f"{type(self).__name__}.forward"
        if output is None:
            raise TypeError(f"{name} expects to return a tensor, got None: end it with `return ...`")
        raise TypeError(
            f"{name} expects to return a tensor, got {describe(output)}: "
            f"compute with tensors and minidl.ops, since gradients end at anything else"
        )

    def _as_input(self, x: Any) -> Tensor:
        if isinstance(x, np.ndarray) and x.dtype == np.uint8:
            raise TypeError(f"{self._title()} expects floats, got uint8 images {x.shape}: divide by 255")
        try:
            given = Tensor(x)
        except TypeError as error:
            got = describe(x) + (": use data.images" if hasattr(x, "images") else "")
            raise TypeError(f"{self._title()} expects an array of numbers, got {got}") from error
        own = self._dtype() or given.dtype
        return given if own == given.dtype else Tensor(given.data.astype(own))

    def _dtype(self) -> np.dtype[Any] | None:
        for _, layer in self.named_layers():
            for value in vars(layer).values():
                if isinstance(value, Parameter):
                    return value.dtype
        return next((array.dtype for _, array in self.named_buffers() if array.dtype.kind == "f"), None)

    # ---- what belongs to it --------------------------------------------------------------------------------

    def buffer(self, name: str, array: Array) -> None:
        """Make an attribute that is saved with the parameters, but not learned."""
        if name not in self._buffer_names:
            self._buffer_names = (*self._buffer_names, name)
        setattr(self, name, array)

    def children(self) -> list[tuple[str, Layer]]:
        """The layers right below this one, with their names."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Layer)]

    def named_layers(self) -> Iterator[tuple[str, Layer]]:
        """(dotted path, layer) of this one, named "", and of all below, in order; a shared one comes once."""
        seen = set()
        waiting: list[tuple[str, Layer]] = [("", self)]
        while waiting:
            path, layer = waiting.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield path, layer
                below = [(f"{path}.{name}" if path else name, child) for name, child in layer.children()]
                waiting += reversed(below)

    def name_of(self, layer: Layer) -> str:
        """Path of a layer below this one; the name of its class if it isn't registered here."""
        for name, child in self.children():
            if child is layer:
                return name
        return next((path for path, other in self.named_layers() if other is layer), type(layer).__name__)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter) of this layer and all below; a shared parameter comes once.

        Example:
            >>> from minidl.layers import Dense, Sequential
            >>> [name for name, _ in Sequential(Dense(2, 3), Dense(3, 1, bias=False)).named_parameters()]
            ['0.weight', '0.bias', '1.weight']

        """
        seen = set()
        for path, layer in self.named_layers():
            for name, value in vars(layer).items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """(dotted name, array) of the buffers of this layer and all below."""
        for path, layer in self.named_layers():
            for name in layer._buffer_names:
                yield (f"{path}.{name}" if path else name), getattr(layer, name)

    def parameters(self, where: Callable[[str, Parameter], bool] | None = None) -> list[Parameter]:
        """All parameters, or those for which `where(name, parameter)` is true.

        Example:
            >>> from minidl.layers import Dense
            >>> len(Dense(2, 3).parameters(where=lambda name, parameter: parameter.ndim > 1))
            1

        """
        return [p for name, p in self.named_parameters() if where is None or where(name, p)]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    # ---- mode ----------------------------------------------------------------------------------------------

    def train(self) -> Self:
        """Put this layer and all below into training mode; returns the layer."""
        for _, layer in self.named_layers():
            layer.training = True
        return self

    def eval(self) -> Self:
        """Put this layer and all below into evaluation mode; returns the layer."""
        for _, layer in self.named_layers():
            layer.training = False
        return self

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluation mode inside this `with`; afterwards each layer has its own mode again."""
        modes = [(layer, layer.training) for _, layer in self.named_layers()]
        self.eval()
        try:
            yield
        finally:
            for layer, training in modes:
                layer.training = training

    # ---- state ---------------------------------------------------------------------------------------------

    def initialize(self, seed: int | None = None) -> Self:
        """Draw all initial weights anew, and give each Dropout a generator of its own; returns the layer.

        Each layer that draws weights gets a child seed of its own, in order, and so does each Dropout, from
        another series. Normalisations draw nothing and start from gamma 1, beta 0 and no statistics. So
        networks with and without batch normalization, or Dropout, start from identical weights.

        Args:
            seed: whole number of 0 or more; None for fresh entropy. Either is kept in `self.seed`.

        """
        if seed is not None:
            seed = whole(type(self).__name__, "seed", seed, least=0)
        sequence = np.random.SeedSequence(seed)
        layers = [layer for _, layer in self.named_layers()]
        for layer in layers:
            layer.seed, layer._drawn_from = None, int(sequence.entropy)  # type: ignore[arg-type]
            layer._seed_given = seed is not None
            if hasattr(layer, "reset_weights"):
                layer.reset_weights()
        self.seed = self._drawn_from
        for children, method in zip(sequence.spawn(2), ("draw_weights", "draw_noise"), strict=True):
            drawing = [layer for layer in layers if hasattr(layer, method)]
            for layer, child in zip(drawing, children.spawn(len(drawing)), strict=True):
                getattr(layer, method)(np.random.default_rng(child))
        return self

    def is_untouched(self) -> bool:
        """Whether this layer's parameters have the values that they were started from, if it starts them."""
        starts = hasattr(self, "draw_weights") or hasattr(self, "reset_weights")
        return not starts or all(p.is_drawn for p in vars(self).values() if isinstance(p, Parameter))

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """Convert parameters and float buffers to float32 or float64; returns the layer."""
        wanted = np.dtype(dtype)
        if wanted not in (np.float32, np.float64):
            raise TypeError(f"astype expects float32 or float64, got {wanted}")
        for parameter in self.parameters():
            parameter.astype(wanted)
        for _, layer in self.named_layers():
            for name in layer._buffer_names:
                array = getattr(layer, name)
                if array.dtype.kind == "f":
                    setattr(layer, name, array.astype(wanted))
        return self

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and buffers, by dotted names."""
        state = {name: np.array(parameter.data) for name, parameter in self.named_parameters()}
        return state | {name: np.array(array) for name, array in self.named_buffers()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over parameters and buffers; changes nothing unless all names and shapes fit.

        Raises:
            ValueError: lists the missing, the unexpected and the misshapen names.

        """
        own = self.state_dict()
        new = {name: np.asarray(value) for name, value in state.items()}
        problems = [f"missing: {name}" for name in own if name not in new]
        problems += [f"unexpected: {name}" for name in new if name not in own]
        problems += [
            f"{name} expects {own[name].shape}, got {new[name].shape}"
            for name in own
            if name in new and own[name].shape != new[name].shape
        ]
        problems += [f"{name} holds no numbers" for name in new if new[name].dtype.kind not in "biuf"]
        if problems:
            raise ValueError(f"load_state_dict changed nothing, the state doesn't fit: {'; '.join(problems)}")
        for name, parameter in self.named_parameters():
            parameter.data = new[name].astype(parameter.dtype)
        self.load_buffers(new)

    def load_buffers(self, state: Mapping[str, Array]) -> None:
        """Take over the buffers in `state`, such as `dict(model.named_buffers())` gave them earlier."""
        for path, layer in self.named_layers():
            for name in layer._buffer_names:
                array = state[f"{path}.{name}" if path else name]
                setattr(layer, name, array.astype(getattr(layer, name).dtype))

    def generators(self) -> dict[str, np.random.Generator]:
        """The generators of noise below, by the dotted paths of their layers: Dropout's."""
        found = [(path, getattr(layer, "generator", None)) for path, layer in self.named_layers()]
        return {path: generator for path, generator in found if isinstance(generator, np.random.Generator)}

    @contextmanager
    def preserved(self) -> Iterator[None]:
        """What forward passes change inside this `with`, buffers and generators, is put back afterwards."""
        buffers = dict(self.named_buffers())
        states = {path: generator.bit_generator.state for path, generator in self.generators().items()}
        try:
            yield
        finally:
            self.load_buffers(buffers)
            for path, generator in self.generators().items():
                generator.bit_generator.state = states[path]

    # ---- how it looks --------------------------------------------------------------------------------------

    def arguments(self) -> str:
        """What stands between the parentheses of its repr."""
        return ""

    def _title(self) -> str:
        """Its repr, if that is one line; for messages."""
        return type(self).__name__ if self.children() else repr(self)

    def __repr__(self) -> str:
        children = self.children()
        if not children:
            return f"{type(self).__name__}({self.arguments()})"
        body = "\n".join(f"  ({name}) {_indented(repr(child))}" for name, child in children)
        return f"{type(self).__name__}(\n{body}\n)"

    def __str__(self) -> str:
        """The repr, with the shapes and the number of the parameters, and the mode."""
        modes = {layer.training for _, layer in self.named_layers()}
        mode = "both modes" if len(modes) > 1 else "training mode" if self.training else "evaluation mode"
        return f"{self._described(mark=len(modes) > 1)}   in {mode}"

    def _described(self, mark: bool) -> str:
        """Its lines, without its mode; `mark` says at each lowest layer whether it is in evaluation mode."""
        if not self.children():
            own = [f"{name} {p.shape}" for name, p in vars(self).items() if isinstance(p, Parameter)]
            return "   ".join([repr(self), *own, *["in evaluation mode"] * (mark and not self.training)])
        lines = [f"  ({name}) {_indented(child._described(mark))}" for name, child in self.children()]
        count = sum(p.size for p in self.parameters())
        return "\n".join([f"{type(self).__name__}(", *lines, f")   {count:,} parameters"])


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")
