"""Rules of functions that pick elements, and of their adjoints, which put them back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..libraries import beside, foreign, zeros
from ..operands import settled
from ..registry import defvjp, pure
from .elementwise import arrayed


class Scattered:
    """A gradient that is zero but at an index: what picking elements sends back, before it is spread out.

    Adding it to a sum touches only the picked elements, so that ``sum(x[i] for i in range(n))`` stays linear in n.
    """

    __slots__ = ("dtype", "g", "index", "shape")

    def __init__(self, g: Any, index: Any, shape: tuple[int, ...]):
        self.g = g
        self.index = index
        self.shape = shape
        self.dtype = g.dtype

    @property
    def real(self) -> Scattered:
        return Scattered(self.g.real, self.index, self.shape)

    def astype(self, dtype: np.dtype[Any]) -> Scattered:
        return Scattered(self.g.astype(dtype), self.index, self.shape)

    def added_to(self, total: Any, own: bool) -> Any:
        """The sum with the array `total`, repeated picks as often as they occur; in it where it is the caller's own."""
        if not own:
            if total.__class__ is not np.ndarray:
                return total + self.dense()
            total = total.copy()
        if _may_repeat(self.index):
            np.add.at(*_flattened(total, self.index), self.g)
        else:
            total[self.index] += self.g
        return total

    def dense(self) -> Any:
        """The whole array."""
        return self.added_to(np.zeros(self.shape, self.dtype), True)

    def copy(self) -> Any:
        """`dense`, as what an array calls one that is the caller's own."""
        return self.dense()


def _may_repeat(index: Any) -> bool:
    """Whether an index may pick the same element twice: arrays of integers may."""
    if index.__class__ is int:
        return False
    parts = index if isinstance(index, tuple) else (index,)
    return any(p.__class__ is list or (getattr(p, "ndim", 0) and p.dtype != bool) for p in parts)


def _flattened(total: Any, index: Any) -> tuple[Any, Any]:
    """An array and an index of numbers along each axis, both of one axis instead, where NumPy adds much faster."""
    flat = total.__class__ is np.ndarray and total.flags.c_contiguous and index.__class__ is tuple
    if not flat or not len(index) == total.ndim > 1:
        return total, index
    if not all(part.__class__ is np.ndarray and part.dtype.kind in "iu" for part in index):
        return total, index
    try:
        return total.reshape(-1), np.ravel_multi_index(index, total.shape)
    except ValueError:  # numbers counted from the end
        return total, index


def scattered(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """What picking sends back: spread out only when it is summed, unless it is to be recorded."""
    if isinstance(g, (np.ndarray, np.generic)) and g.dtype.kind in "fc":
        return Scattered(g, index, shape)
    return scatter(g, index=index, shape=shape)


@pure
def getitem(x: Any, index: Any) -> Any:
    """``x[index]``: basic, integer and boolean indices."""
    return x[index]


@pure
def scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with `x` added at `index`, repeated places as often as they occur: what undoes ``y[index]``."""
    if not foreign(x):
        return Scattered(x, index, shape).dense()
    parts = index if isinstance(index, tuple) else (index,)
    if all(part is None or part is Ellipsis or part.__class__ in (int, slice) for part in parts):
        return _spread_out(x, parts, shape)
    try:
        return Scattered(x, index, shape).added_to(zeros(shape, x), True)
    except (TypeError, NotImplementedError):
        return _counted(x, parts, shape)


def _spread_out(x: Any, parts: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """`scatter` at slices and numbers, as products with zeros and ones, which leave chunks as they are."""
    parts = tuple(part for part in parts if part is not None)
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts = (*parts[:at], *[slice(None)] * (len(shape) - len(parts) + 1), *parts[at + 1 :])
    picked = [np.atleast_1d(np.arange(n)[part]) for n, part in zip(shape, parts, strict=False)]
    x = x.reshape((*map(len, picked), *shape[len(picked) :]))
    for axis, (n, places) in enumerate(zip(shape, picked, strict=False)):
        if not np.array_equal(places, np.arange(n)):
            rows = beside(x, np.eye(n, dtype=x.dtype)[places])
            x = np.moveaxis(np.tensordot(x, rows, ((axis,), (0,))), -1, axis)
    return x


def _counted(x: Any, parts: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """`scatter` along one axis as a product with zeros and ones, where a library can't add into its arrays."""
    axis = len(parts) - 1
    if any(not isinstance(part, slice) or part != slice(None) for part in parts[:-1]):
        raise NotImplementedError(f"{type(x).__module__} can't add into its arrays at more than one index")
    picked = parts[-1] % shape[axis]
    hits = (np.expand_dims(picked, -1) == np.arange(shape[axis])).astype(x.dtype)
    axes = tuple(range(axis, axis + picked.ndim))
    return np.moveaxis(np.tensordot(x, beside(x, hits), (axes, tuple(range(picked.ndim)))), -1, axis)


defvjp(getitem, lambda g, out, x, index: scattered(g, index, x.shape))
defvjp(scatter, lambda g, out, x, index, shape: g[index])

# --- a changed copy ---------------------------------------------------------------------------------------------------


@pure
def _set_at(x: Any, value: Any, index: Any) -> Any:
    out = x.copy() if foreign(x) else np.array(x)
    out[index] = value
    return out


_set_at.rule.name = "set_at"


def _of_the_last(g: Any, shape: tuple[int, ...], index: Any, value_ndim: int) -> Any:
    """g[index], but 0 for a value that a later one at the same place replaced; with the leading axes of the value."""
    picked = g[index]
    if _may_repeat(index):
        turn = np.arange(picked.size).reshape(picked.shape)
        last = np.zeros(shape, turn.dtype)
        last[index] = turn
        picked = picked * beside(picked, last[index] == turn)
    more = value_ndim - picked.ndim
    return picked.reshape((1,) * more + picked.shape) if more > 0 else picked


defvjp(
    _set_at,
    lambda g, out, x, value, index: _set_at(g, 0.0, index=index),
    lambda g, out, x, value, index: _of_the_last(g, x.shape, index, value.ndim),
)


def set_at(x: Any, index: Any, value: Any) -> Any:
    """A copy of `x` in which the elements at `index` are `value`: what ``x[index] = value`` would have made of it.

    Parameters
    ----------
    x : array or Tensor
    index : int, slice, array, ... or tuple of them
        As in ``x[index]``. Where it picks an element twice, the last value stays, as in NumPy.
    value : array_like or Tensor
        Broadcasts to the shape of ``x[index]``; cast to x's dtype.

    Returns
    -------
    array or Tensor of x's shape and dtype

    Raises
    ------
    TypeError
        If floating-point values are to be put among integers.

    Examples
    --------
    >>> from autograd import Tensor, set_at
    >>> x, v = Tensor([1.0, 2.0, 3.0]), Tensor(10.0)
    >>> y = set_at(x, 1, v)
    >>> y.data
    array([ 1., 10.,  3.])
    >>> (y * y).sum().backward()
    >>> x.grad, float(v.grad)
    (array([2., 0., 6.]), 20.0)
    """
    x, value = arrayed(x), arrayed(value)
    if not np.can_cast(value.dtype, x.dtype, "same_kind"):
        raise TypeError(f"set_at: x of dtype {x.dtype} can't hold a value of dtype {value.dtype}")
    return _set_at(x, value, index=settled(index, index=True))


# --- picking along an axis --------------------------------------------------------------------------------------------


def _along(axis: int, indices: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * axis, indices)


def _wrapped(indices: Any, n: int, mode: str) -> Any:
    if mode == "raise":
        return indices
    return indices % n if mode == "wrap" else np.clip(indices, 0, n - 1)


def _untake(g: Any, shape: tuple[int, ...], indices: Any, axis: int | None, mode: str) -> Any:
    if axis is None:
        size = math.prod(shape)
        return scatter(g, index=(_wrapped(indices, size, mode),), shape=(size,)).reshape(shape)
    axis %= len(shape)
    return scattered(g, _along(axis, _wrapped(indices, shape[axis], mode)), shape)


def _untake_along(g: Any, shape: tuple[int, ...], indices: Any, axis: int | None) -> Any:
    if axis is None:
        return _untake_along(g, (math.prod(shape),), indices, 0).reshape(shape)
    axis %= len(shape)
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return scatter(g, index=tuple(indices if i == axis else part for i, part in enumerate(grid)), shape=shape)


def _unsort(g: Any, x: Any, axis: int | None) -> Any:
    if axis is None:
        return _unsort(g, x.reshape(-1), 0).reshape(x.shape)
    order = np.argsort(x, axis=axis, kind="stable")
    return np.take_along_axis(g, np.argsort(order, axis=axis), axis=axis)


defvjp(
    np.take,
    lambda g, out, x, indices, axis=None, mode="raise": _untake(g, x.shape, indices, axis, mode),
    None,
)
defvjp(
    np.take_along_axis,
    lambda g, out, x, indices, axis=-1: _untake_along(g, x.shape, indices, axis),
    None,
)
# the order of complex numbers is not that of their conjugates
defvjp(np.sort, lambda g, out, x, axis=-1, kind=None, stable=None: _unsort(g, x, axis), holomorphic=False)
