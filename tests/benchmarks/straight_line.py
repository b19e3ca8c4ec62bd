"""The step of an MLP in minidl's own kernels and nothing else: no tape, no layers, no optimizer class.

What minidl needs beyond this is the overhead of its tape. It ends with the same parameters, bit for bit, or
the comparison isn't valid: so the kernels are those of `minidl.ops`, called in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.engine.blocks import one_blas_thread
from minidl.ops.activation import stable_sigmoid
from minidl.ops.columns import column_sums
from minidl.ops.softmax import _exponentials
from minidl.ops.statistics import Distances, affine, batch_statistics, blend, sums_along
from tests.benchmarks import workloads
from tests.benchmarks.workloads import LR, Array, Network

MOMENTUM, EPS = 0.1, np.float32(1e-5)


def version() -> str:
    return f"NumPy {np.__version__}"


class Training:
    """Forward, backward, SGD of a network made of dense, batch_norm and sigmoid."""

    def __init__(self, network: Network, options: dict[str, Any]) -> None:
        self.weights = list(workloads.initial_weights(network).values())
        self.normed = network.layers[1][0] == "batch_norm"
        hidden = [w.shape[1] for w in self.weights[:-1]]
        self.biases = [np.zeros(n, np.float32) for n in hidden]     # beta, where there is a BN
        self.gammas = [np.ones(n, np.float32) for n in hidden]
        self.last_bias = np.zeros(workloads.CLASSES, np.float32)
        self.means = [np.zeros(n, np.float32) for n in hidden]
        self.vars = [np.ones(n, np.float32) for n in hidden]
        self.batches = workloads.training_batches(network)
        self.parameters = [*self.weights, *self.biases, *(self.gammas if self.normed else []), self.last_bias]
        memory = np.empty(max(p.size for p in self.parameters), np.float32)
        self.changes = [memory[: p.size].reshape(p.shape) for p in self.parameters]
        self.steps = 0
        self.loss = np.float32(0)

    def run(self, steps: int) -> None:
        step = self._step_normed if self.normed else self._step_plain
        for _ in range(steps):
            images, labels = self.batches[self.steps % len(self.batches)]
            with one_blas_thread():     # as a tape does: on two, BLAS would add in another order
                step(images, labels)
            self.steps += 1

    def _step_plain(self, x: Array, labels: Array) -> None:
        inputs = []
        for W, b in zip(self.weights[:-1], self.biases, strict=True):
            inputs.append(x)
            a = x @ W
            a += b
            x = stable_sigmoid(a)
        inputs.append(x)
        g, dW, db = self._last(x, labels)
        weight_gradients, bias_gradients = [dW], []
        for i in reversed(range(len(self.biases))):
            y = inputs[i + 1]
            g = g * y * (1 - y)
            bias_gradients.append(column_sums(g))
            weight_gradients.append(inputs[i].T @ g)
            if i:
                g = g @ self.weights[i].T
        self._sgd([*reversed(weight_gradients), *reversed(bias_gradients), db])

    def _step_normed(self, x: Array, labels: Array) -> None:
        m = len(x)
        inputs: list[Array] = []
        normed: list[tuple[Distances, Array, Array]] = []
        for i, W in enumerate(self.weights[:-1]):
            inputs.append(x)
            a = x @ W
            distances, mean, var = batch_statistics(a)
            inverse = 1 / np.sqrt(var + EPS)
            scale = inverse * self.gammas[i]
            normed.append((distances, inverse, scale))
            y = affine(distances, scale, self.biases[i])
            self.means[i] = (1 - MOMENTUM) * self.means[i] + MOMENTUM * mean
            self.vars[i] = (1 - MOMENTUM) * self.vars[i] + MOMENTUM * (var * (m / (m - 1)))
            x = stable_sigmoid(y)
        inputs.append(x)
        g, dW, db = self._last(x, labels)
        weight_gradients, gammas, betas = [dW], [], []
        for i in reversed(range(len(self.gammas))):
            y, (distances, inverse, scale) = inputs[i + 1], normed[i]
            g = g * y * (1 - y)
            dbeta, along = sums_along(g, distances)
            dgamma = inverse * along
            dx = blend(g, distances, scale, inverse * dgamma / -m, dbeta / -m)
            weight_gradients.append(inputs[i].T @ dx)
            gammas.append(dgamma)
            betas.append(dbeta)
            if i:
                g = dx @ self.weights[i].T
        self._sgd([*reversed(weight_gradients), *reversed(betas), *reversed(gammas), db])

    def _last(self, x: Array, labels: Array) -> tuple[Array, Array, Array]:
        """Logits, softmax and cross-entropy; the gradients for x, the last weight and the last bias."""
        W = self.weights[-1]
        logits = x @ W
        logits += self.last_bias
        shifted, p, total = _exponentials(logits, 1)
        p /= total
        rows = np.arange(len(x))
        self.loss = np.add.reduce(np.log(total)[:, 0] - shifted[rows, labels]) / len(x)
        p[rows, labels] -= 1
        p *= np.float32(1) / len(x)
        return p @ W.T, x.T @ p, column_sums(p)

    def _sgd(self, gradients: list[Array]) -> None:
        for w, g, change in zip(self.parameters, gradients, self.changes, strict=True):
            np.multiply(g, LR, out=change)
            w -= change

    def state(self) -> dict[str, Array]:
        width = 3 if self.normed else 2     # layers in a block
        state: dict[str, Array] = {"loss": np.array(self.loss)}
        state |= {f"{i * width}.weight": W for i, W in enumerate(self.weights)}
        state[f"{(len(self.weights) - 1) * width}.bias"] = self.last_bias
        for i, bias in enumerate(self.biases):
            if not self.normed:
                state[f"{i * width}.bias"] = bias
                continue
            names = ("gamma", "beta", "running_mean", "running_var")
            arrays = (self.gammas[i], bias, self.means[i], self.vars[i])
            state |= {f"{i * width + 1}.{name}": a for name, a in zip(names, arrays, strict=True)}
        return state
