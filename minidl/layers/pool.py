"""Pooling layers, on NHWC images."""

from __future__ import annotations

from minidl import ops
from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer, positive


class MaxPool2D(Layer):
    """Largest value of each size × size window, see `minidl.ops.max_pool2d`.

    Args:
        size: height and width of the window, and its step, in pixels.

    Example:
        >>> import numpy as np
        >>> MaxPool2D(2)(np.zeros((1, 25, 25, 6))).shape
        (1, 12, 12, 6)

    """

    def __init__(self, size: int) -> None:
        super().__init__()
        positive(self, size=size)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, channels) to (batch, height // size, width // size, channels)."""
        _check_images(self, x, self.size)
        return ops.max_pool2d(x, self.size)

    def arguments(self) -> str:
        """Its window."""
        return f"{self.size}"


class AvgPool2D(Layer):
    """Mean of each size × size window, see `minidl.ops.avg_pool2d`.

    Args:
        size: height and width of the window, and its step, in pixels.

    Example:
        >>> import numpy as np
        >>> AvgPool2D(2)(np.arange(16.0).reshape(1, 4, 4, 1)).data.ravel()
        array([ 2.5,  4.5, 10.5, 12.5])

    """

    def __init__(self, size: int) -> None:
        super().__init__()
        positive(self, size=size)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, channels) to (batch, height // size, width // size, channels)."""
        _check_images(self, x, self.size)
        return ops.avg_pool2d(x, self.size)

    def arguments(self) -> str:
        """Its window."""
        return f"{self.size}"


def _check_images(layer: Layer, x: Tensor, size: int) -> None:
    if x.ndim != 4:
        fix = "put it before Flatten()" if x.ndim == 2 else "add the missing axis, x[..., None]"
        raise ValueError(f"{layer!r} expects (batch, height, width, channels), got {x.shape}: {fix}")
    if min(x.shape[1:3]) < size:
        raise ValueError(f"{layer!r} expects images of {size} x {size} or more, got {x.shape}: pool less")
