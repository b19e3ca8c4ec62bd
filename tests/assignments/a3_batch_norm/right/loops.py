"""Loops over features and values, in Python's own arithmetic."""

from __future__ import annotations

import math

import numpy as np


def forward(x, gamma, beta, eps):
    y, x_hat, inverse = np.empty(x.shape), np.empty(x.shape), np.empty(x.shape[-1])
    for k in range(x.shape[-1]):
        values = [float(v) for v in x[..., k].ravel()]
        m = len(values)
        mean = math.fsum(values) / m
        var = math.fsum((v - mean) ** 2 for v in values) / m
        inverse[k] = 1 / math.sqrt(var + eps)
        normal = [(v - mean) * inverse[k] for v in values]
        x_hat[..., k] = np.reshape(normal, x.shape[:-1])
        y[..., k] = np.reshape([gamma[k] * v + beta[k] for v in normal], x.shape[:-1])
    return y, (x_hat, inverse, gamma)


def parameter_gradients(g, cache):
    x_hat, _, gamma = cache
    dgamma, dbeta = [0.0] * len(gamma), [0.0] * len(gamma)
    for place in np.ndindex(g.shape):
        dgamma[place[-1]] += g[place] * x_hat[place]
        dbeta[place[-1]] += g[place]
    return dgamma, dbeta


def input_gradient(g, cache):
    x_hat, inverse, gamma = cache
    dx = np.zeros(g.shape)
    for k in range(g.shape[-1]):
        ups, normals = g[..., k].ravel(), x_hat[..., k].ravel()
        m = len(ups)
        total = along = 0.0
        for up, normal in zip(ups, normals, strict=True):
            total += up
            along += up * normal
        column = [
            gamma[k] * inverse[k] * (up - total / m - normal * along / m)
            for up, normal in zip(ups, normals, strict=True)
        ]
        dx[..., k] = np.reshape(column, g.shape[:-1])
    return dx


def backward(g, cache):
    return input_gradient(g, cache), *parameter_gradients(g, cache)


def weighted_forward(x, gamma, beta, eps, weights):
    y, x_hat, inverse = np.empty(x.shape), np.empty(x.shape), np.empty(x.shape[-1])
    for k in range(x.shape[-1]):
        pairs = [(weights[place[0]], x[(*place, k)]) for place in np.ndindex(x.shape[:-1])]
        total = math.fsum(w for w, _ in pairs)
        mean = math.fsum(w * v for w, v in pairs) / total
        var = math.fsum(w * (v - mean) ** 2 for w, v in pairs) / total
        inverse[k] = 1 / math.sqrt(var + eps)
        x_hat[..., k] = (x[..., k] - mean) * inverse[k]
        y[..., k] = gamma[k] * x_hat[..., k] + beta[k]
    return y, (x_hat, inverse, gamma, weights)


def weighted_backward(g, cache):
    x_hat, inverse, gamma, weights = cache
    positions = g[0, ..., 0].size
    total = sum(weights) * positions
    dx = np.empty(g.shape)
    dgamma, dbeta = parameter_gradients(g, cache[:3])
    for n in range(len(g)):
        for place in np.ndindex(g.shape[1:]):
            k = place[-1]
            pull = dbeta[k] + x_hat[(n, *place)] * dgamma[k]
            dx[(n, *place)] = gamma[k] * inverse[k] * (g[(n, *place)] - weights[n] / total * pull)
    return dx, dgamma, dbeta
