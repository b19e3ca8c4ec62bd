"""Initialisers: where the weights start. Each is a function that draws an array of a given shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Shape: TypeAlias = tuple[int, ...]
Weights: TypeAlias = npt.NDArray[np.float64]
Initialiser: TypeAlias = Callable[[np.random.Generator, Shape], Weights]


def glorot_uniform(generator: np.random.Generator, shape: Shape, *, gain: float = 1.0) -> Weights:
    """Uniform on [-limit, limit], limit = gain * sqrt(6 / (fan_in + fan_out)).

    It keeps the variances of activations and of gradients alike through linear layers, and through
    activations with a derivative of 1 at zero, such as tanh. The logistic sigmoid has 1/4 there:
    `partial(glorot_uniform, gain=4)` makes up for it ("Glorot x 4").

    Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks",
    section 4.2.1, equation 16.

    Example:
        >>> weight = glorot_uniform(np.random.default_rng(0), (784, 100))
        >>> bool(abs(weight).max() <= np.sqrt(6 / 884))
        True

    """
    fan_in, fan_out = fans(shape)
    return _uniform(generator, shape, math.sqrt(2 / (fan_in + fan_out)), gain)


def glorot_normal(generator: np.random.Generator, shape: Shape, *, gain: float = 1.0) -> Weights:
    """Gaussian with mean 0 and standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    Source: Glorot & Bengio 2010, section 4.2.1, equation 12.

    Example:
        >>> glorot_normal(np.random.default_rng(0), (5, 5, 16, 32)).shape
        (5, 5, 16, 32)

    """
    fan_in, fan_out = fans(shape)
    return _normal(generator, shape, math.sqrt(2 / (fan_in + fan_out)), gain)


def he_uniform(generator: np.random.Generator, shape: Shape, *, gain: float = 1.0) -> Weights:
    """Uniform on [-limit, limit], limit = gain * sqrt(6 / fan_in): the variance of `he_normal`.

    Source: He et al. 2015, "Delving Deep into Rectifiers", arXiv:1502.01852, section 2.2.

    Example:
        >>> bool(abs(he_uniform(np.random.default_rng(0), (600, 10))).max() <= 0.1)
        True

    """
    return _uniform(generator, shape, math.sqrt(2 / fans(shape)[0]), gain)


def he_normal(generator: np.random.Generator, shape: Shape, *, gain: float = 1.0) -> Weights:
    """Gaussian with mean 0 and standard deviation gain * sqrt(2 / fan_in), for ReLU.

    ReLU sets half of its inputs to zero; the 2 makes up for it.

    Source: He et al. 2015, "Delving Deep into Rectifiers", arXiv:1502.01852, section 2.2, equation 10.

    Example:
        >>> float(he_normal(np.random.default_rng(0), (200, 1000)).std().round(3))
        0.1

    """
    return _normal(generator, shape, math.sqrt(2 / fans(shape)[0]), gain)


def lecun_uniform(generator: np.random.Generator, shape: Shape, *, gain: float = 1.0) -> Weights:
    """Uniform on [-limit, limit], limit = gain * sqrt(3 / fan_in): the variance of `lecun_normal`.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.6.

    Example:
        >>> bool(abs(lecun_uniform(np.random.default_rng(0), (300, 10))).max() <= 0.1)
        True

    """
    return _uniform(generator, shape, math.sqrt(1 / fans(shape)[0]), gain)


def lecun_normal(generator: np.random.Generator, shape: Shape, *, gain: float = 1.0) -> Weights:
    """Gaussian with mean 0 and standard deviation gain * sqrt(1 / fan_in).

    Inputs of variance 1 give pre-activations of variance 1.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.6.

    Example:
        >>> float(lecun_normal(np.random.default_rng(0), (100, 1000)).std().round(3))
        0.1

    """
    return _normal(generator, shape, math.sqrt(1 / fans(shape)[0]), gain)


def gaussian(std: float) -> Initialiser:
    """An initialiser that draws N(0, std^2), whatever the shape.

    Raises:
        ValueError: if std is negative or not finite.

    Example:
        >>> draw = gaussian(0.1)                # the sigmoid network of Ioffe & Szegedy 2015 starts like this
        >>> float(draw(np.random.default_rng(0), (784, 100)).std().round(2))
        0.1

    """
    if not 0 <= std < math.inf:
        raise ValueError(f"gaussian expects a finite std of 0 or more, got {std!r}")
    return partial(_gaussian, std=float(std))


def zeros(generator: np.random.Generator, shape: Shape) -> Weights:
    """All zeros, for biases. In the weights of two layers it leaves all hidden units alike for ever.

    Example:
        >>> zeros(np.random.default_rng(0), (3,))
        array([0., 0., 0.])

    """
    return np.zeros(shape)


def orthogonal(generator: np.random.Generator, shape: Shape, *, gain: float = 1.0) -> Weights:
    """A random orthogonal matrix times gain: orthonormal columns, or rows where there are fewer rows.

    Square ones keep the length of signals exactly, through any depth of linear layers. A Conv2D weight is
    taken as a matrix (kernel * kernel * in, out). It is the Q of a Gaussian matrix's QR decomposition, with
    signs such that every orthogonal matrix is equally likely.

    Source: Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", arXiv:1312.6120; the signs: Mezzadri 2007, arXiv:math-ph/0609050.

    Example:
        >>> weight = orthogonal(np.random.default_rng(0), (5, 3))
        >>> bool(np.allclose(weight.T @ weight, np.eye(3)))
        True

    """
    fan_in, _ = fans(shape)
    matrix = _normal(generator, (fan_in, shape[-1]), 1.0, 1.0)
    wide = fan_in < shape[-1]
    q, r = np.linalg.qr(matrix.T if wide else matrix)
    q *= _checked(gain) * np.copysign(1.0, np.diag(r))
    return np.ascontiguousarray(q.T if wide else q).reshape(shape)


def fans(shape: Shape) -> tuple[int, int]:
    """Inputs and outputs that one unit of a weight is connected with: (fan_in, fan_out).

    Dense (in, out): the axes themselves. Conv2D (kernel, kernel, in, out): kernel * kernel * in and
    kernel * kernel * out.

    Raises:
        ValueError: for a shape with fewer than two axes or an empty axis.

    Example:
        >>> fans((784, 100)), fans((5, 5, 16, 32))
        ((784, 100), (400, 800))

    """
    if len(shape) < 2 or min(shape) < 1:
        raise ValueError(
            f"an initialiser with fans expects a weight (in, out) or (kernel, kernel, in, out), got shape "
            f"{tuple(shape)}: use zeros or gaussian(std) for any other shape"
        )
    return math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]


def resolve(init: str | Initialiser) -> Initialiser:
    """The initialiser of that name; a function is given back as it is.

    Raises:
        ValueError: for a name that isn't one; the message lists the names.

    Example:
        >>> resolve("he_normal") is he_normal
        True

    """
    if init in ("gaussian", gaussian):
        raise ValueError("init expects gaussian with a standard deviation, got none: use init=gaussian(0.1)")
    if callable(init):
        return init
    if not isinstance(init, str) or init not in _BY_NAME:
        raise ValueError(
            f"init expects one of {', '.join(_BY_NAME)}, or a function (generator, shape) -> array such as "
            f"gaussian(0.1), got {init!r}"
        )
    return _BY_NAME[init]


_BY_NAME: dict[str, Initialiser] = {
    function.__name__: function
    for function in (
        glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal, zeros, orthogonal,
    )
}


def _uniform(generator: np.random.Generator, shape: Shape, std: float, gain: float) -> Weights:
    limit = _checked(gain) * math.sqrt(3) * std     # the variance of a uniform distribution is limit^2 / 3
    return generator.uniform(-limit, limit, shape)


def _normal(generator: np.random.Generator, shape: Shape, std: float, gain: float) -> Weights:
    return generator.normal(0.0, _checked(gain) * std, shape)


def _gaussian(generator: np.random.Generator, shape: Shape, *, std: float) -> Weights:
    return generator.normal(0.0, std, shape)


def _checked(gain: float) -> float:
    if not 0 < gain < math.inf:
        raise ValueError(f"an initialiser expects a finite gain above 0, got {gain!r}")
    return gain
