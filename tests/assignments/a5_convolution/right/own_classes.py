"""Classes behind the functions, products as @, statistics in passes over the axes one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Geometry:
    kernel: int
    stride: int
    padding: int
    dilation: int

    def count(self, length):
        return 1 + (length + 2 * self.padding - self.reach) // self.stride

    @property
    def reach(self):
        return 1 + self.dilation * (self.kernel - 1)

    def offsets(self):
        """(i, j) of each weight."""
        for i in range(self.kernel):
            for j in range(self.kernel):
                yield i, j

    def seen(self, offset, outputs, length):
        """Outputs that see a pixel at this offset, not padding, and these pixels, along one axis."""
        pixels = np.arange(outputs) * self.stride + offset * self.dilation - self.padding
        inside = (pixels >= 0) & (pixels < length)
        return np.flatnonzero(inside), pixels[inside]


class Convolution:
    def __init__(self, weight, stride, padding, dilation=1):
        self.weight, self.shape = weight, Geometry(len(weight), stride, padding, dilation)

    def forward(self, x, bias):
        p, q = self.shape.count(x.shape[1]), self.shape.count(x.shape[2])
        y = np.tile(bias.astype(float), (len(x), p, q, 1))
        for i, j in self.shape.offsets():
            r, rows = self.shape.seen(i, p, x.shape[1])
            s, columns = self.shape.seen(j, q, x.shape[2])
            y[:, r[:, None], s] += x[:, rows[:, None], columns] @ self.weight[i, j]
        return y

    def backward(self, g, x):
        dx, dweight = 0.0 * x, 0.0 * self.weight
        for i, j in self.shape.offsets():
            r, rows = self.shape.seen(i, g.shape[1], x.shape[1])
            s, columns = self.shape.seen(j, g.shape[2], x.shape[2])
            part, pixels = g[:, r[:, None], s], x[:, rows[:, None], columns]
            dx[:, rows[:, None], columns] += part @ self.weight[i, j].T
            dweight[i, j] = pixels.reshape(-1, x.shape[3]).T @ part.reshape(-1, g.shape[3])
        return dx, dweight, g.sum(axis=2).sum(axis=1).sum(axis=0)


def conv2d(x, weight, bias, stride=1, padding=0):
    return Convolution(weight, stride, padding).forward(x, bias)


def conv2d_backward(g, x, weight, stride=1, padding=0):
    return Convolution(weight, stride, padding).backward(g, x)


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    return Convolution(weight, stride, padding, dilation).forward(x, bias)


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    return Convolution(weight, stride, padding, dilation).backward(g, x)


def max_pool2d(x, size):
    return np.take_along_axis(*_first(x, size), axis=-1)[..., 0]


def _first(x, size):
    n, height, width, c = x.shape
    rows, columns = height // size, width // size
    a = x[:, : rows * size, : columns * size].transpose(0, 3, 1, 2)
    a = a.reshape(n, c, rows, size, columns, size).transpose(0, 2, 4, 1, 3, 5)
    a = a.reshape(n, rows, columns, c, size * size)
    return a, np.argmax(a, axis=-1)[..., None]


def max_pool2d_backward(g, x, size):
    a, first = _first(x, size)
    n, rows, columns, c = g.shape
    da = np.zeros(a.shape)
    np.put_along_axis(da, first, g[..., None], axis=-1)
    da = da.reshape(n, rows, columns, c, size, size).transpose(0, 1, 4, 2, 5, 3)
    da = da.reshape(n, rows * size, columns * size, c)
    rest = ((0, 0), (0, x.shape[1] - rows * size), (0, x.shape[2] - columns * size), (0, 0))
    return np.pad(da, rest)


class Normaliser:
    def __init__(self, x, eps):
        self.m = x.size // x.shape[-1]
        self.mean = self.average(x)
        self.sigma = (self.average((x - self.mean) ** 2) + eps) ** 0.5
        self.values = (x - self.mean) / self.sigma

    def average(self, a):
        return a.mean(axis=2).mean(axis=1).mean(axis=0)


def batch_norm(x, gamma, beta, eps):
    return Normaliser(x, eps).values * gamma + beta


def batch_norm_backward(g, x, gamma, eps):
    normal = Normaliser(x, eps)
    h = g * gamma
    dx = (h - normal.average(h) - normal.values * normal.average(h * normal.values)) / normal.sigma
    return dx, normal.m * normal.average(g * normal.values), normal.m * normal.average(g)
