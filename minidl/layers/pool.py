"""Pooling layers, on NHWC images."""

from __future__ import annotations

from minidl import ops
from minidl.checks import whole
from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer


class Pool2D(Layer):
    """What the pooling layers share: the size of their windows, and what they expect."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = whole(type(self).__name__, "size", size)

    def check_images(self, x: Tensor) -> None:
        """Raise unless x holds images of at least one window."""
        if x.ndim != 4:
            fix = "put it before Flatten()" if x.ndim == 2 else "use x[None] for a single image"
            raise ValueError(f"{self!r} expects (batch, height, width, channels), got {x.shape}: {fix}")
        if min(x.shape[1:3]) < self.size:
            images = f"images of {self.size} x {self.size} or more"
            raise ValueError(f"{self!r} expects {images}, got {x.shape}: pool less")

    def arguments(self) -> str:
        """Its window."""
        return f"{self.size}"


class MaxPool2D(Pool2D):
    """Largest value of each size × size window, see `minidl.ops.max_pool2d`.

    Args:
        size: height and width of the window, and its step, in pixels.

    Example:
        >>> import numpy as np
        >>> MaxPool2D(2)(np.zeros((1, 25, 25, 6))).shape
        (1, 12, 12, 6)

    """

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, channels) to (batch, height // size, width // size, channels)."""
        self.check_images(x)
        return ops.max_pool2d(x, self.size)


class AvgPool2D(Pool2D):
    """Mean of each size × size window, see `minidl.ops.avg_pool2d`.

    Args:
        size: height and width of the window, and its step, in pixels.

    Example:
        >>> import numpy as np
        >>> AvgPool2D(2)(np.arange(16.0).reshape(1, 4, 4, 1)).data.ravel()
        array([ 2.5,  4.5, 10.5, 12.5])

    """

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, channels) to (batch, height // size, width // size, channels)."""
        self.check_images(x)
        return ops.avg_pool2d(x, self.size)
