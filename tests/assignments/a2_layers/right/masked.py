"""np.where and np.ma, log-sum-exp by hand, a gradient check that asks element by element."""

import numpy as np


def dense_forward(x, W, b):
    return np.dot(x, W) + b


def dense_backward(g, x, W):
    return np.dot(g, W.T), np.dot(x.T, g), np.sum(g, 0)


def sigmoid(x):
    y = np.empty_like(x)
    up = x >= 0
    y[up] = 1 / (1 + np.exp(-x[up]))
    e = np.exp(x[~up])
    y[~up] = e / (1 + e)
    return y


def sigmoid_backward(g, y):
    return g * (y - y * y)


def relu(x):
    return x * (x > 0)


def relu_backward(g, x):
    d = g.copy()
    d[x <= 0] = 0
    return d


def log_softmax(z):
    z = z - np.max(z, axis=-1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))


def cross_entropy(logits, labels):
    return -np.mean(log_softmax(logits)[range(len(labels)), labels])


def cross_entropy_backward(logits, labels):
    one_hot = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
    return (np.exp(log_softmax(logits)) - one_hot) / len(labels)


def numeric_gradient(f, x, h=1e-5):
    flat = np.array(x).ravel()
    found = []
    for i in range(flat.size):
        e = np.zeros(flat.size)
        e[i] = h
        found.append((f((flat + e).reshape(x.shape)) - f((flat - e).reshape(x.shape))) / (2 * h))
    return np.reshape(found, x.shape)


def gradient_is_right(f, gradient, x):
    if np.shape(gradient) != np.shape(x):
        return False
    h, here, slopes = 1e-5, f(x), []
    for index in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[index] = h
        slopes.append(((f(x + e) - here) / h, (here - f(x - e)) / h, gradient[index]))
    steepest = max(max(abs(r), abs(u)) for r, u, _ in slopes)
    smooth = [((r + u) / 2, d) for r, u, d in slopes if abs(r - u) <= 1e-3 * steepest]
    if any(d != d for _, d in smooth):
        return False
    reach = max([0, *(max(abs(n), abs(d)) for n, d in smooth)])
    return all(abs(n - d) <= 1e-6 * reach for n, d in smooth)


def weighted_cross_entropy(logits, labels, weights):
    return np.average(-log_softmax(logits)[range(len(labels)), labels], weights=weights[labels])


def weighted_cross_entropy_backward(logits, labels, weights):
    w = weights[labels][:, np.newaxis]
    return w * (np.exp(log_softmax(logits)) - np.eye(logits.shape[1])[labels]) / np.sum(w)
