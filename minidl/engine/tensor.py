"""Tensor: an array, its gradient, and the operators, each of which calls its op by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from minidl.engine.array import Array, as_array, describe, read_only
from minidl.engine.protocols import apply_ufunc, export, refuse
from minidl.engine.thread import thread

TensorLike: TypeAlias = "Tensor | Array | float | Sequence[Any]"
Axis: TypeAlias = "int | tuple[int, ...] | None"

# Where a tensor comes from. A tape's number says "recorded on that tape"; a number, unlike a reference, keeps
# no graph alive, however long a loss is kept.
LEAF = 0        # a parameter, an input, a constant: may be used on any tape
OUTSIDE = -1    # computed from leaves that require a gradient while no tape was recording

# ops/operators.py fills this table, once, so that the engine needn't import the ops that stand upon it.
OPERATORS: dict[str, Callable[..., Tensor]] = {}


class Tensor:
    """A float array that a tape can follow.

    Numbers, lists and integer arrays become float32; a float32 or float64 array keeps its dtype and is
    neither copied nor locked. If you change that array between the forward and the backward pass, the
    gradient is wrong and nobody can notice: don't. The tensor itself is read-only, and so is the view `data`.

    Args:
        data: array of any shape, nested lists, or a number.
        requires_grad: whether `tape.backward` fills `.grad`.

    Raises:
        TypeError: data that is no real number (strings, objects, complex), or holds another Tensor.

    Example:
        >>> x = Tensor([[1, 2], [3, 4]], requires_grad=True)
        >>> x.shape, x.dtype
        ((2, 2), dtype('float32'))
        >>> np.asarray(x * 2 + 1)
        array([[3., 5.],
               [7., 9.]], dtype=float32)

    """

    __slots__ = ("__weakref__", "_data", "_grad", "_requires_grad", "origin", "version")
    __hash__ = object.__hash__      # by identity: `==` compares elements

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self._data = read_only(plain_array(data))
        self._grad: Array | None = None
        self._requires_grad = bool(requires_grad)
        self.origin = LEAF
        self.version = 0

    @classmethod
    def result(cls, array: Array, requires_grad: bool, origin: int) -> Tensor:
        """Wrap what an op has computed; the array belongs to the tensor from now on and is locked."""
        array.setflags(write=False)
        tensor = Tensor.__new__(Tensor)
        tensor._data = array
        tensor._grad = None
        tensor._requires_grad = requires_grad
        tensor.origin = origin
        tensor.version = 0
        return tensor

    # ---- what it is --------------------------------------------------------------------------------------

    @property
    def data(self) -> Array:
        """The array, as a read-only view."""
        return self._data

    @property
    def grad(self) -> Array | None:
        """The gradient that `tape.backward` added up here: an array of this shape and dtype, or None."""
        return self._grad

    @grad.setter
    def grad(self, gradient: Array | None) -> None:
        if gradient is not None and (
            not isinstance(gradient, np.ndarray)
            or gradient.shape != self.shape
            or gradient.dtype != self.dtype
        ):
            raise ValueError(
                f".grad of {self._describe()} expects None or an array of that shape and dtype, "
                f"got {describe(gradient)}"
            )
        self._grad = gradient

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow here. Can be set on leaves only (`False` freezes a parameter).

        Set it before `with Tape()`: like a change of values it raises `version`, and backward through an
        older version is an error.
        """
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.origin != LEAF:
            raise ValueError(
                "requires_grad can be set on leaves only, and this tensor was computed: use .detach()"
            )
        if bool(value) == self._requires_grad:
            return
        # What has been recorded without it would lack its part of the gradient, and nobody could notice.
        if value and thread.tape is not None and thread.tape.has_used(self):
            raise RuntimeError(
                f"requires_grad = True came too late for {self._describe()} that this tape has used already, "
                f"so that part of its gradient would be lost: set it before `with Tape()`"
            )
        self._requires_grad = bool(value)
        self.version += 1

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user, rather than computed from tensors that require a gradient."""
        return self.origin == LEAF

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self._data.dtype

    @property
    def T(self) -> Tensor:
        """The transpose: all axes in reverse order."""
        return self.transpose()

    def detach(self) -> Tensor:
        """A constant that shares this tensor's array: gradients stop here."""
        return Tensor(self._data)

    def backward(self, *_: Any) -> NoReturn:
        """What PyTorch has and minidl hasn't: a tensor doesn't know the tape that recorded it."""
        raise TypeError(
            f"{self._describe()} has no backward, its tape has: call tape.backward(loss) after "
            f"`with Tape() as tape:`"
        )

    def item(self) -> float:
        """The one element as a Python number."""
        if self.size != 1:
            raise ValueError(f".item() expects a tensor of one element, got shape {self.shape}")
        return float(self._data.reshape(()))

    def _describe(self) -> str:
        return f"a {type(self).__name__} {self.shape} of {self.dtype}"

    def __repr__(self) -> str:
        body = np.array2string(self._data, separator=", ", threshold=20, prefix=f"{type(self).__name__}(")
        grad = ", requires_grad=True" if self._requires_grad else ""
        return f"{type(self).__name__}({body}, dtype={self.dtype}{grad})"

    def __format__(self, specification: str) -> str:
        return format(self.item(), specification) if specification else repr(self)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a tensor without axes has no length")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"a tensor of shape {self.shape} is neither true nor false: use np.asarray(t).any() or .all()"
            )
        return bool(self._data)

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __reduce__(self) -> tuple[Any, ...]:
        # A tape isn't copied along: what was computed on one would become a leaf, where its gradient ends.
        if self.origin != LEAF:
            raise TypeError(
                f"{self._describe()} that was computed from what requires a gradient can't be copied or "
                f"pickled, as the gradient would end there: copy t.detach(), or np.array(t)"
            )
        return type(self), (np.array(self._data), self._requires_grad)

    # ---- NumPy's protocols -------------------------------------------------------------------------------

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self._data, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return apply_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Callable[..., Any], *_: Any) -> NoReturn:
        refuse(function, OPERATORS)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: Any = None,
        copy: bool | None = None,
    ) -> Any:
        return export(self._data, stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        device: tuple[int, int] = self._data.__dlpack_device__()
        return device

    # ---- arithmetic: each body is one line that calls its op by name -------------------------------------

    def __add__(self, other: TensorLike) -> Tensor: return OPERATORS["add"](self, other)
    def __radd__(self, other: TensorLike) -> Tensor: return OPERATORS["add"](other, self)
    def __sub__(self, other: TensorLike) -> Tensor: return OPERATORS["subtract"](self, other)
    def __rsub__(self, other: TensorLike) -> Tensor: return OPERATORS["subtract"](other, self)
    def __mul__(self, other: TensorLike) -> Tensor: return OPERATORS["multiply"](self, other)
    def __rmul__(self, other: TensorLike) -> Tensor: return OPERATORS["multiply"](other, self)
    def __truediv__(self, other: TensorLike) -> Tensor: return OPERATORS["divide"](self, other)
    def __rtruediv__(self, other: TensorLike) -> Tensor: return OPERATORS["divide"](other, self)
    def __floordiv__(self, other: TensorLike) -> Tensor: return OPERATORS["floor_divide"](self, other)
    def __rfloordiv__(self, other: TensorLike) -> Tensor: return OPERATORS["floor_divide"](other, self)
    def __mod__(self, other: TensorLike) -> Tensor: return OPERATORS["remainder"](self, other)
    def __rmod__(self, other: TensorLike) -> Tensor: return OPERATORS["remainder"](other, self)
    def __divmod__(self, other: TensorLike) -> tuple[Tensor, Tensor]: return _divmod(self, other)
    def __rdivmod__(self, other: TensorLike) -> tuple[Tensor, Tensor]: return _divmod(other, self)
    def __pow__(self, other: TensorLike) -> Tensor: return OPERATORS["power"](self, other)
    def __rpow__(self, other: TensorLike) -> Tensor: return OPERATORS["power"](other, self)
    def __matmul__(self, other: TensorLike) -> Tensor: return OPERATORS["matmul"](self, other)
    def __rmatmul__(self, other: TensorLike) -> Tensor: return OPERATORS["matmul"](other, self)
    def __neg__(self) -> Tensor: return OPERATORS["negative"](self)
    def __pos__(self) -> Tensor: return self
    def __abs__(self) -> Tensor: return OPERATORS["abs"](self)
    def __getitem__(self, index: Any) -> Tensor: return OPERATORS["getitem"](self, index)

    # `total += loss` means `total = total + loss`; on a leaf that requires grad it would replace the leaf.
    def __iadd__(self, other: TensorLike) -> Tensor: return self._not_in_place("+") + other
    def __isub__(self, other: TensorLike) -> Tensor: return self._not_in_place("-") - other
    def __imul__(self, other: TensorLike) -> Tensor: return self._not_in_place("*") * other
    def __itruediv__(self, other: TensorLike) -> Tensor: return self._not_in_place("/") / other
    def __ifloordiv__(self, other: TensorLike) -> Tensor: return self._not_in_place("//") // other
    def __imod__(self, other: TensorLike) -> Tensor: return self._not_in_place("%") % other
    def __ipow__(self, other: TensorLike) -> Tensor: return self._not_in_place("**") ** other
    def __imatmul__(self, other: TensorLike) -> Tensor: return self._not_in_place("@") @ other

    def _not_in_place(self, operator: str) -> Tensor:
        if self.is_leaf and self._requires_grad:
            raise TypeError(
                f"`t {operator}= ...` would replace {self._describe()} that requires grad by a computed "
                f"tensor: write `new = t {operator} ...`, or change a parameter by `parameter.data = array`"
            )
        return self

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "a tensor is read-only: use minidl.ops.where, or change a parameter by `parameter.data = array`"
        )

    # ---- comparisons are plain Boolean arrays: they have no gradient -------------------------------------

    def __eq__(self, other: object) -> Any: return np.equal(self._data, _plain(other))
    def __ne__(self, other: object) -> Any: return np.not_equal(self._data, _plain(other))
    def __lt__(self, other: TensorLike) -> Any: return np.less(self._data, _plain(other))
    def __le__(self, other: TensorLike) -> Any: return np.less_equal(self._data, _plain(other))
    def __gt__(self, other: TensorLike) -> Any: return np.greater(self._data, _plain(other))
    def __ge__(self, other: TensorLike) -> Any: return np.greater_equal(self._data, _plain(other))

    def argmax(self, axis: int | None = None) -> Any:
        """Index of the largest element, as a plain integer array."""
        return self._data.argmax(axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Index of the smallest element, as a plain integer array."""
        return self._data.argmin(axis)

    # ---- methods: minidl.ops documents each --------------------------------------------------------------

    def exp(self) -> Tensor:
        """See `minidl.ops.exp`."""
        return OPERATORS["exp"](self)

    def log(self) -> Tensor:
        """See `minidl.ops.log`."""
        return OPERATORS["log"](self)

    def sqrt(self) -> Tensor:
        """See `minidl.ops.sqrt`."""
        return OPERATORS["sqrt"](self)

    def abs(self) -> Tensor:
        """See `minidl.ops.abs`."""
        return OPERATORS["abs"](self)

    def clip(self, low: float | None = None, high: float | None = None) -> Tensor:
        """See `minidl.ops.clip`."""
        return OPERATORS["clip"](self, low, high)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minidl.ops.sum`."""
        return OPERATORS["sum"](self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minidl.ops.mean`."""
        return OPERATORS["mean"](self, axis, keepdims)

    def var(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        """See `minidl.ops.var`."""
        return OPERATORS["var"](self, axis, ddof, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minidl.ops.max`."""
        return OPERATORS["max"](self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minidl.ops.min`."""
        return OPERATORS["min"](self, axis, keepdims)

    def reshape(self, *shape: int | tuple[int, ...]) -> Tensor:
        """See `minidl.ops.reshape`."""
        return OPERATORS["reshape"](self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: int | Sequence[int]) -> Tensor:
        """See `minidl.ops.transpose`."""
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], Sequence) else axes
        return OPERATORS["transpose"](self, order if axes else None)


def _divmod(x: TensorLike, y: TensorLike) -> tuple[Tensor, Tensor]:
    return OPERATORS["floor_divide"](x, y), OPERATORS["remainder"](x, y)


def _plain(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def plain_array(value: Any, dtype: np.dtype[Any] | None = None) -> Array:
    """A float array of what is no tensor and holds none: NumPy would take those off the tape in silence."""
    if _holds_tensor(value):
        raise TypeError(
            f"expected numbers or an array, got a {type(value).__name__} "
            + ("already: use t.detach()" if isinstance(value, Tensor) else "of tensors: use minidl.ops.stack")
        )
    return as_array(value, dtype)


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (
        isinstance(value, list | tuple) and any(_holds_tensor(element) for element in value)
    )
