"""Conv2D: the convolutional layer, on NHWC images."""

from __future__ import annotations

import numpy as np

from minidl import init as initializers
from minidl import ops
from minidl.checks import whole
from minidl.engine.parameter import Parameter
from minidl.engine.tensor import Tensor
from minidl.layers.layer import Layer


class Conv2D(Layer):
    """Convolution of images (batch, height, width, in_channels) with square kernels.

    Args:
        in_channels: length of the last axis of the input.
        out_channels: number of feature maps.
        kernel_size: height and width of the kernel, in pixels.
        stride: step of the kernel, in pixels.
        padding: zeros put on each side of the image, in pixels.
        bias: False leaves the bias out, as before a batch normalization, whose beta takes its place.
        init: initialiser of the weight, a function or the name of one in `minidl.init`.

    Attributes:
        weight: (kernel_size, kernel_size, in_channels, out_channels).
        bias: (out_channels,), zeros at first; or None.

    Example:
        >>> Conv2D(1, 6, 5)(np.zeros((2, 28, 28, 1))).shape
        (2, 24, 24, 6)

    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        *,
        init: str | initializers.Initialiser = "glorot_uniform",
    ) -> None:
        super().__init__()
        self.in_channels = whole("Conv2D", "in_channels", in_channels)
        self.out_channels = whole("Conv2D", "out_channels", out_channels)
        self.kernel_size = whole("Conv2D", "kernel_size", kernel_size)
        self.stride = whole("Conv2D", "stride", stride)
        self.padding = whole("Conv2D", "padding", padding, least=0)
        self.init = initializers.resolve(init)
        self.weight = Parameter(np.zeros((kernel_size, kernel_size, in_channels, out_channels), np.float32))
        self.bias = Parameter(np.zeros(out_channels, np.float32)) if bias else None
        self.initialize()

    def draw_weights(self, generator: np.random.Generator) -> None:
        """Draw the weight; the bias becomes zero."""
        self.weight.draw(self.init(generator, self.weight.shape))
        if self.bias is not None:
            self.bias.draw(np.zeros(self.out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, in_channels) to (batch, p, q, out_channels)."""
        if x.ndim != 4 or x.shape[3] != self.in_channels:
            raise ValueError(
                f"{self!r} expects (batch, height, width, {self.in_channels}), got {x.shape}: "
                f"{self._fix(x.shape)}"
            )
        if min(x.shape[1:3]) + 2 * self.padding < self.kernel_size:
            raise ValueError(
                f"{self!r} expects images of at least {self.kernel_size - 2 * self.padding} pixels each way, "
                f"got {x.shape}: use a smaller kernel or more padding"
            )
        return ops.conv2d(x, self.weight, self.bias, self.stride, self.padding)

    def _fix(self, shape: tuple[int, ...]) -> str:
        if len(shape) == 3:
            single = shape[2] == self.in_channels
            return "put images into a batch, x[None]" if single else "add the axis of channels, x[..., None]"
        if len(shape) == 4 and shape[1] == self.in_channels:
            return "put the channels last, x.transpose(0, 2, 3, 1)"
        if len(shape) == 4:
            return f"use Conv2D({self._sizes(shape[3])})"
        return "put it before Flatten()" if len(shape) == 2 else "reshape it into images"

    def _sizes(self, in_channels: int) -> str:
        text = f"{in_channels}, {self.out_channels}, {self.kernel_size}"
        text += f", stride={self.stride}" if self.stride != 1 else ""
        text += f", padding={self.padding}" if self.padding else ""
        return text + ("" if self.bias is not None else ", bias=False")

    def arguments(self) -> str:
        """Its sizes."""
        return self._sizes(self.in_channels)
