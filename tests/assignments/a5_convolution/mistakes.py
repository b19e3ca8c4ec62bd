"""Known mistakes of A5, each a function in place of the solution's: what a hint is computed from."""

from __future__ import annotations

import numpy as np

from . import solution as right

OVER = (0, 1, 2)


# ---- convolution -------------------------------------------------------------------------------------------


def flipped(x, weight, bias, stride=1, padding=0):
    return right.conv2d(x, weight[::-1, ::-1], bias, stride, padding)


def transposed(x, weight, bias, stride=1, padding=0):
    return right.conv2d(x, weight.swapaxes(0, 1), bias, stride, padding)


def without_bias(x, weight, bias, stride=1, padding=0):
    return right.conv2d(x, weight, 0 * bias, stride, padding)


def padded_at_the_end(x, weight, bias, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 2 * padding), (0, 2 * padding), (0, 0)))
    return right.conv2d(x, weight, bias, stride)


def steps_of_one(x, weight, bias, stride=1, padding=0):
    y = right.conv2d(x, weight, bias, stride, padding)
    return right.conv2d(x, weight, bias, 1, padding)[:, : y.shape[1], : y.shape[2]]


def columns_from_rows(x, weight, bias, stride=1, padding=0):
    y = right.conv2d(x, weight, bias, stride, padding)
    return y[:, :, : y.shape[1]]


def dx_flipped(g, x, weight, stride=1, padding=0):
    return right.conv2d_backward(g, x, weight[::-1, ::-1], stride, padding)


def dx_with_its_padding(g, x, weight, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    return right.conv2d_backward(g, padded, weight, stride)


def dx_cut_at_the_end(g, x, weight, stride=1, padding=0):
    dx, dweight, dbias = dx_with_its_padding(g, x, weight, stride, padding)
    return dx[:, : x.shape[1], : x.shape[2]], dweight, dbias


def dx_cut_to_nothing(g, x, weight, stride=1, padding=0):
    dx, dweight, dbias = dx_with_its_padding(g, x, weight, stride, padding)
    return dx[:, padding:-padding, padding:-padding], dweight, dbias


def _overwritten(write):
    """dx whose elements are assigned where they should be added to, without padding."""
    def backward(g, x, weight, stride=1, padding=0):
        dx = np.zeros(x.shape)
        write(dx, g, weight, stride)
        return dx, *right.conv2d_backward(g, x, weight, stride)[1:]

    return backward


def _by_offset(dx, g, weight, stride):
    for i, j in np.ndindex(weight.shape[:2]):
        rows, columns = slice(i, i + stride * g.shape[1], stride), slice(j, j + stride * g.shape[2], stride)
        dx[:, rows, columns] = g @ weight[i, j].T


def _by_window(dx, g, weight, stride):
    for n, p, q in np.ndindex(g.shape[:3]):
        rows, columns = (slice(at * stride, at * stride + len(weight)) for at in (p, q))
        dx[n, rows, columns] = weight @ g[n, p, q]


def _by_window_and_channel(dx, g, weight, stride):
    for n, p, q, o in np.ndindex(g.shape):
        rows, columns = (slice(at * stride, at * stride + len(weight)) for at in (p, q))
        dx[n, rows, columns] = weight[..., o] * g[n, p, q, o]


DX_OVERWRITTEN = [_overwritten(write) for write in (_by_offset, _by_window, _by_window_and_channel)]


def gradients_averaged(g, x, weight, stride=1, padding=0):
    dx, dweight, dbias = right.conv2d_backward(g, x, weight, stride, padding)
    return dx, dweight / len(x), dbias / len(x)


def dbias_of_each_position(g, x, weight, stride=1, padding=0):
    return *right.conv2d_backward(g, x, weight, stride, padding)[:2], g.sum(axis=0)


# ---- pooling -----------------------------------------------------------------------------------------------


def largest_from_zero(x, size):
    return np.maximum(right.max_pool2d(x, size), 0)


def _shares(g, x, size, share):
    """Gradients that go to pixels by their values and the positions of the largest, window by window."""
    dx = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(g.shape):
        window = np.s_[n, p * size : (p + 1) * size, q * size : (q + 1) * size, c]
        dx[window] = g[n, p, q, c] * share((x[window] == x[window].max()).astype(float))
    return dx


def all_maxima(g, x, size):
    return _shares(g, x, size, lambda largest: largest)


def shared_among_maxima(g, x, size):
    return _shares(g, x, size, lambda largest: largest / largest.sum())


def last_maximum(g, x, size):
    dx = right.max_pool2d_backward(g[:, ::-1, ::-1], x[:, ::-1, ::-1], size)
    return dx[:, ::-1, ::-1]


def every_pixel(g, x, size):
    return _shares(g, x, size, np.ones_like)


# ---- batch normalization -----------------------------------------------------------------------------------


def normalised(x, gamma, beta, mean, var, inverse):
    return gamma * (x - mean) * inverse(var) + beta


def _output(inverse):
    return lambda x, gamma, beta, eps: normalised(
        x, gamma, beta, x.mean(OVER), x.var(OVER), lambda var: inverse(var, eps)
    )


eps_outside = _output(lambda var, eps: 1 / np.sqrt(var) + eps)
std_and_eps = _output(lambda var, eps: 1 / (np.sqrt(var) + eps))


def per_activation(x, gamma, beta, eps):
    return normalised(x, gamma, beta, x.mean(axis=0), x.var(axis=0), lambda var: 1 / np.sqrt(var + eps))


def unbiased(x, gamma, beta, eps):
    m = x[..., 0].size
    return normalised(
        x, gamma, beta, x.mean(OVER), x.var(OVER) * m / (m - 1), lambda var: 1 / np.sqrt(var + eps)
    )


def n_in_the_statistics(x, gamma, beta, eps):
    mean = x.sum(OVER) / len(x)
    return normalised(
        x, gamma, beta, mean, ((x - mean) ** 2).sum(OVER) / len(x), lambda var: 1 / np.sqrt(var + eps)
    )


def bare(x, gamma, beta, eps):
    return right.batch_norm(x, np.ones_like(gamma), np.zeros_like(beta), eps)


def _gradients(formula=None, dgamma=None):
    """The right backward pass with another dx, formula(h, x_hat, inverse, N), or dgamma(g, x, x_hat)."""
    def backward(g, x, gamma, eps):
        inverse = 1 / np.sqrt(x.var(OVER) + eps)
        x_hat = (x - x.mean(OVER)) * inverse
        dx, right_dgamma, dbeta = right.batch_norm_backward(g, x, gamma, eps)
        dx = dx if formula is None else formula(g * gamma, x_hat, inverse, len(x))
        return dx, right_dgamma if dgamma is None else dgamma(g, x, x_hat), dbeta

    return backward


def _along(h, x_hat):
    return x_hat * (h * x_hat).mean(OVER)


mean_detached = _gradients(lambda h, x_hat, inverse, n: inverse * (h - _along(h, x_hat)))
var_detached = _gradients(lambda h, x_hat, inverse, n: inverse * (h - h.mean(OVER)))
sign_flipped = _gradients(lambda h, x_hat, inverse, n: inverse * (h - h.mean(OVER) + _along(h, x_hat)))
n_in_dx = _gradients(
    lambda h, x_hat, inverse, n: inverse * (h - (h.sum(OVER) + x_hat * (h * x_hat).sum(OVER)) / n)
)
dgamma_of_each_position = _gradients(dgamma=lambda g, x, x_hat: (g * x_hat).sum(axis=0))
dgamma_averaged_over_positions = _gradients(
    dgamma=lambda g, x, x_hat: (g * x_hat).sum(axis=0).mean(axis=(0, 1))
)
dgamma_by_x = _gradients(dgamma=lambda g, x, x_hat: (g * x).sum(OVER))


DX_OVER_THE_BATCH = [
    _gradients(lambda h, x_hat, inverse, n: inverse * (h - h.mean(0) - x_hat * (h * x_hat).mean(0))),
    _gradients(lambda h, x_hat, inverse, n: inverse * (
        h - (h.sum(0) + x_hat * (h * x_hat).sum(0)) / h[..., 0].size
    )),
]


def dx_per_activation(g, x, gamma, eps):
    _, *others = right.batch_norm_backward(g, x, gamma, eps)
    inverse = 1 / np.sqrt(x.var(0) + eps)
    x_hat, h = (x - x.mean(0)) * inverse, gamma * g
    return inverse * (h - h.mean(0) - x_hat * (h * x_hat).mean(0)), *others


def no_gamma_in_dx(g, x, gamma, eps):
    return right.batch_norm_backward(g, x, np.ones_like(gamma), eps)


# ---- dilation ----------------------------------------------------------------------------------------------


def no_dilation(x, weight, bias, stride=1, padding=0, dilation=1):
    return right.conv2d(x, weight, bias, stride, padding)


def one_too_far(x, weight, bias, stride=1, padding=0, dilation=1):
    return right.dilated_conv2d(x, weight, bias, stride, padding, dilation + 1)


def backward_without_dilation(g, x, weight, stride=1, padding=0, dilation=1):
    return right.conv2d_backward(g, x, weight, stride, padding)


def kernel_times_dilation(x, weight, bias, stride=1, padding=0, dilation=1):
    y = right.dilated_conv2d(x, weight, bias, stride, padding, dilation)
    p, q = ((side + 2 * padding - len(weight) * dilation) // stride + 1 for side in x.shape[1:3])
    return y[:, :p, :q]
