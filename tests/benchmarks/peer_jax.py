"""JAX: the whole training step, forward, backward and SGD, compiled as one function; the MLPs only."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.benchmarks import workloads
from tests.benchmarks.workloads import Array, Network

MOMENTUM, EPS = 0.1, 1e-5       # of batch normalization, the defaults of minidl and PyTorch
State = dict[str, jax.Array]


def version() -> str:
    return f"JAX {jax.__version__}"


def forward(layers: tuple[workloads.Layer, ...], p: State, x: jax.Array) -> tuple[jax.Array, State]:
    """Logits in training mode, and the new running statistics."""
    running = {}
    for i, layer in enumerate(layers):
        match layer:
            case ("dense", _, _, bias):
                x = x @ p[f"{i}.weight"]
                x = x + p[f"{i}.bias"] if bias else x
            case ("batch_norm", _):
                m = len(x)
                mean, var = jnp.mean(x, axis=0), jnp.var(x, axis=0)
                x = (x - mean) * (p[f"{i}.gamma"] * jax.lax.rsqrt(var + EPS)) + p[f"{i}.beta"]
                running |= {f"{i}.running_mean": mean, f"{i}.running_var": var * (m / (m - 1))}
            case ("sigmoid",):
                x = jax.nn.sigmoid(x)
            case _:
                raise ValueError(f"the JAX peer has no layer {layer}")
    return x, running


@partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def step(
    layers: tuple[workloads.Layer, ...], p: State, running: State, x: jax.Array, labels: jax.Array
) -> tuple[State, State, jax.Array]:
    def loss_of(p: State) -> tuple[jax.Array, State]:
        logits, batch = forward(layers, p, x)
        log_p = jax.nn.log_softmax(logits)
        return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], axis=1)), batch

    (loss, batch), gradients = jax.value_and_grad(loss_of, has_aux=True)(p)
    p = jax.tree.map(lambda w, g: w - workloads.LR * g, p, gradients)
    running = {name: (1 - MOMENTUM) * old + MOMENTUM * batch[name] for name, old in running.items()}
    return p, running, loss


class Training:
    """The parameters are donated to the step, so that it can reuse their memory, as JAX recommends."""

    def __init__(self, network: Network, options: dict[str, Any]) -> None:
        self.layers = network.layers
        self.p = {name: jnp.array(w) for name, w in workloads.initial_weights(network).items()}
        self.running: State = {}
        for i, layer in enumerate(network.layers):
            match layer:
                case ("dense", _, outputs, True):
                    self.p[f"{i}.bias"] = jnp.zeros(outputs)
                case ("batch_norm", n):
                    self.p |= {f"{i}.gamma": jnp.ones(n), f"{i}.beta": jnp.zeros(n)}
                    self.running |= {f"{i}.running_mean": jnp.zeros(n), f"{i}.running_var": jnp.ones(n)}
        self.batches = [
            (jnp.asarray(x), jnp.asarray(labels, jnp.int32))
            for x, labels in workloads.training_batches(network)
        ]
        self.steps = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            x, labels = self.batches[self.steps % len(self.batches)]
            self.p, self.running, loss = step(self.layers, self.p, self.running, x, labels)
            self.steps += 1
        self.loss = jax.block_until_ready(loss)

    def state(self) -> dict[str, Array]:
        return {name: np.asarray(a) for name, a in {**self.p, **self.running, "loss": self.loss}.items()}
