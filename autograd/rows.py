"""Several gradients in one sweep: `Rows`, a stack of arrays that rules take for one.

A rule sees the shape of one array. Functions of NumPy that can treat all rows at once do; any other is called on each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .operands import constant
from .registry import Rule
from .rules.elementwise import where
from .rules.indexing import Scattered, getitem, scatter
from .rules.shapes import astype, concatenate, stack, sum_to_shape

__all__ = ["Rows", "rows_like"]


class Rows(np.lib.mixins.NDArrayOperatorsMixin):
    """Arrays of one shape, one after the other along the first axis of `data`."""

    __slots__ = ("data", "dtype", "ndim", "shape")

    def __init__(self, data: Any):
        self.data = data
        self.shape = data.shape[1:]
        self.ndim = data.ndim - 1
        self.dtype = data.dtype

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def real(self) -> Any:
        return Rows(self.data.real)

    @property
    def T(self) -> Any:
        return Rows(_transpose(self))

    def __len__(self) -> int:
        return int(self.shape[0])

    def __bool__(self) -> bool:
        raise TypeError("rows of which some may be true and some not have no truth")

    def __getitem__(self, index: Any) -> Any:
        return self._record(getitem.rule, (self,), {"index": index})

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)  # type: ignore[call-overload]

    def astype(self, dtype: Any) -> Any:
        return Rows(self.data.astype(dtype))

    def copy(self) -> Any:
        return self

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        kwargs.pop("out", None)  # of total += rows, whose result is what it gives
        if method == "__call__" and ufunc.signature is None:
            return Rows(ufunc(*_aligned(inputs), **kwargs))
        call = ufunc if method == "__call__" else getattr(ufunc, method)
        return _apply(call, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return _apply(func, args, kwargs)

    @staticmethod
    def _record(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _apply(rule.fn, args, kwargs)


def rows_like(value: Any, like: Any) -> Any:
    """`value` as rows, as many as those of `like`, where `like` is some."""
    if not isinstance(like, Rows) or isinstance(value, Rows):
        return value
    return Rows(np.broadcast_to(value, (len(like.data), *np.shape(value))))


def _aligned(inputs: tuple[Any, ...], core: int = 0) -> list[Any]:
    """The operands as arrays that broadcast with the rows along the first axis, but for `core` axes at the end."""
    most = max(x.ndim for x in inputs if isinstance(x, Rows) or hasattr(x, "ndim"))
    return [
        x.data.reshape(len(x.data), *(1,) * (most - x.ndim), *x.shape) if isinstance(x, Rows) and x.ndim < most
        else x.data if isinstance(x, Rows) else x
        for x in inputs
    ]  # fmt: skip


def _apply(fn: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    if fn in (np.any, np.all, np.count_nonzero) and len(args) == 1 and not kwargs:
        return fn(args[0].data)  # what a rule asks before it branches: a way that is right for some is right for all
    at_once = AT_ONCE.get(fn)
    found = None if at_once is None else at_once(*args, **kwargs)
    if found is not None:
        return Rows(found)
    count = next(len(x.data) for x in _leaves(args) if isinstance(x, Rows))
    return Rows(np.stack([np.asarray(fn(*_row(args, i), **_row(kwargs, i))) for i in range(count)]))


def _leaves(args: Any) -> Any:
    for x in args:
        yield from _leaves(x) if isinstance(x, tuple | list) else (x,)


def _row(args: Any, i: int) -> Any:
    if isinstance(args, Rows):
        return args.data[i]
    if isinstance(args, tuple | list):
        return type(args)(_row(x, i) for x in args)
    return {key: _row(x, i) for key, x in args.items()} if isinstance(args, dict) else args


# --- what is done for all rows at once: each returns the stack, or None where it has to be done row by row ------------


def _moved(axis: Any) -> Any:
    """The place of an axis of a row in the stack."""
    return tuple(map(_moved, axis)) if isinstance(axis, tuple | list) else axis if axis < 0 else axis + 1


def _over(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function along axes, all of them unless told."""

    def at_once(x: Any, axis: Any = None, **options: Any) -> Any:
        return fn(x.data, axis=tuple(range(1, x.data.ndim)) if axis is None else _moved(axis), **options)

    return at_once


def _reshape(x: Any, shape: Any, order: str = "C") -> Any:
    if order != "C" or not x.size:
        return None
    return x.data.reshape(len(x.data), *(shape if isinstance(shape, tuple | list) else (shape,)))


def _transpose(x: Any, axes: Any = None) -> Any:
    axes = range(x.ndim)[::-1] if axes is None else axes
    return x.data.transpose(0, *(a % x.ndim + 1 for a in axes))


def _broadcast_to(x: Any, shape: Any) -> Any:
    if not isinstance(shape, tuple):
        return None
    data = x.data if x.ndim == len(shape) else x.data.reshape(len(x.data), *(1,) * (len(shape) - x.ndim), *x.shape)
    return np.broadcast_to(data, (len(data), *shape))


def _sum_to_shape(x: Any, shape: tuple[int, ...]) -> Any:
    return sum_to_shape.fn(x.data, (len(x.data), *(1,) * (x.ndim - len(shape)), *shape)).reshape(len(x.data), *shape)


def _matmul(x: Any, y: Any) -> Any:
    if x.ndim > 1 and y.ndim > 1:
        return np.matmul(*_aligned((x, y)))
    if isinstance(x, Rows) and isinstance(y, np.ndarray) and y.ndim < 3:
        return np.matmul(x.data, y)
    if isinstance(y, Rows) and isinstance(x, np.ndarray) and x.ndim < 3 and y.ndim == 1:
        return np.matmul(y.data, x.T)
    return None


def _einsum(subscripts: Any, *operands: Any, **options: Any) -> Any:
    if not isinstance(subscripts, str) or "->" not in subscripts or "Z" in subscripts:
        return None
    terms, out = subscripts.split("->")
    terms = ",".join("Z" * isinstance(x, Rows) + t.strip() for t, x in zip(terms.split(","), operands, strict=True))
    return np.einsum(f"{terms}->Z{out.strip()}", *(x.data if isinstance(x, Rows) else x for x in operands), **options)


def _index(index: Any) -> Any:
    """An index of a row as one of the stack; None where arrays and integers in it would change the order of axes."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = sum(isinstance(p, np.ndarray) for p in parts)
    plain = all(p is None or p is Ellipsis or isinstance(p, slice | np.ndarray) for p in parts)
    return (slice(None), *parts) if not arrays or (arrays == 1 and plain) else None


def _getitem(x: Any, index: Any) -> Any:
    index = _index(index)
    return None if index is None else x.data[index]


def _scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    index = _index(index)
    return None if index is None else Scattered(x.data, index, (len(x.data), *shape)).dense()


def _where(*args: Any) -> Any:
    return np.where(*_aligned(tuple(constant(x) for x in args)))


def _joined(fn: Callable[..., Any]) -> Callable[..., Any]:
    def at_once(parts: Any, axis: int = 0) -> Any:
        n = next(len(x.data) for x in parts if isinstance(x, Rows))
        stacks = [x.data if isinstance(x, Rows) else np.broadcast_to(x, (n, *np.shape(x))) for x in parts]
        return fn(stacks, axis=_moved(axis))

    return at_once


AT_ONCE: dict[Callable[..., Any], Callable[..., Any]] = {
    **{fn: _over(fn) for fn in (np.sum, np.mean, np.flip)},
    np.reshape: _reshape,
    np.transpose: _transpose,
    np.broadcast_to: _broadcast_to,
    np.ravel: lambda x, order="C": _reshape(x, (x.size,), order),
    np.swapaxes: lambda x, axis1, axis2: np.swapaxes(x.data, _moved(axis1), _moved(axis2)),
    np.moveaxis: lambda x, source, destination: np.moveaxis(x.data, _moved(source), _moved(destination)),
    **{fn: lambda x, k=0, fn=fn: fn(x.data, k) if x.ndim > 1 else None for fn in (np.tril, np.triu)},
    np.expand_dims: lambda x, axis: np.expand_dims(x.data, _moved(axis)),
    np.matmul: _matmul,
    np.einsum: _einsum,
    np.where: _where,
    where.fn: _where,
    np.concatenate: _joined(np.concatenate),
    np.stack: _joined(np.stack),
    concatenate.fn: lambda *parts, axis=0: _joined(np.concatenate)(parts, axis),
    stack.fn: lambda *parts, axis=0: _joined(np.stack)(parts, axis),
    sum_to_shape.fn: _sum_to_shape,
    getitem.fn: _getitem,
    scatter.fn: _scatter,
    astype.fn: lambda x, dtype: x.data.astype(dtype),
}


def _method(name: str) -> Callable[..., Any]:
    return lambda self, *args, **options: getattr(np, name)(self, *args, **options)


for _name in ("sum", "mean", "swapaxes", "ravel", "squeeze", "cumsum", "repeat", "take", "diagonal", "trace"):
    setattr(Rows, _name, _method(_name))
Rows.transpose = lambda self, *axes: np.transpose(self, axes[0] if len(axes) == 1 else axes or None)  # type: ignore[attr-defined]
