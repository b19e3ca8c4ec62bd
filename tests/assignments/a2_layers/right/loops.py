"""Loops over everything, Python's own floats."""

import math

import numpy as np


def dense_forward(x, W, b):
    y = np.zeros((len(x), len(b)), x.dtype)
    for i in range(len(x)):
        for k in range(len(b)):
            y[i, k] = b[k] + sum(x[i, j] * W[j, k] for j in range(len(W)))
    return y


def dense_backward(g, x, W):
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros_like(W[0])
    for i in range(len(x)):
        for k in range(W.shape[1]):
            db[k] += g[i, k]
            for j in range(len(W)):
                dx[i, j] += g[i, k] * W[j, k]
                dW[j, k] += g[i, k] * x[i, j]
    return dx, dW, db


def sigmoid(x):
    y = np.empty(x.shape, x.dtype)
    for index in np.ndindex(x.shape):
        v = float(x[index])
        y[index] = 1 / (1 + math.exp(-v)) if v > 0 else math.exp(v) / (1 + math.exp(v))
    return y


def sigmoid_backward(g, y):
    return np.array([a * b * (1 - b) for a, b in zip(g.flat, y.flat, strict=True)]).reshape(y.shape)


def relu(x):
    return np.array([max(v, 0) for v in x.flat], x.dtype).reshape(x.shape)


def relu_backward(g, x):
    d = [a if v > 0 else 0 for a, v in zip(g.flat, x.flat, strict=True)]
    return np.array(d, x.dtype).reshape(x.shape)


def log_sum(row):
    top = max(map(float, row))
    return top + math.log(sum(math.exp(float(v) - top) for v in row))


def cross_entropy(logits, labels):
    return sum(log_sum(row) - float(row[t]) for row, t in zip(logits, labels, strict=True)) / len(labels)


def cross_entropy_backward(logits, labels):
    d = np.zeros_like(logits)
    for i, t in enumerate(labels):
        for j, v in enumerate(logits[i]):
            d[i, j] = (math.exp(float(v) - log_sum(logits[i])) - (j == t)) / len(labels)
    return d


def numeric_gradient(f, x, h=1e-5):
    x = np.array(x)
    d = np.zeros_like(x)
    for i in range(x.size):
        old = x.flat[i]
        x.flat[i] = old + h
        up = f(x)
        x.flat[i] = old - h
        down = f(x)
        x.flat[i] = old
        d.flat[i] = (up - down) / (2 * h)
    return d


def one_sided(f, x, h):
    d = np.zeros_like(x)
    here = f(x)
    for index in np.ndindex(*x.shape):
        moved = np.array(x)
        moved[index] += h
        d[index] = (f(moved) - here) / h
    return d


def gradient_is_right(f, gradient, x):
    if gradient.shape != x.shape:
        return False
    right, left = one_sided(f, x, 1e-5), one_sided(f, x, -1e-5)
    numeric = numeric_gradient(f, x)
    steepest = max(abs(right).max(), abs(left).max())
    kept = ~(abs(right - left) > 1e-3 * steepest)
    if not kept.any():
        return True
    a, n = gradient[kept], numeric[kept]
    if np.isnan(a).any():
        return False
    return bool(abs(a - n).max() <= 1e-6 * max(abs(a).max(), abs(n).max()))


def weighted_cross_entropy(logits, labels, weights):
    top = sum(weights[t] * (log_sum(row) - row[t]) for row, t in zip(logits, labels, strict=True))
    return top / sum(weights[t] for t in labels)


def weighted_cross_entropy_backward(logits, labels, weights):
    d, total = np.zeros_like(logits), sum(weights[t] for t in labels)
    for i, t in enumerate(labels):
        for j, v in enumerate(logits[i]):
            d[i, j] = weights[t] * (math.exp(v - log_sum(logits[i])) - (j == t)) / total
    return d
