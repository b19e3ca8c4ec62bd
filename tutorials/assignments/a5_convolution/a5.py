"""A5: convolution, max-pooling, batch normalization per feature map. The handout is README.md.

Plain NumPy: `import numpy` and the standard library are all that this file may import.

Images are NHWC: (batch, height, width, channels), and height and width need not be alike. Every backward
function gets g, the gradient of the loss with respect to what the forward function returned, and then what
the forward function got; so each can be written, and is graded, without the other. Arguments stay as they
are, and every array that is returned is a new one.
"""

from __future__ import annotations

import numpy as np


def conv2d(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int = 1, padding: int = 0
) -> np.ndarray:
    """Task 1: convolution, as deep learning means it: the kernel isn't flipped.

    Args:
        x: (batch, height, width, in).
        weight: (kernel, kernel, in, out).
        bias: (out,).
        stride: step of the window, in pixels, down as well as across.
        padding: zeros put on each of the four sides, in pixels.

    Returns:
        (batch, (height + 2 * padding - kernel) // stride + 1, the same for width, out).

    """
    raise NotImplementedError("A5, task 1: conv2d(x, weight, bias, stride, padding) -> y")


def conv2d_backward(
    g: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Task 2: the gradients of the convolution.

    Args:
        g: gradient of y, of y's shape (batch, p, q, out).
        x: as in conv2d; so are weight, stride and padding.
        weight: (kernel, kernel, in, out).
        stride: step of the window.
        padding: zeros on each side.

    Returns:
        (dx, dweight, dbias), of the shapes of x, weight and bias: sums, nothing is divided by the batch size.

    """
    raise NotImplementedError("A5, task 2: conv2d_backward(g, x, weight, ...) -> (dx, dweight, dbias)")


def max_pool2d(x: np.ndarray, size: int) -> np.ndarray:
    """Task 3: the largest value of each window of size x size pixels; the windows don't overlap.

    Args:
        x: (batch, height, width, channels); rows and columns that fill no window are left out.
        size: height and width of a window.

    Returns:
        (batch, height // size, width // size, channels).

    """
    raise NotImplementedError("A5, task 3: max_pool2d(x, size) -> y")


def max_pool2d_backward(g: np.ndarray, x: np.ndarray, size: int) -> np.ndarray:
    """Task 3: the gradient of max-pooling. The first of several equal maxima, row by row, takes all of it.

    Args:
        g: gradient of y, of y's shape.
        x: as in max_pool2d; so is size.
        size: height and width of a window.

    Returns:
        dx, of x's shape.

    """
    raise NotImplementedError("A5, task 3: max_pool2d_backward(g, x, size) -> dx")


def batch_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> np.ndarray:
    """Task 4: batch normalization in training mode, with one mean and variance per feature map.

    Args:
        x: (batch, height, width, channels).
        gamma: (channels,), the scale.
        beta: (channels,), the shift.
        eps: added to the variance, inside the root.

    Returns:
        y, of x's shape.

    """
    raise NotImplementedError("A5, task 4: batch_norm(x, gamma, beta, eps) -> y")


def batch_norm_backward(
    g: np.ndarray, x: np.ndarray, gamma: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Task 4: the gradients of batch normalization, in training mode.

    Args:
        g: gradient of y, of y's shape.
        x: as in batch_norm; so are gamma and eps.
        gamma: (channels,).
        eps: added to the variance.

    Returns:
        (dx, dgamma, dbeta), of the shapes of x, gamma and beta.

    """
    raise NotImplementedError("A5, task 4: batch_norm_backward(g, x, gamma, eps) -> (dx, dgamma, dbeta)")


def dilated_conv2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> np.ndarray:
    """Task 5: a convolution whose weights look at pixels that lie `dilation` apart.

    Args:
        x: (batch, height, width, in).
        weight: (kernel, kernel, in, out).
        bias: (out,).
        stride: step of the window.
        padding: zeros on each side.
        dilation: distance between the pixels that neighbouring weights look at; 1 is conv2d.

    Returns:
        (batch, p, q, out); p and q are for you to find, and shown in the handout's hint.

    """
    raise NotImplementedError("A5, task 5: dilated_conv2d(x, weight, bias, stride, padding, dilation) -> y")


def dilated_conv2d_backward(
    g: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Task 5: the gradients of the dilated convolution.

    Args:
        g: gradient of y, of y's shape.
        x: as in dilated_conv2d; so are weight, stride, padding and dilation.
        weight: (kernel, kernel, in, out).
        stride: step of the window.
        padding: zeros on each side.
        dilation: distance between pixels.

    Returns:
        (dx, dweight, dbias), of the shapes of x, weight and bias.

    """
    raise NotImplementedError("A5, task 5: dilated_conv2d_backward(g, x, ...) -> (dx, dweight, dbias)")
