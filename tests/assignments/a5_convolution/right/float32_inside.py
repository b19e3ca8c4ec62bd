"""Convolutions in float32, as the handout allows; the rest in float64."""

import numpy as np

f = np.float32


def _gathered(x, kernel, stride, padding, dilation=1):
    padded = np.pad(x.astype(f), ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    reach = dilation * (kernel - 1) + 1
    p, q = ((length - reach) // stride + 1 for length in padded.shape[1:3])
    step = [
        padded[:, i * dilation :: stride, j * dilation :: stride][:, :p, :q]
        for i in range(kernel) for j in range(kernel)
    ]
    return np.concatenate(step, axis=3), padded.shape


def conv2d(x, weight, bias, stride=1, padding=0):
    columns, _ = _gathered(x, len(weight), stride, padding)
    return columns @ weight.reshape(-1, len(bias)).astype(f) + bias.astype(f)


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    columns, _ = _gathered(x, len(weight), stride, padding, dilation)
    return columns @ weight.reshape(-1, len(bias)).astype(f) + bias.astype(f)


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    columns, shape = _gathered(x, len(weight), stride, padding, dilation)
    g, kernel, channels = g.astype(f), len(weight), x.shape[3]
    dweight = np.tensordot(columns, g, ([0, 1, 2], [0, 1, 2])).reshape(weight.shape)
    dcolumns = g @ weight.reshape(-1, g.shape[3]).astype(f).T
    dpadded = np.zeros(shape, f)
    for k in range(kernel * kernel):
        i, j = k // kernel * dilation, k % kernel * dilation
        into = dpadded[:, i::stride, j::stride][:, : g.shape[1], : g.shape[2]]
        into += dcolumns[..., k * channels : (k + 1) * channels]
    bottom, right = padding + x.shape[1], padding + x.shape[2]
    return dpadded[:, padding:bottom, padding:right], dweight, g.sum(axis=(0, 1, 2))


def conv2d_backward(g, x, weight, stride=1, padding=0):
    return dilated_conv2d_backward(g, x, weight, stride, padding)


def max_pool2d(x, size):
    p, q = x.shape[1] // size, x.shape[2] // size
    rows = np.stack([x[:, i : p * size : size] for i in range(size)]).max(0)
    return np.stack([rows[:, :, j : q * size : size] for j in range(size)]).max(0)


def max_pool2d_backward(g, x, size):
    y = max_pool2d(x, size)
    dx, taken = np.zeros(x.shape), np.zeros(y.shape, bool)
    for i in range(size):
        for j in range(size):
            place = np.s_[:, i : size * y.shape[1] : size, j : size * y.shape[2] : size]
            mine = (x[place] == y) & ~taken
            dx[place] = mine * g
            taken |= mine
    return dx


def batch_norm(x, gamma, beta, eps):
    mean = x.mean(axis=(0, 1, 2), keepdims=True)
    std = np.sqrt(np.var(x, axis=(0, 1, 2), keepdims=True) + eps)
    return ((x - mean) / std) * gamma.reshape(1, 1, 1, -1) + beta.reshape(1, 1, 1, -1)


def batch_norm_backward(g, x, gamma, eps):
    """Staged: each line the derivative of one line of the forward pass, from the last to the first."""
    axes = (0, 1, 2)
    m = np.prod(x.shape[:3])
    centred = x - x.mean(axes)
    var = np.mean(centred**2, axes)
    std = np.sqrt(var + eps)
    dx_hat = g * gamma
    dinverse = np.sum(dx_hat * centred, axes)
    dstd = -dinverse / std**2
    dvar = dstd / (2 * std)
    dcentred = dx_hat / std + dvar * 2 * centred / m
    dmean = -np.sum(dcentred, axes)
    return dcentred + dmean / m, np.sum(g * centred / std, axes), np.sum(g, axes)
