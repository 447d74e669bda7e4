"""Methods of `Tensor` by the names that PyTorch has for them, where a name can mean only one thing.

Each is an operation that NumPy or a rule of `rules` has; there is nothing to differentiate here. Most stand already
where PyTorch's models are run, in the rows of `interop.aten`, which are loaded once one of them is called. A method
whose name ends in an underscore gives a leaf new data, where recording is off or no gradient is asked for.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .conduct import Missing
from .errors import SPELLED, describe, updated_in_place
from .methods import unary
from .recording import SCOPE
from .registry import METHODS
from .rules import elementwise, reductions
from .tensor import Tensor

__all__: list[str] = []


def _ints(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Lengths or axes, as they come: one by one, or in one sequence."""
    one = given[0] if len(given) == 1 and not hasattr(given[0], "__index__") else given
    return tuple(operator.index(i) for i in one)


def _along(name: str, dim: Any, axis: Any) -> Any:
    if (dim is None) == (axis is None):
        raise TypeError(f"{name}: give the axis to go along, dim=… or axis=…")
    return axis if dim is None else dim


# --- activations ------------------------------------------------------------------------------------------------------


def softmax(self: Any, dim: Any = None, *, axis: Any = None) -> Any:
    """exp(t) / Σ exp(t) along an axis, without overflow."""
    return reductions.softmax(self, axis=_along("softmax", dim, axis))


def log_softmax(self: Any, dim: Any = None, *, axis: Any = None) -> Any:
    """log softmax(t) along an axis, exact also where softmax rounds to 0."""
    return reductions.log_softmax(self, axis=_along("log_softmax", dim, axis))


def logsumexp(self: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Any:
    """log Σ exp(t) along an axis, without overflow."""
    return reductions.logsumexp(self, axis=_along("logsumexp", dim, axis), keepdims=keepdim)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def matmul(self: Any, other: Any) -> Any:
    """``t @ other``."""
    return self @ other


def add(self: Any, other: Any, *, alpha: float = 1) -> Any:
    """``t + alpha * other``."""
    return self + (other if alpha == 1 else alpha * other)


def sub(self: Any, other: Any, *, alpha: float = 1) -> Any:
    """``t - alpha * other``."""
    return self - (other if alpha == 1 else alpha * other)


def mul(self: Any, other: Any) -> Any:
    """``t * other``."""
    return self * other


def div(self: Any, other: Any) -> Any:
    """``t / other``."""
    return self / other


def pow(self: Any, exponent: Any) -> Any:
    """``t ** exponent``."""
    return self**exponent


def maximum(self: Any, other: Any) -> Any:
    """The larger of each two elements."""
    return np.maximum(self, other)


def minimum(self: Any, other: Any) -> Any:
    """The smaller of each two elements."""
    return np.minimum(self, other)


def rsqrt(self: Any) -> Any:
    """1 / √t."""
    return 1 / np.sqrt(self)


def norm(self: Any, p: Any = 2, dim: int | None = None, keepdim: bool = False) -> Any:
    """(Σ |t|ᵖ)^(1/p), of all elements or along one axis."""
    p = {"fro": 2, "inf": np.inf}.get(p, p)
    if dim is None:
        total = np.linalg.norm(self.reshape(-1), p)
        return total.reshape((1,) * self.ndim) if keepdim else total
    return np.linalg.norm(self, p, operator.index(dim), keepdims=keepdim)


def where(self: Any, condition: Any, other: Any) -> Any:
    """The Tensor where `condition` is true, `other` elsewhere."""
    return np.where(condition.data if isinstance(condition, Tensor) else condition, self, other)


def masked_fill(self: Any, mask: Any, value: Any) -> Any:
    """`value` where `mask` is true, the Tensor elsewhere."""
    mask = mask.data if isinstance(mask, Tensor) else mask
    if np.asarray(mask).dtype != bool:
        raise TypeError(f"masked_fill: the mask must be of booleans, got dtype {np.asarray(mask).dtype}")
    return np.where(mask, value, self)


# --- shapes -----------------------------------------------------------------------------------------------------------


def unsqueeze(self: Any, dim: int) -> Any:
    """With an axis of length 1 put in."""
    return np.expand_dims(self, dim)


def permute(self: Any, *dims: Any) -> Any:
    """The axes in another order."""
    return self.transpose(_ints(dims))


def t(self: Any) -> Any:
    """A matrix transposed; a vector as it is."""
    if self.ndim > 2:
        raise ValueError(f"t() is for matrices, got shape {self.shape}: write permute, or swapaxes")
    return self.T


def expand(self: Any, *sizes: Any) -> Any:
    """Broadcast to a shape, where -1 keeps a length."""
    shape = list(_ints(sizes))
    for i in range(1, self.ndim + 1):
        if i <= len(shape) and shape[-i] == -1:
            shape[-i] = self.shape[-i]
    return np.broadcast_to(self, shape)


def expand_as(self: Any, other: Any) -> Any:
    """Broadcast to the shape of another."""
    return np.broadcast_to(self, other.shape)


def view_as(self: Any, other: Any) -> Any:
    """The same elements in the shape of another."""
    return self.reshape(other.shape)


def flip(self: Any, *dims: Any) -> Any:
    """Reversed along some axes."""
    return np.flip(self, _ints(dims))


def split(self: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    """Parts of one length along an axis, the last as long as is left; or of the lengths in a list."""
    n = self.shape[dim]
    if hasattr(split_size_or_sections, "__index__"):
        ends = range(operator.index(split_size_or_sections), n, operator.index(split_size_or_sections))
    else:
        lengths = [operator.index(i) for i in split_size_or_sections]
        if sum(lengths) != n:
            raise ValueError(f"split: parts of {lengths} do not make up an axis of length {n}")
        ends = np.cumsum(lengths)[:-1]  # type: ignore[assignment]
    return tuple(np.split(self, list(ends), dim))


def chunk(self: Any, chunks: int, dim: int = 0) -> Any:
    """At most so many parts of one length along an axis, the last as long as is left."""
    return split(self, max(-(-self.shape[dim] // chunks), 1), dim)


def unbind(self: Any, dim: int = 0) -> Any:
    """The slices along an axis."""
    return tuple(np.moveaxis(self, dim, 0))


def gather(self: Any, dim: int, index: Any) -> Any:
    """``np.take_along_axis``."""
    return np.take_along_axis(self, index.data if isinstance(index, Tensor) else index, dim)


def tril(self: Any, diagonal: int = 0) -> Any:
    """The lower triangle."""
    return np.tril(self, diagonal)


def triu(self: Any, diagonal: int = 0) -> Any:
    """The upper triangle."""
    return np.triu(self, diagonal)


# --- what it is -------------------------------------------------------------------------------------------------------


class Size(int):
    """A number of elements, which gives the shape where it is called: ``t.size`` of NumPy, ``t.size()`` of PyTorch."""

    shape: tuple[int, ...]

    def __call__(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]


def _size(self: Any) -> Size:
    size = Size(self._data.size)
    size.shape = self._data.shape
    return size


def numel(self: Any) -> int:
    """How many elements."""
    return int(self._data.size)


def dim(self: Any) -> int:
    """How many axes."""
    return int(self._data.ndim)


def equal(self: Any, other: Any) -> bool:
    """Whether another has the same shape and the same numbers."""
    return bool(np.array_equal(self._data, getattr(other, "_data", other)))


def allclose(self: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether another has the same numbers, but for ``atol + rtol * |other|``."""
    return bool(np.allclose(self._data, getattr(other, "_data", other), rtol, atol, equal_nan))


def type_as(self: Any, other: Any) -> Any:
    """In the dtype of another."""
    return self.astype(other.dtype)


def to(self: Any, *given: Any, dtype: Any = None) -> Any:
    """In another dtype, or that of another Tensor; it is in the memory of the CPU, where ``"cpu"`` leaves it."""
    for one in given:
        if getattr(one, "type", one) == "cpu":
            continue
        if isinstance(one, str) and not hasattr(np, one):
            raise ValueError(f"to: all is in the memory of the CPU; expected 'cpu' or a dtype, got {one!r}")
        dtype = one.dtype if isinstance(one, Tensor | np.ndarray) else one
    return self if dtype is None or self.dtype == dtype else self.astype(dtype)


def same(self: Any) -> Any:
    """The Tensor itself, which is in the memory of the CPU, and whose layout nobody sees."""
    return self


def _cast(dtype: Any) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return self if self.dtype == dtype else self.astype(dtype)

    method.__doc__ = f"In dtype {np.dtype(dtype)}."
    return method


# --- leaves that get new data -----------------------------------------------------------------------------------------


def _in_place(name: str, new: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                f"{describe(self.node)}: {name} can't change it, as an operation made it: write t = t.{name[:-1]}(…)"
            )
        if self.requires_grad and SCOPE.get() is not None:
            raise updated_in_place(self.name or "w")
        given = [a.data if isinstance(a, Tensor) else a for a in args]
        self.be_learned()
        array = np.asarray(new(self.data, *given, **kwargs))
        self.rebind(np.array(np.broadcast_to(array, self.shape)) if array.ndim <= self.ndim else array)
        return self

    method.__doc__ = "Give a leaf new data, as PyTorch does in place; graphs recorded before keep their numbers."
    return method


_IN_PLACE: dict[str, Callable[..., Any]] = {
    "add_": lambda x, other, *, alpha=1: x + alpha * other,
    "sub_": lambda x, other, *, alpha=1: x - alpha * other,
    "mul_": lambda x, other: x * other,
    "div_": lambda x, other: x / other,
    "copy_": lambda x, source: source,
    "fill_": lambda x, value: value,
    "zero_": lambda x: 0.0,
    "clamp_": lambda x, min=None, max=None: np.clip(x, min, max),
}
_ROWS = (
    "acos", "acosh", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "adjoint", "amax", "amin", "aminmax",
    "angle", "arctan2", "asin", "asinh", "atan", "atan2", "atanh", "baddbmm", "ceil", "clamp_max", "clamp_min",
    "copysign", "count_nonzero", "cross", "deg2rad", "det", "diag", "diag_embed", "diff", "digamma", "dist", "erf",
    "erfc", "erfinv", "fix", "fliplr", "flipud", "floor", "floor_divide", "fmax", "fmin", "fmod", "frac",
    "heaviside", "hypot", "i0", "index_add", "index_copy", "index_put", "index_select", "inner", "inverse",
    "isfinite", "isinf", "isnan", "kron", "kthvalue", "lerp", "lgamma", "logaddexp", "logaddexp2", "logcumsumexp",
    "logdet", "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "matrix_power", "median",
    "moveaxis", "movedim", "msort", "nan_to_num", "nanmean", "nansum", "narrow", "negative", "new_full", "outer",
    "positive", "quantile", "rad2deg", "remainder", "repeat_interleave", "roll", "rot90", "scatter", "scatter_add",
    "scatter_reduce", "select", "select_scatter", "sgn", "sign", "signbit", "sinc", "slice_scatter", "slogdet",
    "swapdims", "take_along_dim", "tensor_split", "topk", "true_divide", "trunc", "unflatten", "unfold", "vdot",
    "xlogy",
)  # fmt: skip
_ROWS_OF_SIZES = ("tile", "broadcast_to", "new_zeros", "new_ones", "new_empty")
"""These take lengths one by one, too."""
_OPERATORS = {
    "neg": "__neg__", "eq": "__eq__", "ne": "__ne__", "lt": "__lt__", "le": "__le__", "gt": "__gt__", "ge": "__ge__",
    "not_equal": "__ne__", "less": "__lt__", "less_equal": "__le__", "greater": "__gt__", "greater_equal": "__ge__",
}  # fmt: skip
_CASTS = {
    "double": np.float64,
    "float": np.float32,
    "half": np.float16,
    "long": np.int64,
    "int": np.int32,
    "bool": bool,
}


def _row(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = importlib.import_module("autograd.interop.aten").ROWS[name]
        found = call(self, *((_ints(args),) if name in _ROWS_OF_SIZES else args), **kwargs)
        return Tensor(found, requires_grad=False) if name.startswith("new_") else found

    method.__name__ = name
    method.__doc__ = f"``torch.Tensor.{name}``."
    return method


def _set_methods() -> None:
    own: dict[str, Any] = {
        fn.__name__: fn
        for fn in (
            softmax, log_softmax, logsumexp, matmul, add, sub, mul, div, pow, maximum, minimum, rsqrt, norm, where,
            masked_fill, to, unsqueeze, permute, t, expand, expand_as, view_as, flip, split, chunk, unbind, gather,
            tril, triu, numel, dim, type_as, equal, allclose,
        )
    }  # fmt: skip
    own |= {"relu": unary(elementwise.relu.rule), "sigmoid": unary(elementwise.sigmoid.rule)}
    own |= {"mm": matmul, "bmm": matmul, "mv": matmul, "multiply": mul, "subtract": sub, "divide": div}
    own |= {"contiguous": same, "cpu": same, "reshape_as": view_as, "nelement": numel, "ndimension": dim}
    own |= {name: getattr(Tensor, of) for name, of in _OPERATORS.items()}
    own |= {name: _row(name) for name in (*_ROWS, *_ROWS_OF_SIZES)}
    own |= {name: _cast(dtype) for name, dtype in _CASTS.items()}
    own |= {name: _in_place(name, new) for name, new in _IN_PLACE.items()}
    METHODS.update(own)
    for name, method in own.items():
        setattr(Tensor, name, method)
    Tensor.size = property(_size, doc="How many elements; ``size()`` is the shape.")  # type: ignore[assignment]
    for name in {*dir(np.ndarray), *SPELLED}:
        if not name.startswith("_") and not hasattr(Tensor, name):
            setattr(Tensor, name, Missing(name))


_set_methods()
