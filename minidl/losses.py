"""Losses: scalars to minimise. Each is a mean over the batch, and refuses what would silently broadcast."""

from __future__ import annotations

import numpy as np

from minidl.engine.arguments import as_tensor, tensors
from minidl.engine.array import Array, describe
from minidl.engine.tape import active_tape, record
from minidl.engine.tensor import Tensor, TensorLike
from minidl.ops.activation import stable_sigmoid
from minidl.ops.softmax import softmax_cross_entropy


def cross_entropy(logits: TensorLike, labels: Array, label_smoothing: float = 0.0) -> Tensor:
    """Mean of -log softmax(logits)[label], computed in one stable op.

    An untrained classifier of 10 classes has ln 10 = 2.303.

    Args:
        logits: (batch, classes), any real numbers: the output of the last Dense, without softmax.
        labels: integers (batch,) from 0 to classes - 1.
        label_smoothing: share of the target that is spread evenly over all classes, from 0 to below 1
            (Szegedy et al. 2016, arXiv:1512.00567, section 7).

    Returns:
        scalar.

    Raises:
        ValueError: probabilities instead of logits; one-hot, float or out-of-range labels; shapes that don't
            match.

    Example:
        >>> f"{cross_entropy(np.zeros((3, 10)), [1, 2, 3]):.3f}"
        '2.303'

    """
    logits = as_tensor(logits)
    if logits.ndim != 2 or 0 in logits.shape:
        raise ValueError(f"cross_entropy expects logits (batch, classes), got {logits.shape}")
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"cross_entropy expects label_smoothing from 0 to below 1, got {label_smoothing!r}")
    labels = _class_labels("cross_entropy", labels, logits)
    _refuse_probabilities("cross_entropy", logits)
    return softmax_cross_entropy(logits, labels, label_smoothing)


def binary_cross_entropy(logits: TensorLike, targets: TensorLike) -> Tensor:
    """Mean of -t·log σ(x) - (1 - t)·log(1 - σ(x)), computed from the logits x without overflow.

    Args:
        logits: any shape, any real numbers: without sigmoid.
        targets: the same shape, from 0 to 1.

    Returns:
        scalar.

    Raises:
        ValueError: targets outside [0, 1]; probabilities instead of logits; shapes that differ.

    Example:
        >>> f"{binary_cross_entropy([0.0, 0.0], [0.0, 1.0]):.3f}"
        '0.693'

    """
    x, t = _pair("binary_cross_entropy", logits, targets)
    if not (t.data.min() >= 0 and t.data.max() <= 1):
        raise ValueError(
            f"binary_cross_entropy expects targets from 0 to 1, got {t.data.min():g} to {t.data.max():g}"
        )
    _refuse_probabilities("binary_cross_entropy", x)
    a, b = x.data, t.data
    loss = np.mean(np.maximum(a, 0) - a * b + np.log1p(np.exp(-np.abs(a))))
    return record("binary_cross_entropy", loss, (x, t), lambda g: (
        g / a.size * (stable_sigmoid(a) - b), g / a.size * -a,
    ))


def mse(prediction: TensorLike, target: TensorLike) -> Tensor:
    """Mean squared error, mean((prediction - target)²), over all elements.

    Args:
        prediction: any shape.
        target: the same shape.

    Returns:
        scalar.

    Raises:
        ValueError: shapes that differ, even where they would broadcast.

    Example:
        >>> mse([1.0, 2.0], [1.0, 4.0]).item()
        2.0

    """
    x, t = _pair("mse", prediction, target)
    e = x.data - t.data
    return record("mse", np.mean(e * e), (x, t), lambda g: (g * (2 / e.size) * e, g * (-2 / e.size) * e))


def mae(prediction: TensorLike, target: TensorLike) -> Tensor:
    """Mean absolute error, mean(|prediction - target|), over all elements; the gradient at 0 is 0.

    Takes, returns and raises what `mse` does.

    Example:
        >>> mae([1.0, 2.0], [1.0, 4.0]).item()
        1.0

    """
    x, t = _pair("mae", prediction, target)
    e = x.data - t.data
    sign = np.sign(e)
    return record("mae", np.mean(np.abs(e)), (x, t), lambda g: (g / e.size * sign, -g / e.size * sign))


def huber(prediction: TensorLike, target: TensorLike, delta: float = 1.0) -> Tensor:
    """Mean of e²/2 where |e| ≤ delta, delta·(|e| - delta/2) elsewhere; e = prediction - target (Huber 1964).

    Takes, returns and raises what `mse` does; a delta that isn't above 0 is a ValueError too.

    Example:
        >>> huber([0.0, 0.0], [1.0, 3.0]).item()    # (1/2 + (3 - 1/2)) / 2
        1.5

    """
    delta = float(delta)
    if not delta > 0:
        raise ValueError(f"huber expects delta > 0, got {delta!r}")
    x, t = _pair("huber", prediction, target)
    e = x.data - t.data
    limited = np.clip(e, -delta, delta)
    loss = np.mean(limited * (e - limited / 2))
    return record("huber", loss, (x, t), lambda g: (g / e.size * limited, -g / e.size * limited))


def _pair(name: str, prediction: TensorLike, target: TensorLike) -> tuple[Tensor, Tensor]:
    x, t = tensors(name, prediction, target)
    if x.shape != t.shape:
        labels = t.ndim == 1 < x.ndim and np.asarray(target).dtype.kind in "iu"
        fix = "use cross_entropy for class labels" if labels else _fix(x.shape, t.shape)
        raise ValueError(f"{name} expects two of the same shape, got {x.shape} and {t.shape}: {fix}")
    if not x.size:
        raise ValueError(f"{name} expects at least one element, got shape {x.shape}")
    return x, t


def _fix(x: tuple[int, ...], t: tuple[int, ...]) -> str:
    if x == (*t, 1):
        return "they would broadcast; use prediction[..., 0]"
    if t == (*x, 1):
        return "they would broadcast; use target[..., 0]"
    return "reshape one of them"


def _class_labels(name: str, labels: Array, logits: Tensor) -> Array:
    batch, classes = logits.shape
    if isinstance(labels, Tensor):
        raise TypeError(f"{name} expects labels as a plain integer array, got a Tensor of {labels.dtype}")
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape == logits.shape:
        raise ValueError(f"{name} expects integers ({batch},), got one-hot {array.shape}: use .argmax(1)")
    if array.shape != (batch,):
        fix = "use labels[:, 0]" if array.shape == (batch, 1) else "give one label for each row of the logits"
        raise ValueError(f"{name} expects labels ({batch},), got {array.shape}: {fix}")
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} expects integer labels, got {describe(array)}: use labels.astype(int)")
    low, high = np.minimum.reduce(array), np.maximum.reduce(array)
    if low < 0 or high >= classes:
        fix = "give the last Dense more outputs" if high >= classes else "labels are counted from 0"
        if low == 1 and high == classes:
            fix = "use labels - 1, or give the last Dense more outputs"
        raise ValueError(f"{name} expects labels from 0 to {classes - 1}, got {low} to {high}: {fix}")
    return array


def _refuse_probabilities(name: str, logits: Tensor) -> None:
    """Softmax applied twice trains, badly: the commonest silent mistake, so look for its traces."""
    tape = active_tape()
    source = None if tape is None else next((r for r in reversed(tape.records) if r.output is logits), None)
    if source is not None and source.op in ("softmax", "sigmoid"):
        raise ValueError(f"{name} expects logits, got the output of {source.name()}: leave it out")
    a = logits.data
    if a.ndim != 2 or len(a) < 8 or a.shape[1] == 1 or min(a[0, :16].tolist()) < 0:
        return      # the first few tell it of nearly all logits
    if a.min() >= 0:
        near_one = np.abs(a.sum(axis=1) - 1) <= 1e-5
        if near_one.all() and not np.isin(a, (0, 1)).all():
            raise ValueError(f"{name} expects logits, got probabilities (rows sum to 1): leave softmax out")
