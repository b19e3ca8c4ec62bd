"""A loop over images and positions, tensordot for each window; generators of slices."""

import numpy as np


def _places(x, weight, stride, padding, dilation):
    reach = dilation * (weight.shape[0] - 1) + 1
    for p, top in enumerate(range(0, x.shape[1] + 2 * padding - reach + 1, stride)):
        for q, left in enumerate(range(0, x.shape[2] + 2 * padding - reach + 1, stride)):
            yield p, q, slice(top, top + reach, dilation), slice(left, left + reach, dilation)


def dilated_conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    images = []
    for image in x:
        padded = np.pad(image, ((padding,) * 2, (padding,) * 2, (0, 0)))
        found = {
            (p, q): np.tensordot(padded[rows, columns], weight, 3) + bias
            for p, q, rows, columns in _places(x, weight, stride, padding, dilation)
        }
        height, width = (last + 1 for last in max(found))
        images.append([[found[p, q] for q in range(width)] for p in range(height)])
    return np.array(images)


def dilated_conv2d_backward(g, x, weight, stride=1, padding=0, dilation=1):
    dweight, dx = np.zeros(weight.shape), []
    for image, gradient in zip(x, g, strict=True):
        padded = np.pad(image, ((padding,) * 2, (padding,) * 2, (0, 0)))
        dpadded = np.zeros_like(padded)
        for p, q, rows, columns in _places(x, weight, stride, padding, dilation):
            dpadded[rows, columns] += weight @ gradient[p, q]
            dweight += padded[rows, columns][..., None] * gradient[p, q]
        dx.append(dpadded[padding : len(dpadded) - padding, padding : dpadded.shape[1] - padding])
    return np.stack(dx), dweight, g.sum((0, 1)).sum(0)


def conv2d(x, weight, bias, stride=1, padding=0):
    return dilated_conv2d(x, weight, bias, stride, padding)


def conv2d_backward(g, x, weight, stride=1, padding=0):
    return dilated_conv2d_backward(g, x, weight, stride, padding)


def max_pool2d(x, size):
    rows = range(0, x.shape[1] - size + 1, size)
    columns = range(0, x.shape[2] - size + 1, size)
    return np.stack(
        [np.stack([x[:, r : r + size, c : c + size].max((1, 2)) for c in columns], 1) for r in rows], 1
    )


def max_pool2d_backward(g, x, size):
    dx = np.zeros(x.shape)
    for p in range(g.shape[1]):
        for q in range(g.shape[2]):
            block = x[:, p * size : (p + 1) * size, q * size : (q + 1) * size]
            flat = block.reshape(len(x), -1, x.shape[3])
            first = np.expand_dims(flat.argmax(1), 1)
            part = np.zeros(flat.shape)
            np.put_along_axis(part, first, g[:, p, q][:, None], axis=1)
            dx[:, p * size : (p + 1) * size, q * size : (q + 1) * size] = part.reshape(block.shape)
    return dx


def batch_norm(x, gamma, beta, eps):
    y = np.empty(x.shape)
    for c, (scale, shift) in enumerate(zip(gamma, beta, strict=True)):
        feature_map = x[..., c]
        y[..., c] = scale * (feature_map - feature_map.mean()) / np.sqrt(feature_map.var() + eps) + shift
    return y


def batch_norm_backward(g, x, gamma, eps):
    dx, dgamma = np.empty(x.shape), []
    for c in range(x.shape[3]):
        h, values = g[..., c], x[..., c]
        sigma = np.sqrt(values.var() + eps)
        normal = (values - values.mean()) / sigma
        dgamma.append((h * normal).sum())
        dx[..., c] = gamma[c] / sigma * (h - h.mean() - normal * (h * normal).mean())
    return dx, np.array(dgamma), np.array([g[..., c].sum() for c in range(x.shape[3])])
