"""float32 stays float32 all the way, float64 is computed in long double."""

import numpy as np


def dense_forward(x, W, b):
    return np.dot(x, W) + b


def dense_backward(g, x, W):
    return np.dot(g, W.T), np.dot(x.T, g), np.sum(g, 0)


def wide(x):
    return x if x.dtype == np.float32 else x.astype(np.longdouble)


def sigmoid(x):
    e = np.exp(-np.abs(wide(x)))
    return np.where(x < 0, e / (1 + e), 1 / (1 + e)).astype(x.dtype)


def sigmoid_backward(g, y):
    return (wide(g) * wide(y) * (1 - wide(y))).astype(y.dtype)


def relu(x):
    return np.where(x > 0, x, np.zeros_like(x))


def relu_backward(g, x):
    return np.where(x > 0, g, np.zeros_like(g))


def log_softmax(z):
    z = wide(z)
    z = z - z.max(axis=1)[:, None]
    return z - np.log(np.exp(z).sum(axis=1))[:, None]


def cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    return float(-log_softmax(logits)[rows, labels].sum() / len(labels))


def cross_entropy_backward(logits, labels):
    d = np.exp(log_softmax(logits))
    d[np.arange(len(labels)), labels] -= 1
    d /= len(labels)
    return d.astype(logits.dtype)


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
    rows = np.arange(len(labels))
    return float(-(log_softmax(logits)[rows, labels] * weights[labels]).sum() / weights[labels].sum())


def weighted_cross_entropy_backward(logits, labels, weights):
    d = np.exp(log_softmax(logits))
    d[np.arange(len(labels)), labels] -= 1
    return (d * weights[labels, None] / weights[labels].sum()).astype(logits.dtype)
