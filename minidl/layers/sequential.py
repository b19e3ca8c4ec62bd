"""Sequential: layers that feed each other, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import overload

from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer


class Sequential(Layer):
    """Layers one after the other. It can be indexed, sliced and iterated, and has a length.

    Args:
        layers: the layers, in order.
        seed: draws all initial weights. Without it they come from fresh entropy, kept in `.seed`, unless one
            of the layers belongs to another model, or was given a seed, or has been trained or loaded: then
            all are left as they are.

    Raises:
        TypeError: something that is no layer; a class, or a list of layers, gets its fix.

    Example:
        >>> import numpy as np
        >>> from minidl.layers import Dense, ReLU
        >>> model = Sequential(Dense(784, 100), ReLU(), Dense(100, 10), seed=0)
        >>> model(np.zeros((5, 784))).shape
        (5, 10)
        >>> model[:2]
        Sequential(
          (0) Dense(784, 100)
          (1) ReLU()
        )

    """

    def __init__(self, *layers: Layer, seed: int | None = None) -> None:
        super().__init__()
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                hint = ": write its parentheses" if isinstance(layer, type) else ""
                hint = ": write Sequential(*layers)" if isinstance(layer, list | tuple) else hint
                raise TypeError(f"Sequential expects layers, got {layer!r} at position {i}{hint}")
        self.layers = list(layers)
        if seed is not None or _is_fresh(self):
            self.initialize(seed)

    def forward(self, x: Tensor) -> Tensor:
        """Feed x through the layers."""
        for i, layer in enumerate(self.layers):
            try:
                x = layer(x)
            except Exception as error:
                error.add_note(f"in layer {i} of a Sequential, a {type(layer).__name__}")
                raise
        return x

    def children(self) -> list[tuple[str, Layer]]:
        """The layers, named by their index."""
        return [(str(i), layer) for i, layer in enumerate(self.layers)]

    def name_of(self, layer: Layer) -> str:
        """The index of a layer, as a path."""
        for i, child in enumerate(self.layers):
            if child is layer:
                return str(i)
        return super().name_of(layer)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> Layer: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Layer | Sequential:
        if not isinstance(index, slice):
            return self.layers[index]
        part = Sequential.__new__(Sequential)     # shares the layers: nothing is drawn anew
        part.layers = self.layers[index]
        part.training = self.training
        return part


def _is_fresh(model: Layer) -> bool:
    """Whether all weights below came from fresh entropy, within this model, and are still as drawn."""
    layers = [layer for _, layer in model.named_layers()]
    seeds = {None, *(layer.seed for layer in layers)}
    return all(
        layer.is_untouched() and not layer._seed_given and layer._drawn_from in seeds for layer in layers
    )
