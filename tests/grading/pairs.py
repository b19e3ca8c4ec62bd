"""Pairs of NumPy functions, as students write them: right ones, and wrong ones that replace one piece."""

from __future__ import annotations

import numpy as np


def others(x):
    return tuple(range(x.ndim - 1))


def root(var, eps):
    return np.sqrt(var + eps)


def unchanged(a):
    return a


def dx_closed(h, x_hat, std, axes, m):
    return (h - h.sum(axes) / m - x_hat * (h * x_hat).sum(axes) / m) / std


def pair(axes=others, ddof=0, deviation=root, dx=dx_closed, before=unchanged, after=unchanged, beta_counts=1):
    """The right pair, but for what is replaced."""
    def forward(x, gamma, beta, eps):
        x = before(x)
        std = deviation(x.var(axes(x), ddof=ddof), eps)
        x_hat = (x - x.mean(axes(x))) / std
        return gamma * x_hat + beta_counts * beta, (x_hat, std, gamma)

    def backward(g, cache):
        x_hat, std, gamma = cache
        g = after(g)
        m = g.size / g.shape[-1]
        return dx(g * gamma, x_hat, std, others(g), m), (g * x_hat).sum(others(g)), g.sum(others(g))

    return forward, backward


def with_dgamma(formula):
    """The right pair, but for the gradient of gamma."""
    forward, right = pair()

    def backward(g, cache):
        dx, _, dbeta = right(g, cache)
        return dx, formula(g, cache[0]), dbeta

    return forward, backward


def with_gradients(change):
    """The right pair, but for what `change(dx, dgamma, dbeta, m)` makes of its gradients."""
    forward, right = pair()
    return forward, lambda g, cache: change(*right(g, cache), g.size / g.shape[-1])


def layer_norm():
    """The right backward pass, but each example is normalised over its features."""
    _, backward = pair()

    def forward(x, gamma, beta, eps):
        std = np.sqrt(x.var(-1, keepdims=True) + eps)
        x_hat = (x - x.mean(-1, keepdims=True)) / std
        return gamma * x_hat + beta, (x_hat, std, gamma)

    return forward, backward


def centred_in_place(x):
    x -= x.mean(others(x))
    return x


def doubled_in_place(g):
    g *= 2
    return g / 2


def shared_buffer():
    """One array, made at the first call, takes every gradient of x."""
    buffers = {}

    def dx(h, *rest):
        buffer = buffers.setdefault(h.shape, np.empty_like(h))
        buffer[...] = dx_closed(h, *rest)
        return buffer

    return pair(dx=dx)


def module_cache():
    """The cache isn't handed on: backward takes the latest."""
    (forward, backward), kept = pair(), {}

    def remembering(*arguments):
        y, kept["cache"] = forward(*arguments)
        return y, None

    return remembering, lambda g, _: backward(g, kept["cache"])


def one_buffer_for_both():
    """The sums for gamma and beta are written into the same array."""
    forward, right = pair()

    def backward(g, cache):
        sums = np.empty(g.shape[-1])
        dgamma = np.sum(g * cache[0], others(g), out=sums)
        return right(g, cache)[0], dgamma, np.sum(g, others(g), out=sums)

    return forward, backward


# ---- right, each written in another way --------------------------------------------------------------------

def staged():
    """The six lines of the paper."""
    def forward(x, gamma, beta, eps):
        axes, m = others(x), x.size // x.shape[-1]
        mean = x.sum(axes) / m
        var = ((x - mean) ** 2).sum(axes) / m
        return (x - mean) / np.sqrt(var + eps) * gamma + beta, {
            "x": x, "mean": mean, "var": var, "eps": eps, "gamma": gamma, "m": m
        }

    def backward(g, c):
        axes, centred, std = others(g), c["x"] - c["mean"], np.sqrt(c["var"] + c["eps"])
        dx_hat = g * c["gamma"]
        dvar = (dx_hat * centred).sum(axes) * -0.5 / std**3
        dmean = -dx_hat.sum(axes) / std - 2 * dvar * centred.sum(axes) / c["m"]
        return (
            dx_hat / std + 2 * dvar * centred / c["m"] + dmean / c["m"],
            (g * centred / std).sum(axes),
            g.sum(axes),
        )

    return forward, backward


def einsum():
    """On rows, with E[x^2] - E[x]^2; returns lists rather than tuples."""
    def forward(x, gamma, beta, eps):
        rows = x.reshape(-1, x.shape[-1])
        m = len(rows)
        mean = np.einsum("mk->k", rows) / m
        inverse = (np.einsum("mk,mk->k", rows, rows) / m - mean * mean + eps) ** -0.5
        x_hat = np.einsum("mk,k->mk", rows - mean, inverse)
        return [(x_hat * gamma + beta).reshape(x.shape), (x_hat, gamma * inverse)]

    def backward(g, cache):
        x_hat, scale = cache
        rows = g.reshape(x_hat.shape)
        dgamma, dbeta = np.einsum("mk,mk->k", rows, x_hat), np.einsum("mk->k", rows)
        return [(scale * (rows - (dbeta + x_hat * dgamma) / len(rows))).reshape(g.shape), dgamma, dbeta]

    return forward, backward


def loops():
    """One feature at a time."""
    def forward(x, gamma, beta, eps):
        y, cache = np.empty(x.shape), []
        for k in range(x.shape[-1]):
            part = x[..., k]
            x_hat = (part - part.mean()) / (part.var() + eps) ** 0.5
            y[..., k] = gamma[k] * x_hat + beta[k]
            cache.append((x_hat, gamma[k] / (part.var() + eps) ** 0.5))
        return y, cache

    def backward(g, cache):
        dx, sums = np.empty(g.shape), []
        for k, (x_hat, scale) in enumerate(cache):
            up = g[..., k]
            dx[..., k] = scale * (up - up.mean() - x_hat * (up * x_hat).mean())
            sums.append(((up * x_hat).sum(), up.sum()))
        dgamma, dbeta = zip(*sums, strict=True)
        return dx, dgamma, dbeta        # tuples of numbers are arrays too

    return forward, backward


RIGHT = (pair, staged, einsum, loops)
