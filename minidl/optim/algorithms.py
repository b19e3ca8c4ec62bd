"""The optimizers: each is its formula. What they share is in optimizer.py."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from minidl.checks import number_in
from minidl.engine.array import Array
from minidl.engine.parameter import Parameter
from minidl.optim.optimizer import Optimizer, Slot
from minidl.schedules import Schedule


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's variant.

    g <- g + weight_decay * w;  b <- momentum * b + g;  w <- w - lr * b, or with Nesterov
    w <- w - lr * (g + momentum * b). The learning rate stands outside b, as in PyTorch.

    Args:
        parameters: what to train: `model.parameters()`.
        lr: a number, or a schedule (step -> lr).
        momentum: share of b that is kept, in [0, 1).
        nesterov: look ahead by one step of the momentum.
        weight_decay: strength of the L2 penalty.
        no_decay: parameters that the penalty leaves out: biases, and batch normalization's gamma and beta.

    Raises:
        TypeError: if a model, or something that holds no parameters, is passed for the parameters.
        ValueError: if an option is out of its range, or there are no parameters, or one comes twice.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning";
    PyTorch's `torch.optim.SGD` with dampening 0.

    Example:
        >>> weight = Parameter([1.0, 2.0])
        >>> optimizer = SGD([weight], lr=0.5)
        >>> weight.grad = np.array([1, -1], np.float32)
        >>> optimizer.step()
        >>> weight.data, weight.grad
        (array([0.5, 2.5], dtype=float32), None)

    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        no_decay: Iterable[Parameter] = (),
    ) -> None:
        self.momentum = number_in("SGD", "momentum", momentum, "[0, 1)")
        self.nesterov = nesterov
        if nesterov and not momentum:
            raise ValueError("SGD expects a momentum with nesterov=True, got 0: use momentum=0.9, say")
        super().__init__(parameters, lr, weight_decay, no_decay, ("momentum_buffer",) if momentum else ())

    def _update(self, w: Array, g: Array, slot: Slot, lr: float) -> None:
        change = slot.scratch
        if self.momentum:
            b = slot.state["momentum_buffer"]
            b *= self.momentum
            b += g
            if self.nesterov:
                np.multiply(b, self.momentum, out=change)
                change += g
                g = change
            else:
                g = b
        np.multiply(g, lr, out=change)
        w -= change


class Adam(Optimizer):
    """Adam: a step of about lr in each coordinate, whatever the gradient's scale.

    g <- g + weight_decay * w;  m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g^2;
    w <- w - lr * m' / (sqrt(v') + eps),  m' = m / (1 - beta1^t),  v' = v / (1 - beta2^t),  t = 1, 2, ...

    Args:
        parameters: what to train: `model.parameters()`.
        lr: a number, or a schedule (step -> lr).
        betas: how much of m and of v is kept, each in [0, 1).
        eps: added outside the root, above 0.
        weight_decay: strength of the L2 penalty; it runs through m and v (`AdamW`: it doesn't).
        no_decay: parameters that the penalty leaves out.

    Raises: as `SGD`.

    Source: Kingma & Ba 2015, "Adam", arXiv:1412.6980, algorithm 1; PyTorch's `torch.optim.Adam`.

    Example:
        >>> weight = Parameter([1.0, 2.0])
        >>> optimizer = Adam([weight], lr=0.25)
        >>> weight.grad = np.array([1000, -0.001], np.float32)
        >>> optimizer.step()
        >>> weight.data.round(4)
        array([0.75, 2.25], dtype=float32)

    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        no_decay: Iterable[Parameter] = (),
    ) -> None:
        name = type(self).__name__
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"{name} expects betas to be two numbers such as (0.9, 0.999), got {betas!r}")
        self.betas = tuple(number_in(name, f"betas[{i}]", beta, "[0, 1)") for i, beta in enumerate(betas))
        self.eps = number_in(name, "eps", eps, "(0, inf)")
        super().__init__(parameters, lr, weight_decay, no_decay, ("exp_avg", "exp_avg_sq"))

    def _update(self, w: Array, g: Array, slot: Slot, lr: float) -> None:
        m, v, change = slot.state["exp_avg"], slot.state["exp_avg_sq"], slot.scratch
        beta1, beta2 = self.betas
        m *= beta1
        np.multiply(g, 1 - beta1, out=change)
        m += change
        v *= beta2
        np.multiply(g, g, out=change)
        change *= 1 - beta2
        v += change
        np.sqrt(v, out=change)
        change /= math.sqrt(1 - beta2**slot.steps)
        change += self.eps
        np.divide(m, change, out=change)
        change *= lr / (1 - beta1**slot.steps)
        w -= change


class AdamW(Adam):
    """Adam with decoupled weight decay: w <- (1 - lr * weight_decay) * w, then Adam's step without a penalty.

    In Adam the penalty's gradient is divided by sqrt(v) like the rest, so weights with large gradients decay
    less; here all decay alike.

    Args:
        parameters: what to train: `model.parameters()`.
        lr: a number, or a schedule (step -> lr).
        betas: how much of m and of v is kept, each in [0, 1).
        eps: added outside the root, above 0.
        weight_decay: share of the weights that goes at each step, in units of lr.
        no_decay: parameters that don't decay: biases, and batch normalization's gamma and beta.

    Raises: as `SGD`.

    Source: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", arXiv:1711.05101, algorithm 2;
    PyTorch's `torch.optim.AdamW`, where the learning rate multiplies the decay.

    Example:
        >>> weight = Parameter([1.0, 2.0])
        >>> optimizer = AdamW([weight], lr=0.5, weight_decay=0.1)
        >>> weight.grad = np.zeros(2, np.float32)
        >>> optimizer.step()
        >>> weight.data
        array([0.95, 1.9 ], dtype=float32)

    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        no_decay: Iterable[Parameter] = (),
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, no_decay)

    def _decay(self, w: Array, g: Array, slot: Slot, lr: float) -> Array:
        w *= 1 - lr * slot.weight_decay
        return g


class RMSprop(Optimizer):
    """RMSprop: the gradient divided by a running root mean square of itself.

    g <- g + weight_decay * w;  v <- alpha * v + (1 - alpha) * g^2;  d = g / (sqrt(v) + eps);
    w <- w - lr * d, or with momentum  b <- momentum * b + d;  w <- w - lr * b.
    Centered: sqrt(v - a^2) in place of sqrt(v), with a <- alpha * a + (1 - alpha) * g.

    Args:
        parameters: what to train: `model.parameters()`.
        lr: a number, or a schedule (step -> lr).
        alpha: how much of v and a is kept, in [0, 1).
        eps: added outside the root, above 0.
        weight_decay: strength of the L2 penalty.
        momentum: share of b that is kept, in [0, 1).
        centered: divide by the running standard deviation.
        no_decay: parameters that the penalty leaves out.

    Raises: as `SGD`.

    Source: Tieleman & Hinton 2012, "Neural Networks for Machine Learning", lecture 6.5; centered: Graves
    2013, arXiv:1308.0850, equations 38-45; PyTorch's `torch.optim.RMSprop`.

    Example:
        >>> weight = Parameter([1.0, 2.0])
        >>> optimizer = RMSprop([weight], lr=0.25, alpha=0.75)
        >>> weight.grad = np.array([1000, -0.001], np.float32)
        >>> optimizer.step()
        >>> weight.data.round(3)
        array([0.5, 2.5], dtype=float32)

    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        no_decay: Iterable[Parameter] = (),
    ) -> None:
        self.alpha = number_in("RMSprop", "alpha", alpha, "[0, 1)")
        self.eps = number_in("RMSprop", "eps", eps, "(0, inf)")
        self.momentum = number_in("RMSprop", "momentum", momentum, "[0, 1)")
        self.centered = centered
        state = ("square_avg",) + ("grad_avg",) * bool(centered) + ("momentum_buffer",) * bool(momentum)
        super().__init__(parameters, lr, weight_decay, no_decay, state)

    def _update(self, w: Array, g: Array, slot: Slot, lr: float) -> None:
        v, change = slot.state["square_avg"], slot.scratch
        v *= self.alpha
        np.multiply(g, g, out=change)
        change *= 1 - self.alpha
        v += change
        if self.centered:
            a = slot.state["grad_avg"]
            a *= self.alpha
            np.multiply(g, 1 - self.alpha, out=change)
            a += change
            np.multiply(a, a, out=change)
            np.subtract(v, change, out=change)
            # The variance of a steady gradient is zero, and rounding takes it below: a root of that is NaN.
            np.maximum(change, 0, out=change)
            np.sqrt(change, out=change)
        else:
            np.sqrt(v, out=change)
        change += self.eps
        np.divide(g, change, out=change)
        if self.momentum:
            b = slot.state["momentum_buffer"]
            b *= self.momentum
            b += change
            np.multiply(b, lr, out=change)
        else:
            change *= lr
        w -= change


class Adagrad(Optimizer):
    """Adagrad: each coordinate's rate falls with the sum of its squared gradients.

    g <- g + weight_decay * w;  s <- s + g^2;
    w <- w - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps),  t = 1, 2, ...

    Args:
        parameters: what to train: `model.parameters()`.
        lr: a number, or a schedule (step -> lr).
        lr_decay: how fast the rate falls besides, 0 or more.
        weight_decay: strength of the L2 penalty.
        eps: added outside the root, above 0.
        no_decay: parameters that the penalty leaves out.

    Raises: as `SGD`.

    Source: Duchi, Hazan & Singer 2011, "Adaptive Subgradient Methods", JMLR 12; PyTorch's
    `torch.optim.Adagrad`.

    Example:
        >>> weight = Parameter([1.0, 2.0])
        >>> optimizer = Adagrad([weight], lr=0.25)
        >>> weight.grad = np.array([1000, -0.001], np.float32)
        >>> optimizer.step()
        >>> weight.data.round(4)
        array([0.75, 2.25], dtype=float32)

    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        eps: float = 1e-10,
        no_decay: Iterable[Parameter] = (),
    ) -> None:
        self.lr_decay = number_in("Adagrad", "lr_decay", lr_decay, "[0, inf)")
        self.eps = number_in("Adagrad", "eps", eps, "(0, inf)")
        super().__init__(parameters, lr, weight_decay, no_decay, ("sum",))

    def _update(self, w: Array, g: Array, slot: Slot, lr: float) -> None:
        s, change = slot.state["sum"], slot.scratch
        np.multiply(g, g, out=change)
        s += change
        np.sqrt(s, out=change)
        change += self.eps
        np.divide(g, change, out=change)
        change *= lr / (1 + (slot.steps - 1) * self.lr_decay)
        w -= change
