"""Linear ops: matrix products, the dense layer's affine map, Einstein sums."""

from __future__ import annotations

import math
import string

import numpy as np

from minidl.engine import blocks
from minidl.engine.arguments import tensors
from minidl.engine.array import Array, describe
from minidl.engine.tape import record
from minidl.engine.tensor import Tensor, TensorLike
from minidl.ops.broadcast import unbroadcast
from minidl.ops.columns import column_sums


def dense(x: TensorLike, weight: TensorLike, bias: TensorLike | None = None) -> Tensor:
    """Affine map x W + b in one op.

    Args:
        x: (..., in).
        weight: (in, out).
        bias: (out,) or None.

    Returns:
        (..., out).

    Raises:
        ValueError: shapes that don't fit.

    Example:
        >>> dense(np.ones((2, 3)), np.ones((3, 4)), np.zeros(4)).shape
        (2, 4)

    """
    inputs = tensors("dense", x, weight) if bias is None else tensors("dense", x, weight, bias)
    x, weight = inputs[:2]
    a, W = x.data, weight.data
    fits = W.ndim == 2 and a.ndim > 0 and a.shape[-1] == len(W)
    if not fits or (bias is not None and inputs[2].shape != W.shape[1:]):
        shapes = ", ".join(str(t.shape) for t in inputs)
        raise ValueError(f"dense expects x (..., in), weight (in, out) and bias (out,), got {shapes}")
    count = math.prod(a.shape[:-1])
    rows = a.reshape(count, len(W))
    y = blocks.matmul(rows, W)
    if bias is not None:
        y += inputs[2].data

    def vjp(g: Array) -> list[Array | None]:
        g = g.reshape(y.shape)
        dx = blocks.matmul(g, W.T).reshape(a.shape) if x.requires_grad else None    # not for a first layer
        dW = blocks.matmul(rows.T, g) if weight.requires_grad else None
        return [dx, dW] if bias is None else [dx, dW, column_sums(g)]

    return record("dense", y.reshape(*a.shape[:-1], W.shape[1]), inputs, vjp)


def matmul(x: TensorLike, y: TensorLike) -> Tensor:
    """Matrix product; leading axes broadcast (batched), 1-d arguments are a row or a column, as in NumPy.

    Raises:
        ValueError: shapes that don't fit.

    Example:
        >>> matmul(np.ones((5, 2, 3)), np.ones((3, 4))).shape
        (5, 2, 4)

    """
    x, y = tensors("matmul", x, y)
    a, b = x.data, y.data
    try:
        z = np.matmul(a, b)
    except ValueError as error:
        raise ValueError(f"matmul expects (..., n, k) @ (..., k, m), got {x.shape} @ {y.shape}") from error

    def vjp(g: Array) -> list[Array | None]:
        rows = a[None, :] if a.ndim == 1 else a
        columns = b[:, None] if b.ndim == 1 else b
        if b.ndim == 1:
            g = g[..., None]
        if a.ndim == 1:
            g = g[..., None, :]
        dx = dy = None
        if x.requires_grad:
            dx = unbroadcast(g @ columns.swapaxes(-1, -2), rows.shape).reshape(a.shape)
        if y.requires_grad:
            dy = unbroadcast(rows.swapaxes(-1, -2) @ g, columns.shape).reshape(b.shape)
        return [dx, dy]

    return record("matmul", z, (x, y), vjp)


def einsum(subscripts: str, *operands: TensorLike) -> Tensor:
    """Einstein summation, as in NumPy, with explicit or implicit output and `...`.

    The gradient for an operand is an einsum too: of g and the other operands, with that operand's letters as
    the output. No letter may stand twice in one operand (a diagonal): take the diagonal by indexing.

    Raises:
        ValueError: a letter that stands twice in one operand; subscripts that don't fit the operands; `...`
            in an operand and not in an explicit output.

    Example:
        >>> einsum("ij,kj->ik", np.ones((2, 3)), np.ones((4, 3))).shape
        (2, 4)

    """
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum expects subscripts such as 'ij,jk->ik' first, got {describe(subscripts)}")
    inputs = tensors("einsum", *operands)
    arrays = [x.data for x in inputs]
    terms, output = _explicit(subscripts, [a.ndim for a in arrays])
    try:
        z = np.asarray(np.einsum(f"{','.join(terms)}->{output}", *arrays, optimize=True))
    except ValueError as error:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise ValueError(f"einsum {subscripts!r} doesn't fit the shapes {shapes}: {error}") from error

    def vjp(g: Array) -> list[Array | None]:
        gradients: list[Array | None] = []
        for i, term in enumerate(terms):
            if not inputs[i].requires_grad:
                gradients.append(None)
                continue
            other_terms, others = terms[:i] + terms[i + 1 :], arrays[:i] + arrays[i + 1 :]
            # A letter of this operand alone was only summed, so its gradient is the same all along that axis.
            known = [c for c in term if c in output or any(c in t for t in other_terms)]
            formula = f"{','.join([output, *other_terms])}->{''.join(known)}"
            part = np.asarray(np.einsum(formula, g, *others, optimize=True))
            shape = arrays[i].shape
            lengths = [part.shape[known.index(c)] if c in known else 1 for c in term]
            # So it is where all others have length 1; where this one has it, NumPy repeated it: the sum.
            summed = tuple([1 if n == 1 else m for n, m in zip(shape, lengths, strict=True)])
            gradients.append(np.broadcast_to(unbroadcast(part.reshape(lengths), summed), shape))
        return gradients

    return record("einsum", z, inputs, vjp)


def _explicit(subscripts: str, dimensions: list[int]) -> tuple[list[str], str]:
    """The subscripts with the output spelled out, and letters that nobody else uses instead of `...`."""
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(dimensions):
        raise ValueError(f"einsum {subscripts!r} names {len(terms)} operands, got {len(dimensions)}")
    free = [c for c in string.ascii_letters if c not in subscripts]
    hidden = ""
    for i, (term, n) in enumerate(zip(terms, dimensions, strict=True)):
        if "..." in term:
            count = n - len(term) + 3
            letters = "".join(free[:count][::-1])   # counted from the right, as broadcasting does
            hidden = letters if count > len(hidden) else hidden
            terms[i] = term = term.replace("...", letters)
        if len(set(term)) != len(term):
            raise ValueError(f"einsum {subscripts!r} has a letter twice in one operand: index the diagonal")
        if len(term) != n:
            raise ValueError(f"einsum {subscripts!r}: operand {i} expects {len(term)} axes, got {n}")
    if arrow:
        if hidden and "..." not in output:
            raise ValueError(f"einsum {subscripts!r} expects `...` in the output too, got {output!r}")
        output = output.replace("...", hidden)
    else:
        letters = "".join(terms)
        output = hidden + "".join(sorted({c for c in letters if letters.count(c) == 1 and c not in hidden}))
    return terms, output
