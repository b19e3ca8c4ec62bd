"""What the arguments of an op become: tensors, all of one dtype."""

from __future__ import annotations

import numpy as np

from minidl.engine.array import as_array
from minidl.engine.tensor import Tensor, TensorLike, plain_array


def tensors(op: str, *values: TensorLike) -> tuple[Tensor, ...]:
    """The arguments of an op as tensors of one dtype.

    Plain arrays and numbers take the dtype of the tensors that they meet. Without any tensor among them,
    float64 arrays, if there are any, decide.

    Raises:
        TypeError: if two tensors differ in dtype; it names the op.

    """
    dtype = None
    for value in values:
        if not isinstance(value, Tensor):
            break
        if dtype is None:
            dtype = value._data.dtype
        elif value._data.dtype is not dtype:
            break
    else:
        return values   # type: ignore[return-value]  # as usual: nothing to convert, nothing to refuse
    dtypes = {value.dtype for value in values if isinstance(value, Tensor)}
    if len(dtypes) > 1:
        raise TypeError(
            f"{op} expects one dtype, got {' and '.join(sorted(str(d) for d in dtypes))}: "
            f"convert the model with model.astype(...), or the array with .astype(...)"
        )
    if not dtypes:
        arrays = [as_array(v) for v in values if isinstance(v, np.ndarray | np.generic)]
        dtypes = {np.result_type(np.float32, *arrays)}
    common = dtypes.pop()
    return tuple([v if isinstance(v, Tensor) else Tensor(plain_array(v, common)) for v in values])


def as_tensor(value: TensorLike) -> Tensor:
    """The one argument of an op as a tensor."""
    return value if isinstance(value, Tensor) else Tensor(value)
