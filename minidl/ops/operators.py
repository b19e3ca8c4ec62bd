"""Gives Tensor its operators: fills the engine's tables of ops by name and by NumPy ufunc, here and once."""

from __future__ import annotations

import numpy as np

from minidl.engine.protocols import UFUNCS
from minidl.engine.tensor import OPERATORS, Tensor
from minidl.ops import activation, elementwise, linear, reduce, shape, softmax

# Some that no operator calls, too: when a NumPy function meets a tensor, the error names the op to use.
OPERATORS.update(
    {
        op.__name__: op
        for op in (
            elementwise.add, elementwise.subtract, elementwise.multiply, elementwise.divide,
            elementwise.floor_divide, elementwise.remainder, elementwise.negative, elementwise.power,
            elementwise.exp, elementwise.log, elementwise.sqrt, elementwise.abs, elementwise.clip,
            elementwise.maximum, elementwise.minimum, elementwise.where,
            reduce.sum, reduce.mean, reduce.var, reduce.max, reduce.min, reduce.logsumexp,
            shape.reshape, shape.transpose, shape.getitem, shape.concatenate, shape.stack, shape.pad,
            shape.broadcast_to, linear.matmul, linear.einsum, softmax.softmax, softmax.log_softmax,
        )
    }
)

UFUNCS.update(
    {
        np.add: elementwise.add, np.subtract: elementwise.subtract, np.multiply: elementwise.multiply,
        np.divide: elementwise.divide, np.floor_divide: elementwise.floor_divide,
        np.remainder: elementwise.remainder, np.negative: elementwise.negative, np.power: elementwise.power,
        np.exp: elementwise.exp, np.log: elementwise.log,
        np.sqrt: elementwise.sqrt, np.absolute: elementwise.abs,
        np.maximum: elementwise.maximum, np.minimum: elementwise.minimum, np.matmul: linear.matmul,
        np.tanh: activation.tanh, np.positive: Tensor.__pos__,
        np.divmod: lambda a, b: (elementwise.floor_divide(a, b), elementwise.remainder(a, b)),
        # Comparisons have no gradient and give plain arrays; with an array on the left the tensor is asked.
        np.equal: lambda a, b: b == a, np.not_equal: lambda a, b: b != a, np.less: lambda a, b: b > a,
        np.less_equal: lambda a, b: b >= a,
        np.greater: lambda a, b: b < a, np.greater_equal: lambda a, b: b <= a,
    }
)
