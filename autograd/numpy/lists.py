"""What NumPy can't dispatch on: lists that hold Tensors, and arrays made of them.

NumPy asks a Tensor before it computes, but not one inside a list. Here such a list is one Tensor, its parts stacked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as _np

from ..tensor import Tensor

__all__ = ["array", "full", "full_like", "holds_tensors", "joining", "make_diagonal", "names_of", "where"]


_ABSTRACT = (_np.integer, _np.signedinteger, _np.unsignedinteger, _np.timedelta64)


def holds_tensors(value: Any) -> bool:
    """Whether `value` is a Tensor, or a nest of lists and tuples (or an array of objects) with one in it."""
    if isinstance(value, list | tuple):
        return any(map(holds_tensors, value))
    if isinstance(value, _np.ndarray) and value.dtype == object:
        return any(map(holds_tensors, value.flat))
    return isinstance(value, Tensor)


def _stacked(value: Any) -> Any:
    if isinstance(value, Tensor) or not holds_tensors(value):
        return value
    return _np.stack([_stacked(part) for part in value])


def array(object: Any, dtype: Any = None, *, ndmin: int = 0, **options: Any) -> Any:
    """``numpy.array``, also of Tensors and of nested lists with Tensors in them, which give one Tensor."""
    if not holds_tensors(object):
        return _np.array(object, dtype, ndmin=ndmin, **options)
    found = _stacked(object)
    if dtype is not None and found.dtype != _np.dtype(dtype):
        found = found.astype(dtype)
    return found if found.ndim >= ndmin else found.reshape((1,) * (ndmin - found.ndim) + found.shape)


def full(shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    """``numpy.full``, also with a Tensor to fill with."""
    if not holds_tensors(fill_value):
        return _np.full(shape, fill_value, dtype, **options)
    return _np.broadcast_to(array(fill_value, dtype), shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None, **options: Any) -> Any:
    """``numpy.full_like``, also with a Tensor to fill with."""
    if not holds_tensors(fill_value):
        return _np.full_like(a, fill_value, dtype, shape=shape, **options)
    return full(_np.shape(a) if shape is None else shape, fill_value, a.dtype if dtype is None else dtype)


def where(condition: Any, *choices: Any, **named: Any) -> Any:
    """``numpy.where``, also with `x` and `y` by name; numbers and lists of Python's own stay such."""
    choices += tuple(named[name] for name in ("x", "y") if name in named)
    found = _np.where(condition, *map(array, choices))
    own = choices and not any(hasattr(part, "dtype") for part in (condition, *choices))
    return found.tolist() if own and isinstance(found, _np.ndarray) else found


def make_diagonal(D: Any, offset: int = 0, axis1: int = -1, axis2: int = -2) -> Any:
    """Matrices with the last axis of `D` on their diagonals."""
    if offset or {axis1, axis2} != {-1, -2}:
        raise NotImplementedError("make_diagonal: the diagonal is that of the last two axes")
    return D[..., None] * _np.eye(_np.shape(D)[-1])


class joining:
    """``np.r_`` or ``np.c_``, with Tensors among what is joined."""

    def __init__(self, joiner: Any):
        self.joiner = joiner

    def __getitem__(self, key: Any) -> Any:
        if not holds_tensors(key):
            return self.joiner[key]
        values: list[Any] = []
        places: list[Any] = []
        for part in key if isinstance(key, tuple) else (key,):
            if isinstance(part, str):
                places.append(part)
                continue
            value = _np.r_[part] if isinstance(part, slice) else array(part)
            start = sum(map(_np.size, values))
            places.append(_np.arange(start, start + _np.size(value)).reshape(_np.shape(value)))
            values.append(value)
        return _np.concatenate([_np.ravel(value) for value in values])[self.joiner[tuple(places)]]


def _taking_lists(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy that is tried once more with the lists of Tensors stacked, where it refuses them."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        except TypeError:
            in_lists = [isinstance(a, list | tuple) and holds_tensors(a) for a in args]
            if not any(in_lists):
                raise
        return fn(*(array(a) if listed else a for a, listed in zip(args, in_lists, strict=True)), **kwargs)

    return call


class _Whole(type):
    """A type of integers of NumPy's, that takes the numbers of Tensors."""

    base: type

    def __call__(cls, *args: Any) -> Any:
        return cls.base(*(a.data if isinstance(a, Tensor) else a for a in args))

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.base)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, cls.base)


def names_of(module: ModuleType, own: dict[str, Any]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that finds NumPy's names, and puts them into `own`, the module's namespace."""

    def find(name: str) -> Any:
        found = getattr(module, name)
        if hasattr(found, "_implementation"):
            found = _taking_lists(found)
        elif isinstance(found, type) and issubclass(found, _np.integer) and found not in _ABSTRACT:
            found = _Whole(found.__name__, (found,), {"base": found})
        if not name.startswith("__"):
            own[name] = found
        return found

    return find
