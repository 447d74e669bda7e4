"""NumPy functions that are compositions of functions with rules: they are recorded as their parts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..registry import composite
from .elementwise import arrayed

# --- shapes -----------------------------------------------------------------------------------------------------------


def _at_least(ndim: int, reshaped: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Callable[..., Any]:
    def at_least(*arys: Any) -> Any:
        arrays = [arrayed(a) for a in arys]
        out = tuple(a if a.ndim >= ndim else np.reshape(a, reshaped(a.shape)) for a in arrays)
        return out[0] if len(out) == 1 else out

    return at_least


composite(np.atleast_1d, _at_least(1, lambda shape: (1,)))
composite(np.atleast_2d, _at_least(2, lambda shape: (1, 1) if not shape else (1, *shape)))
composite(np.atleast_3d, _at_least(3, lambda shape: (1, 1, 1) if not shape else (*(1,) * (2 - len(shape)), *shape, 1)))


def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    n = a.ndim
    axis = np.lib.array_utils.normalize_axis_index(axis, n)
    if not -n <= start <= n:
        raise ValueError(f"np.rollaxis: start must be in [{-n}, {n}], got {start}")
    start = start + n if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


def _broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    arrays = [arrayed(a) for a in args]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return tuple(np.broadcast_to(a, shape) for a in arrays)


def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    ndim = len(xi)
    place = list(range(ndim))
    if indexing == "xy" and ndim > 1:
        place[:2] = 1, 0
    shapes = [(1,) * p + (-1,) + (1,) * (ndim - p - 1) for p in place]
    parts = tuple(np.reshape(arrayed(x), shape) for x, shape in zip(xi, shapes, strict=True))
    return parts if sparse else _broadcast_arrays(*parts)


composite(np.rollaxis, _rollaxis)
composite(np.broadcast_arrays, _broadcast_arrays)
composite(np.meshgrid, _meshgrid)


def _full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    dtype = a.dtype if dtype is None else np.dtype(dtype)
    if not getattr(fill_value, "requires_grad", False):
        fill_value = fill_value.data if hasattr(fill_value, "_record") else fill_value
        return np.full_like(a.data if hasattr(a, "_record") else a, fill_value, dtype, order, subok, shape)
    if dtype.kind not in "fc" or (dtype.kind == "f" and fill_value.dtype.kind == "c"):
        raise TypeError(
            f"np.full_like: an array of dtype {dtype} can't hold a fill_value of dtype {fill_value.dtype}, "
            "which requires a gradient; give numbers there (t.data)"
        )
    fill_value = fill_value if fill_value.dtype == dtype else fill_value.astype(dtype)
    return np.broadcast_to(fill_value, a.shape if shape is None else shape)


composite(np.full_like, _full_like)
composite(np.copy, lambda a, order="K", subok=False: +a)

# --- split ------------------------------------------------------------------------------------------------------------


def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    n = ary.shape[axis]
    if np.ndim(indices_or_sections):
        ends = [int(i) for i in indices_or_sections]
    else:
        sections = int(indices_or_sections)
        if sections <= 0:
            raise ValueError(f"np.array_split: number of sections must be larger than 0, got {sections}")
        each, extra = divmod(n, sections)
        ends = [each * i + min(i, extra) for i in range(1, sections)]
    before = (slice(None),) * (axis % ary.ndim)
    return [ary[(*before, slice(a, b))] for a, b in zip([0, *ends], [*ends, n], strict=True)]


def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if not np.ndim(indices_or_sections) and ary.shape[axis] % indices_or_sections:
        raise ValueError(
            f"np.split: an axis of length {ary.shape[axis]} can't be cut into {indices_or_sections} equal parts"
        )
    return _array_split(ary, indices_or_sections, axis)


def _split_along(name: str, least: int, axis: int) -> Callable[..., Any]:
    def split(ary: Any, indices_or_sections: Any) -> list[Any]:
        if ary.ndim < least:
            raise ValueError(f"np.{name} needs an array of {least} or more dimensions, got shape {ary.shape}")
        return _split(ary, indices_or_sections, 0 if ary.ndim == 1 else axis)

    return split


composite(np.array_split, _array_split)
composite(np.split, _split)
composite(np.vsplit, _split_along("vsplit", 2, 0))
composite(np.hsplit, _split_along("hsplit", 1, 1))
composite(np.dsplit, _split_along("dsplit", 3, 2))

# --- reductions -------------------------------------------------------------------------------------------------------


def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    a = arrayed(a)
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        return (mean, np.full(mean.shape, a.size / max(mean.size, 1))) if returned else mean
    weights = arrayed(weights)
    if weights.shape != a.shape:
        if not isinstance(axis, int) or weights.shape != (a.shape[axis],):
            raise ValueError(
                f"np.average: weights of shape {weights.shape} do not fit an array of shape {a.shape} along axis {axis}"
            )
        weights = np.reshape(weights, (-1, *(1,) * (a.ndim - 1 - axis % a.ndim)))
    full = np.broadcast_to(weights, a.shape)
    total = np.sum(full, axis=axis, keepdims=keepdims)
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


def _ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


composite(np.average, _average)
composite(np.ptp, _ptp)
composite(np.trace, _trace)

# --- choices ----------------------------------------------------------------------------------------------------------


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(f"np.select: got {len(condlist)} conditions for {len(choicelist)} choices")
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = np.where(condition, choice, out)
    return out


def _choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    pick = np.array(a.data if hasattr(a, "_record") else a)
    n = len(choices)
    if mode != "raise":
        pick = pick % n if mode == "wrap" else np.clip(pick, 0, n - 1)
    options = _broadcast_arrays(*choices, pick)[:-1]
    return np.take_along_axis(np.stack(options), np.broadcast_to(pick, options[0].shape)[None], axis=0)[0]


def _compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    if np.ndim(condition) != 1:
        raise ValueError(f"np.compress: the condition must have 1 dimension, got {np.ndim(condition)}")
    return np.take(np.ravel(a) if axis is None else a, np.flatnonzero(condition), axis=0 if axis is None else axis)


composite(np.select, _select)
composite(np.choose, _choose)
composite(np.compress, _compress)
composite(np.extract, lambda condition, arr: _compress(np.ravel(condition), arr))

# --- products ---------------------------------------------------------------------------------------------------------


def _kron(a: Any, b: Any) -> Any:
    a, b = arrayed(a), arrayed(b)
    ndim = max(a.ndim, b.ndim)
    a_shape, b_shape = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    left = np.reshape(a, tuple(n for m in a_shape for n in (m, 1)))
    right = np.reshape(b, tuple(n for m in b_shape for n in (1, m)))
    return np.reshape(left * right, tuple(m * n for m, n in zip(a_shape, b_shape, strict=True)))


def _multi_dot(arrays: Any) -> Any:
    out, *rest = arrays
    for array in rest:
        out = np.dot(out, array)
    return out


def _matrix_power(a: Any, n: int) -> Any:
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    out = None
    while n:
        if n & 1:
            out = a if out is None else np.matmul(out, a)
        n >>= 1
        a = np.matmul(a, a) if n else a
    return out


def _vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    axes = tuple(range(x.ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    flat = np.transpose(x, (*kept, *axes))
    flat = np.reshape(flat, (*flat.shape[: len(kept)], math.prod(flat.shape[len(kept) :])))
    out = np.linalg.norm(flat, ord, axis=-1)
    return np.expand_dims(out, axes) if keepdims else out


composite(np.kron, _kron)
composite(np.linalg.multi_dot, _multi_dot)
composite(np.linalg.matrix_power, _matrix_power)
for _name, _fn in (
    ("matmul", lambda x1, x2, /: np.matmul(x1, x2)),
    ("outer", lambda x1, x2, /: np.outer(x1, x2)),
    ("cross", lambda x1, x2, /, *, axis=-1: np.cross(x1, x2, axis=axis)),
    ("tensordot", lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes)),
    ("diagonal", lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1)),
    ("trace", lambda x, /, *, offset=0, dtype=None: _trace(x, offset, -2, -1, dtype)),
    ("matrix_transpose", lambda x, /: np.swapaxes(x, -1, -2)),
    ("matrix_norm", lambda x, /, *, keepdims=False, ord="fro": np.linalg.norm(x, ord, (-2, -1), keepdims)),
    ("vector_norm", _vector_norm),
):
    composite(getattr(np.linalg, _name), _fn)
composite(np.matrix_transpose, lambda x, /: np.swapaxes(x, -1, -2))
