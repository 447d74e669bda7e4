"""Rules of functions that rearrange, repeat, join or drop elements."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

import numpy as np

from ..libraries import beside, foreign
from ..registry import NoRuleError, composite, defvjp, defvjp_variadic, pure
from .elementwise import arrayed
from .indexing import scatter


@pure
def sum_to_shape(x: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum `x` over the axes that broadcasting to its shape from `shape` added or stretched."""
    added = x.ndim - len(shape)
    stretched = [i + added for i, n in enumerate(shape) if n != x.shape[i + added]] if added >= 0 else []
    if added < 0 or any(shape[i - added] != 1 for i in stretched):
        raise ValueError(f"a gradient of shape {x.shape} does not fit an operand of shape {shape}")
    axes = (*range(added), *stretched)
    x = x.sum(axis=axes) if axes else x
    return x if x.shape == shape else x.reshape(shape)


def fitted(g: Any, shape: tuple[int, ...], of: tuple[int, ...]) -> Any:
    """The gradient `g` of a result of shape `of`, summed to an operand's `shape` over what broadcasting stretched."""
    if g.__class__ is np.ndarray and (more := g.ndim - len(shape)) > 0 and g.shape == of and of[more:] == shape:
        return np.add.reduce(g, tuple(range(more)))
    if not hasattr(g, "shape"):
        raise TypeError(f"a derivative rule must return an array, got {type(g).__name__}")
    if g.ndim > max(len(shape), len(of)):
        raise ValueError(
            f"a gradient of shape {g.shape} has more axes than the result, of shape {of}, and than the operand, of "
            f"shape {shape}"
        )
    return (sum_to_shape.fn if g.__class__ is np.ndarray else sum_to_shape)(g, shape)


def cast(g: Any, dtype: np.dtype[Any]) -> Any:
    """The gradient `g` in an operand's dtype: what reaches a real operand is the real part."""
    return (np.real(g) if g.dtype.kind == "c" and dtype.kind != "c" else g).astype(dtype)


defvjp(sum_to_shape, lambda g, out, x, shape: np.broadcast_to(g, x.shape))
defvjp(np.broadcast_to, lambda g, out, x, shape, subok=False: g)

# --- the same elements in another shape or order ----------------------------------------------------------------------


def _inverse(axes: Any) -> Any:
    return None if axes is None else [int(a) for a in np.argsort([a % len(axes) for a in axes])]


def _negated(shift: Any) -> Any:
    return tuple(-int(s) for s in shift) if np.ndim(shift) else -int(shift)


defvjp(
    np.reshape,
    lambda g, out, x, shape=None, order="C", copy=None: (
        g.reshape(x.shape) if order == "C" else g.reshape(x.shape, order=order)
    ),
)
defvjp(np.ravel, lambda g, out, x, order="C": g.reshape(x.shape) if order == "C" else g.reshape(x.shape, order=order))
defvjp(np.squeeze, lambda g, out, x, axis=None: g.reshape(x.shape))
defvjp(np.expand_dims, lambda g, out, x, axis=None: g.reshape(x.shape))
defvjp(np.transpose, lambda g, out, x, axes=None: np.transpose(g, _inverse(axes)))
defvjp(np.swapaxes, lambda g, out, x, axis1, axis2: np.swapaxes(g, axis1, axis2))
defvjp(np.moveaxis, lambda g, out, x, source, destination: np.moveaxis(g, destination, source))
defvjp(np.flip, lambda g, out, x, axis=None: np.flip(g, axis))
defvjp(np.flipud, lambda g, out, x: np.flipud(g))
defvjp(np.fliplr, lambda g, out, x: np.fliplr(g))
defvjp(np.rot90, lambda g, out, x, k=1, axes=(0, 1): np.rot90(g, -k, axes))


def _rolled(x: Any, shift: Any, axis: Any = None) -> Any:
    """``np.roll``, along one axis of an array without what it does for several."""
    one = x.__class__ is np.ndarray and x.size and shift.__class__ is int and axis.__class__ is int
    if not one or not -x.ndim <= axis < x.ndim:
        return np.roll(x, shift, axis)
    before = (slice(None),) * (axis % x.ndim)
    first = -shift % x.shape[axis]
    return np.concatenate((x[(*before, slice(first, None))], x[(*before, slice(None, first))]), axis)


defvjp(np.roll, lambda g, out, x, shift, axis=None: _rolled(g, _negated(shift), axis)).op = _rolled
defvjp(np.triu, lambda g, out, x, k=0: np.triu(g, k))
defvjp(np.tril, lambda g, out, x, k=0: np.tril(g, k))


@pure
def astype(x: Any, dtype: Any) -> Any:
    """`x` in another dtype."""
    return x.astype(dtype)


defvjp(astype, lambda g, out, x, dtype: g)

# --- repeated elements ------------------------------------------------------------------------------------------------


def _unrepeat(g: Any, shape: tuple[int, ...], repeats: Any, axis: int | None) -> Any:
    if axis is None or not shape:
        return _unrepeat(g, (math.prod(shape),), repeats, 0).reshape(shape)
    axis %= len(shape)
    if np.size(repeats) == 1:
        each = int(np.max(repeats))
        return g.reshape((*shape[: axis + 1], each, *shape[axis + 1 :])).sum(axis=axis + 1)
    index = (slice(None),) * axis + (np.repeat(np.arange(shape[axis]), repeats),)
    return scatter(g, index=index, shape=shape)


def _untile(g: Any, shape: tuple[int, ...], reps: Any) -> Any:
    reps = tuple(int(r) for r in reps) if np.ndim(reps) else (int(reps),)
    ndim = max(len(reps), len(shape))
    counts = (1,) * (ndim - len(reps)) + reps
    lengths = (1,) * (ndim - len(shape)) + shape
    pairs = tuple(n for pair in zip(counts, lengths, strict=True) for n in pair)
    return g.reshape(pairs).sum(axis=tuple(range(0, 2 * ndim, 2))).reshape(shape)


defvjp(np.repeat, lambda g, out, x, repeats, axis=None: _unrepeat(g, x.shape, repeats, axis))
defvjp(np.tile, lambda g, out, x, reps: _untile(g, x.shape, reps))

# --- padding ----------------------------------------------------------------------------------------------------------


def _unpad(g: Any, shape: tuple[int, ...], widths: Any, mode: str) -> Any:
    if mode == "constant":
        return g[tuple(slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True))]
    for axis, (n, width) in enumerate(zip(shape, widths, strict=True)):
        if any(width):
            source = np.pad(np.arange(n), width, mode)  # type: ignore[call-overload]
            g = scatter(g, index=(slice(None),) * axis + (source,), shape=(*g.shape[:axis], n, *g.shape[axis + 1 :]))
    return g


@pure
def pad(x: Any, values: Any = 0.0, *, pad_width: Any, mode: str = "constant") -> Any:
    """``np.pad`` with the widths written out, ``((before, after), ...)`` for every axis."""
    options = {"constant_values": values} if mode == "constant" else {}
    return np.pad(x, pad_width, mode, **options)  # type: ignore[call-overload]


defvjp(
    pad,
    lambda g, out, x, values=0.0, *, pad_width, mode="constant": _unpad(g, x.shape, pad_width, mode),
    None,
)

_PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    if mode not in _PAD_MODES:
        raise NoRuleError(f"np.pad has no derivative rule for mode={mode!r}; modes with one: {', '.join(_PAD_MODES)}")
    if options.get("reflect_type") == "even":
        del options["reflect_type"]
    unknown = options.keys() - ({"constant_values"} if mode == "constant" else set())
    if unknown:
        raise NoRuleError(f"np.pad has no derivative rule for mode={mode!r} with {', '.join(sorted(unknown))}=")
    values: Any = options.get("constant_values", 0)
    if hasattr(values, "requires_grad"):
        raise NoRuleError("np.pad: no gradient flows through constant_values=; give numbers there (t.data)")
    if isinstance(pad_width, dict):
        sides = {axis % array.ndim: width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(sides.get(axis, 0), 2) for axis in range(array.ndim)]
    widths = np.broadcast_to(pad_width, (array.ndim, 2))
    if widths.dtype.kind not in "iu":
        raise TypeError("np.pad: pad_width must be of integers")
    settled = tuple((int(before), int(after)) for before, after in widths)
    if mode == "constant":
        values = values if np.ndim(values) == 0 else np.broadcast_to(values, widths.shape)
        operands = (array,) if np.all(values == 0) else (array, values)
        return pad(*operands, pad_width=settled)
    return pad(array, pad_width=settled, mode=mode)


composite(np.pad, _pad)

# --- diagonals --------------------------------------------------------------------------------------------------------


@pure
def put_diagonal(x: Any, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Zeros of `shape` with `x` on a diagonal: what undoes ``np.diagonal``."""
    if foreign(x):
        rows, columns, before = shape[axis1], shape[axis2], max(-offset, 0)
        column = np.pad(x, (*[(0, 0)] * (x.ndim - 1), (before, rows - before - x.shape[-1])))[..., None]
        place = beside(x, np.eye(rows, columns, offset, dtype=bool))
        return np.moveaxis(np.where(place, column, x.dtype.type(0)), (-2, -1), (axis1, axis2))
    out = np.zeros(shape, x.dtype)
    view = np.diagonal(out, offset, axis1, axis2)
    view.setflags(write=True)
    view[...] = x
    return out


defvjp(put_diagonal, lambda g, out, x, shape, offset=0, axis1=0, axis2=1: np.diagonal(g, offset, axis1, axis2))
defvjp(
    np.diagonal,
    lambda g, out, x, offset=0, axis1=0, axis2=1: put_diagonal(
        g, shape=x.shape, offset=offset, axis1=axis1, axis2=axis2
    ),
)


def _diag(v: Any, k: int = 0) -> Any:
    if v.ndim == 1:
        return put_diagonal(v, shape=(v.size + abs(k),) * 2, offset=k)
    if v.ndim != 2:
        raise ValueError(f"np.diag: input must be 1- or 2-d, got shape {v.shape}")
    return np.diagonal(v, k)


composite(np.diag, _diag)
composite(np.diagflat, lambda v, k=0: _diag(np.ravel(v), k))

# --- joined arrays ----------------------------------------------------------------------------------------------------


@pure
def concatenate(*arrays: Any, axis: int = 0) -> Any:
    """``np.concatenate`` of its operands."""
    return np.concatenate(arrays, axis=axis)


@pure
def stack(*arrays: Any, axis: int = 0) -> Any:
    """``np.stack`` of its operands."""
    return np.stack(arrays, axis=axis)


def _part(g: Any, i: int, lengths: list[int], axis: int) -> Any:
    ends = list(accumulate(lengths))
    return g[(slice(None),) * (axis % g.ndim) + (slice(ends[i] - lengths[i], ends[i]),)]


defvjp_variadic(
    concatenate,
    lambda g, out, i, *arrays, axis=0: _part(g, i, [a.shape[axis] for a in arrays], axis),
    reads_operands=False,
)
defvjp_variadic(
    stack,
    lambda g, out, i, *arrays, axis=0: g[(slice(None),) * (axis % g.ndim) + (i,)],
    reads_operands=False,
)


def _arrays(sequence: Any) -> list[Any]:
    return [arrayed(a) for a in sequence]


def _concatenate(arrays: Any, axis: int | None = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = _arrays(arrays)
    if axis is None:
        parts, axis = [np.ravel(a) for a in parts], 0
    return _in_dtype(concatenate(*parts, axis=axis), dtype)


def _stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return _in_dtype(stack(*_arrays(arrays), axis=axis), dtype)


def _in_dtype(x: Any, dtype: Any) -> Any:
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def _vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return _concatenate([a if a.ndim > 1 else np.atleast_2d(a) for a in _arrays(tup)], 0, dtype=dtype)


def _hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = [a if a.ndim else np.atleast_1d(a) for a in _arrays(tup)]
    return _concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype=dtype)


def _dstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return _concatenate([np.atleast_3d(a) for a in _arrays(tup)], 2, dtype=dtype)


def _column_stack(tup: Any) -> Any:
    return _concatenate([a if a.ndim > 1 else np.reshape(a, (-1, 1)) for a in _arrays(tup)], 1)


def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return _concatenate((arr, values), axis)


composite(np.concatenate, _concatenate)
composite(np.stack, _stack)
composite(np.vstack, _vstack)
composite(np.hstack, _hstack)
composite(np.dstack, _dstack)
composite(np.column_stack, _column_stack)
composite(np.append, _append)
