"""The ops: each is one function, the forward computation and right below it the gradient as a formula."""

from minidl.ops import operators as _operators  # noqa: F401 (it gives Tensor its operators)
from minidl.ops.activation import gelu, leaky_relu, relu, sigmoid, tanh
from minidl.ops.conv import conv2d
from minidl.ops.elementwise import (
    abs,  # noqa: A004
    add,
    clip,
    divide,
    exp,
    floor_divide,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    remainder,
    sqrt,
    subtract,
    where,
)
from minidl.ops.linear import dense, einsum, matmul
from minidl.ops.norm import batch_norm, batch_norm_inference, group_norm, layer_norm
from minidl.ops.pool import avg_pool2d, max_pool2d
from minidl.ops.reduce import logsumexp, max, mean, min, sum, var  # noqa: A004
from minidl.ops.shape import broadcast_to, concatenate, getitem, pad, reshape, stack, transpose
from minidl.ops.softmax import log_softmax, softmax, softmax_cross_entropy

__all__ = [
    "abs", "add", "avg_pool2d", "batch_norm", "batch_norm_inference", "broadcast_to", "clip",
    "concatenate", "conv2d", "dense", "divide", "einsum", "exp", "floor_divide", "gelu", "getitem",
    "group_norm", "layer_norm", "leaky_relu", "log", "log_softmax", "logsumexp", "matmul", "max",
    "max_pool2d", "maximum", "mean", "min", "minimum", "multiply", "negative", "pad", "power", "relu",
    "remainder", "reshape", "sigmoid", "softmax", "softmax_cross_entropy", "sqrt", "stack", "subtract",
    "sum", "tanh", "transpose", "var", "where",
]
