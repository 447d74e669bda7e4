"""Functions that build arrays out of parts of arrays, as compositions: blocks, insertions, sets, pieces."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from ..registry import NoRuleError, composite
from .elementwise import arrayed
from .indexing import set_at
from .statistics import numbers

# --- blocks, copies, parts --------------------------------------------------------------------------------------------


def _leaves(nested: Any) -> list[Any]:
    return [leaf for part in nested for leaf in _leaves(part)] if isinstance(nested, list) else [arrayed(nested)]


def _depth(nested: Any) -> int:
    if not isinstance(nested, list):
        return 0
    depths = {_depth(part) for part in nested}
    if len(depths) != 1:
        raise ValueError("np.block: lists must be nested to the same depth, and none may be empty")
    return 1 + depths.pop()


def _block(arrays: Any) -> Any:
    depth = _depth(arrays)
    ndim = max(depth, *(leaf.ndim for leaf in _leaves(arrays)))

    def joined(nested: Any, level: int) -> Any:
        if isinstance(nested, list):
            return np.concatenate([joined(part, level + 1) for part in nested], axis=level - depth)
        nested = arrayed(nested)
        return np.reshape(nested, (1,) * (ndim - nested.ndim) + nested.shape)

    return joined(arrays, 0)


def _resize(a: Any, new_shape: Any) -> Any:
    shape = (int(new_shape),) if np.ndim(new_shape) == 0 else tuple(int(n) for n in new_shape)
    size = math.prod(shape)
    if not a.size:
        return np.zeros(shape, a.dtype)
    return np.reshape(np.take(a, np.arange(size) % a.size), shape)


def _trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    axes = range(filt.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, filt.ndim)
    found = [np.flatnonzero(np.any(numbers(filt), axis=tuple(b for b in range(filt.ndim) if b != a))) for a in axes]
    index = [slice(None)] * filt.ndim
    for a, places in zip(axes, found, strict=True):
        first, last = (places[0], places[-1] + 1) if places.size else (0, 0)
        ends = (first if "f" in trim.lower() else 0, last if "b" in trim.lower() else filt.shape[a])
        index[a] = slice(*map(int, ends))
    return filt[tuple(index)]


def _unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    before = (slice(None),) * (axis % x.ndim)
    return tuple(x[(*before, k)] for k in range(x.shape[axis]))


def _full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", **options: Any) -> Any:
    out = np.broadcast_to(fill_value, shape)
    return out if dtype is None else out.astype(dtype)


composite(np.block, _block)
composite(np.resize, _resize)
composite(np.trim_zeros, _trim_zeros)
composite(np.unstack, _unstack)
composite(np.full, _full)
composite(np.astype, lambda x, dtype, /, *, copy=True, device=None: x.astype(dtype))

# --- insertions and deletions: NumPy does it to the places, which then are picked -------------------------------------


def _delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, axis)
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), numbers(obj)), axis=axis)


def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arr, values = arrayed(arr), arrayed(values)
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, axis % arr.ndim)
    values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    obj = numbers(obj)
    n = arr.shape[axis]
    places = np.arange(n)[obj] if isinstance(obj, slice) else np.array(obj)
    if places.ndim == 0:
        values = np.moveaxis(values, 0, axis)
    count = values.shape[axis] if places.size == 1 else places.sum() if places.dtype == bool else places.size
    values = np.broadcast_to(values, tuple(int(count) if k == axis else m for k, m in enumerate(arr.shape)))
    order = np.insert(np.arange(n), obj, np.arange(n, n + int(count)))
    return np.take(np.concatenate((arr, values.astype(arr.dtype)), axis=axis), order, axis=axis)


composite(np.delete, _delete)
composite(np.insert, _insert)

# --- sets: the first of equal elements is picked ----------------------------------------------------------------------


def _unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    options: dict[str, Any] = {"return_inverse": return_inverse, "return_counts": return_counts, "axis": axis}
    _, index, *more = np.unique(numbers(ar), True, equal_nan=equal_nan, **options)
    picked = np.ravel(ar)[index] if axis is None else np.take(ar, index, axis=axis)
    more = [index, *more] if return_index else more
    return (picked, *more) if more else picked


def _union1d(ar1: Any, ar2: Any) -> Any:
    return _unique(np.concatenate((np.ravel(arrayed(ar1)), np.ravel(arrayed(ar2)))))


def _intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    ar1 = np.ravel(arrayed(ar1))
    _, first, second = np.intersect1d(numbers(ar1), np.ravel(numbers(ar2)), assume_unique, True)
    return (ar1[first], first, second) if return_indices else ar1[first]


def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    ar1 = np.ravel(arrayed(ar1)) if assume_unique else _unique(arrayed(ar1))
    return ar1[~np.isin(numbers(ar1), numbers(arrayed(ar2)))]


def _setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    return np.sort(np.concatenate((_setdiff1d(ar1, ar2, assume_unique), _setdiff1d(ar2, ar1, assume_unique))))


class UniqueAll(NamedTuple):
    """What ``np.unique_all`` gives."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What ``np.unique_counts`` gives."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What ``np.unique_inverse`` gives."""

    values: Any
    inverse_indices: Any


for _fn, _expression in (
    (np.unique, _unique), (np.union1d, _union1d), (np.intersect1d, _intersect1d), (np.setdiff1d, _setdiff1d),
    (np.setxor1d, _setxor1d), (np.unique_values, lambda x: _unique(x, equal_nan=False)),
    (np.unique_all, lambda x: UniqueAll(*_unique(x, True, True, True, equal_nan=False))),
    (np.unique_counts, lambda x: UniqueCounts(*_unique(x, return_counts=True, equal_nan=False))),
    (np.unique_inverse, lambda x: UniqueInverse(*_unique(x, return_inverse=True, equal_nan=False))),
):  # fmt: skip
    composite(_fn, _expression)

# --- functions of parts -----------------------------------------------------------------------------------------------


def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = arrayed(x)
    single = not isinstance(condlist, list | tuple) or (np.ndim(condlist[0]) == 0 and x.ndim > 0)
    conditions = [arrayed(numbers(c)).astype(bool, copy=False) for c in ([condlist] if single else condlist)]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~reduce(np.logical_or, conditions))
    if len(funclist) != len(conditions):
        raise ValueError(f"np.piecewise: {len(conditions)} conditions do not fit {len(funclist)} functions")
    out = x * 0
    for condition, fn in zip(conditions, funclist, strict=True):
        if np.any(condition):
            out = set_at(out, condition, fn(x[condition], *args, **kw) if callable(fn) else fn)
    return out


def _apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    moved = np.moveaxis(arr, axis, -1)
    lead = moved.shape[:-1]
    rows = [arrayed(func1d(moved[place], *args, **kwargs)) for place in np.ndindex(lead)]
    if not rows:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    axis %= arr.ndim
    out = np.reshape(np.stack(rows), (*lead, *rows[0].shape))
    new = range(len(lead), out.ndim)
    return np.moveaxis(out, tuple(new), tuple(axis + k for k in range(len(new))))


def _apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    for axis in (axes,) if np.ndim(axes) == 0 else tuple(axes):
        axis = int(axis) % a.ndim
        found = func(a, axis)
        a = found if found.ndim == a.ndim else np.expand_dims(found, axis)
    return a


composite(np.piecewise, _piecewise)
composite(np.apply_along_axis, _apply_along_axis)
composite(np.apply_over_axes, _apply_over_axes)

# --- functions with two results, running sums, products of stacks -----------------------------------------------------


def _frexp(x: Any) -> tuple[Any, Any]:
    exponent = np.frexp(numbers(x))[1]
    return np.ldexp(x, -exponent), exponent


def _modf(x: Any) -> tuple[Any, Any]:
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    whole = np.trunc(x)
    return np.where(np.isinf(numbers(x)), x.dtype.type(0), x - np.where(np.isinf(numbers(x)), 0, whole)), whole


def _cumulative(fn: Any, first: float) -> Callable[..., Any]:
    def cumulative(
        x: Any, /, *, axis: int | None = None, dtype: Any = None, out: None = None, include_initial: bool = False
    ) -> Any:
        if axis is None and x.ndim > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0 if axis is None else axis
        running = fn(x, axis=axis, dtype=dtype)
        if not include_initial:
            return running
        shape = tuple(1 if k == axis % x.ndim else n for k, n in enumerate(x.shape))
        return np.concatenate((np.full(shape, first, running.dtype), running), axis=axis)

    return cumulative


composite(np.divmod, lambda x, y: (np.floor_divide(x, y), np.remainder(x, y)))
composite(np.frexp, _frexp)
composite(np.modf, _modf)
composite(np.cumulative_sum, _cumulative(np.cumsum, 0))
composite(np.cumulative_prod, _cumulative(np.cumprod, 1))
composite(np.matvec, lambda x, y: np.matmul(x, np.expand_dims(y, -1))[..., 0])
composite(np.vecmat, lambda x, y: np.matmul(np.expand_dims(x, -2), y)[..., 0, :])

# --- reductions of any function of two --------------------------------------------------------------------------------


def folded(ufunc: np.ufunc, x: Any, axis: Any = 0, keepdims: bool = False, initial: Any = None) -> Any:
    """``ufunc.reduce``: the function of what came before and the next element, along an axis (several, one by one)."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.lib.array_utils.normalize_axis_tuple(axis, x.ndim))
    if len(axes) > 1:
        ufunc.reduce(np.ones((1,) * x.ndim), axis=axes)  # NumPy's own sentence where the order matters
    if not x.size:
        raise NoRuleError(f"np.{ufunc.__name__} has no derivative rule for ufunc.reduce of an empty array")
    rest = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    steps = np.reshape(np.moveaxis(x, axes, tuple(range(len(axes)))), (-1, *rest))
    out, start = (steps[0], 1) if initial is None else (initial, 0)
    for k in range(start, len(steps)):
        out = ufunc(out, steps[k])
    return np.expand_dims(out, axes) if keepdims else out


def accumulated(ufunc: np.ufunc, x: Any, axis: int = 0) -> Any:
    """``ufunc.accumulate``: all that ``ufunc.reduce`` has on its way."""
    steps = np.moveaxis(x, axis, 0)
    out = [steps[k] for k in range(min(1, len(steps)))]
    for k in range(1, len(steps)):
        out.append(ufunc(out[-1], steps[k]))
    return np.moveaxis(np.stack(out), 0, axis) if out else x


def reduced_at(ufunc: np.ufunc, x: Any, indices: Any, axis: int = 0) -> Any:
    """``ufunc.reduceat``: the reductions of the slices that start at `indices`."""
    starts = np.ravel(numbers(indices)).tolist()
    before = (slice(None),) * (axis % x.ndim)
    ends = [*starts[1:], x.shape[axis]]
    parts = [
        ufunc.reduce(x[(*before, slice(start, end))], axis=axis) if start < end else x[(*before, start)]
        for start, end in zip(starts, ends, strict=True)
    ]
    return np.stack(parts, axis=axis % x.ndim)
