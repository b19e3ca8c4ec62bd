"""Right batch normalizations, each written in its own way; the wrong ones derive from the first two."""

from __future__ import annotations

import numpy as np

import minidl as dl
from minidl import ops


class ByTape(dl.Layer):
    """Of tape ops: the tape finds the gradients. In pieces, so that a wrong one replaces one of them."""

    initial_var = 1.0

    def __init__(self, num_features, momentum=0.1, eps=1e-5, affine=True):
        super().__init__()
        self.momentum, self.eps, self.seen = momentum, eps, 0
        self.gamma = dl.Parameter(np.ones(num_features)) if affine else None
        self.beta = dl.Parameter(np.zeros(num_features)) if affine else None
        self.buffer("running_mean", np.zeros(num_features))
        self.buffer("running_var", np.full(num_features, self.initial_var))

    def forward(self, x):
        if not self.training:
            return self.affine(self.normalised(x, *self.population(x)))
        y = self.affine(self.normalised(x, *self.batch(x)))
        self.follow(x.data)
        return y

    def axes(self, x):
        return tuple(range(x.ndim - 1))

    def batch(self, x):
        return x.mean(self.axes(x)), x.var(self.axes(x))

    def population(self, x):
        return self.running_mean, self.running_var

    def normalised(self, x, mean, var):
        return (x - mean) * self.inverse(var)

    def inverse(self, var):
        return 1 / ops.sqrt(var + self.eps)

    def affine(self, x_hat):
        return x_hat if self.gamma is None else self.gamma * x_hat + self.beta

    def follow(self, x):
        self.seen += 1
        new = self.weight()
        mean, var = x.mean(self.axes(x)), x.var(self.axes(x)) * self.factor(x)
        self.running_mean = (1 - new) * self.running_mean + new * mean
        self.running_var = (1 - new) * self.running_var + new * var

    def weight(self):
        return 1 / self.seen if self.momentum is None else self.momentum

    def factor(self, x):
        m = x.size / x.shape[-1]
        return m / (m - 1)


class Closed(ByTape):
    """Of plain arrays, with the closed form of the gradient."""

    def affine(self, x_hat):
        return x_hat if self.gamma is None else self.gamma.data * x_hat + self.beta.data

    def batch(self, x):
        return x.data.mean(self.axes(x)), x.data.var(self.axes(x))

    def inverse(self, var):
        return 1 / np.sqrt(var + self.eps)

    def normalised(self, x, mean, var):
        axes, gamma, inverse = self.axes(x), 1 if self.gamma is None else self.gamma.data, self.inverse(var)
        formula = self.dx if self.training else self.dx_in_evaluation
        x_hat = (x.data - mean) * inverse
        kept = self.latest = x_hat, inverse

        def vjp(g):
            x_hat, inverse = self.cache(kept)
            dx = formula(g * gamma, x_hat, inverse, axes)
            dgamma = self.dgamma(g, x_hat, axes)
            return (dx,) if self.gamma is None else (dx, dgamma, g.sum(axes))

        self.vjp = vjp
        return x_hat

    def forward(self, x):
        inputs = (x,) if self.gamma is None else (x, self.gamma, self.beta)
        y = self.returned(super().forward(x))
        return dl.record("closed", y, inputs, self.vjp)

    def dx(self, h, x_hat, inverse, axes):
        return inverse * (h - h.mean(axes) - x_hat * (h * x_hat).mean(axes))

    def dx_in_evaluation(self, h, x_hat, inverse, axes):
        return inverse * h

    def dgamma(self, g, x_hat, axes):
        return (g * x_hat).sum(axes)

    def cache(self, kept):
        return kept

    def returned(self, y):
        return y


class Einsum(dl.layers.BatchNorm):
    """Sums by einsum, the gradient by the Jacobian, (I - 1/m - x_hat x_hat' / m) / sqrt(var + eps)."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        rows, m = x.data.reshape(-1, self.num_features), x.size // self.num_features
        mean = np.einsum("mk->k", rows) / m
        var = np.einsum("mk,mk->k", rows - mean, rows - mean) / m
        inverse = (var + self.eps) ** -0.5
        x_hat = np.einsum("mk,k->mk", rows - mean, inverse)
        jacobian = np.einsum("mk,nk->mnk", x_hat, x_hat) / -m + (np.eye(m) - 1 / m)[..., None]
        gamma = np.ones(self.num_features) if self.gamma is None else self.gamma.data
        beta = 0 if self.beta is None else self.beta.data
        self._follow(mean, var * m / (m - 1))

        def vjp(g):
            g = g.reshape(m, -1)
            dx = np.einsum("mnk,nk,k,k->mk", jacobian, g, gamma, inverse).reshape(x.shape)
            return (dx, np.einsum("mk,mk->k", g, x_hat), np.einsum("mk->k", g))[: len(inputs)]

        inputs = (x,) if self.gamma is None else (x, self.gamma, self.beta)
        return dl.record("einsum", (gamma * x_hat + beta).reshape(x.shape), inputs, vjp)


class Loops(dl.layers.BatchNorm):
    """One feature at a time, in Python's own arithmetic, and the six lines of the paper."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        n = self.num_features
        gamma, beta = ([v] * n if p is None else p.data for p, v in ((self.gamma, 1.0), (self.beta, 0.0)))
        y, kept, mean, var = np.empty(x.shape), [], [], []
        for k in range(n):
            values = x.data[..., k].ravel().tolist()
            m = len(values)
            mean.append(sum(values) / m)
            var.append(sum((v - mean[k]) ** 2 for v in values) / m)
            x_hat = [(v - mean[k]) / (var[k] + self.eps) ** 0.5 for v in values]
            kept.append((values, x_hat))
            y[..., k] = np.reshape([gamma[k] * v + beta[k] for v in x_hat], x.shape[:-1])
        self._follow(np.array(mean), np.array([v * m / (m - 1) for v in var]))

        def vjp(g):
            dx, dgamma, dbeta = np.empty(x.shape), np.empty(n), np.empty(n)
            for k, (values, x_hat) in enumerate(kept):
                up = g[..., k].ravel().tolist()
                std = (var[k] + self.eps) ** 0.5
                dx_hat = [u * gamma[k] for u in up]
                dvar = sum(d * (v - mean[k]) for d, v in zip(dx_hat, values, strict=True)) / (-2 * std**3)
                dmean = -sum(dx_hat) / std
                dx[..., k] = np.reshape(
                    [
                        d / std + dvar * 2 * (v - mean[k]) / m + dmean / m
                        for d, v in zip(dx_hat, values, strict=True)
                    ],
                    x.shape[:-1],
                )
                dgamma[k] = sum(u * v for u, v in zip(up, x_hat, strict=True))
                dbeta[k] = sum(up)
            return (dx, dgamma, dbeta)[: len(inputs)]

        inputs = (x,) if self.gamma is None else (x, self.gamma, self.beta)
        return dl.record("loops", y, inputs, vjp)


class Moments(ByTape):
    """E[x^2] - E[x]^2, which float64 bears; running statistics as sums over all batches seen."""

    def batch(self, x):
        mean = x.mean(self.axes(x))
        return mean, (x * x).mean(self.axes(x)) - mean * mean

    def normalised(self, x, mean, var):
        return x * self.inverse(var) - mean * self.inverse(var)


class Staged(ByTape):
    """The forward pass of the paper step by step, on the features-first transpose."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        rows = x.reshape(-1, x.shape[-1]).T
        m = rows.shape[1]
        centred = rows - rows.sum(1, keepdims=True) / m
        var = (centred**2).sum(1, keepdims=True) / m
        self.follow(x.data)
        return self.affine((centred / (var + self.eps) ** 0.5).T).reshape(x.shape)


RIGHT = (dl.layers.BatchNorm, ByTape, Closed, Einsum, Loops, Moments, Staged)
